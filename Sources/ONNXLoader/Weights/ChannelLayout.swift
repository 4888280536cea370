/// Which output channel each element of a layer's weight belongs to.
struct ChannelLayout {
    let channels: Int
    /// The weight is `[groups, …, channels of a group, kernel]` in row-major order, whatever its own shape says.
    private let groupElements: Int
    private let groupChannels: Int
    private let kernelElements: Int

    /// nil when the node is none of Conv, ConvTranspose and Gemm or its attributes do not fit the shape.
    init?(_ node: Node, shape: [Int]) {
        guard shape.count >= 2, shape.allSatisfy({ $0 > 0 }) else { return nil }
        let kernel = shape.dropFirst(2).reduce(1, *)
        switch node.operatorName {
        case "Conv":
            (channels, groupChannels, kernelElements) = (shape[0], shape[0], shape[1] * kernel)
            groupElements = shape[0] * kernelElements
        case "Gemm":
            guard shape.count == 2, node.float("alpha", or: 1) == 1, node.float("beta", or: 1) == 1 else { return nil }
            let isTransposed = node.int("transB", or: 0) != 0
            channels = isTransposed ? shape[0] : shape[1]
            groupChannels = channels
            kernelElements = isTransposed ? shape[1] : 1
            groupElements = shape[0] * shape[1]
        case "ConvTranspose":
            let groups = node.int("group", or: 1)
            guard groups > 0, shape[0] % groups == 0 else { return nil }
            (channels, groupChannels, kernelElements) = (groups * shape[1], shape[1], kernel)
            groupElements = shape[0] / groups * shape[1] * kernel
        default:
            return nil
        }
    }

    func channel(_ element: Int) -> Int {
        element / groupElements * groupChannels + element / kernelElements % groupChannels
    }
}

extension Node {
    fileprivate func int(_ name: String, or value: Int) -> Int {
        if case .int(let int) = attributes[name] { Int(int) } else { value }
    }

    fileprivate func float(_ name: String, or value: Float) -> Float {
        if case .float(let float) = attributes[name] { float } else { value }
    }
}
