import Foundation

@testable import ONNXLoader

/// Networks that `Tests/Fixtures/weights.py` exported with PyTorch, each with two sets of weights.
enum WeightFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/weights")

    static func model(_ name: String) throws -> Model {
        try Model(contentsOf: folder.appending(path: "\(name).onnx"))
    }

    static func state(_ name: String) throws -> TensorArchive {
        try TensorArchive(contentsOf: folder.appending(path: "\(name).second.pth"))
    }
}

extension ConstantTensor {
    static func floats(_ values: [Float], _ shape: [Int]? = nil) throws -> ConstantTensor {
        try values.withUnsafeBytes { bytes in
            try ConstantTensor(
                elementType: .float32, shape: shape ?? [values.count], payload: .bytes(ByteRegion(copying: bytes)))
        }
    }
}

extension TensorArchive {
    /// As a file of arrays would give them.
    init(_ tensors: [String: ConstantTensor]) { self.init(format: .numpy, tensors: tensors) }
}

extension Graph {
    /// The constant inputs of every node, by the node's first output and the input's number.
    var constantInputs: [String: ConstantTensor] {
        var constants = initializers
        for node in nodes where node.operatorName == "Identity" {
            constants[node.outputs[0]] = constants[node.inputs[0]]
        }
        var inputs: [String: ConstantTensor] = [:]
        for node in nodes where node.operatorName != "Identity" {
            for (index, name) in node.inputs.enumerated() {
                if let tensor = constants[name] { inputs["\(node.outputs[0]) \(index)"] = tensor }
            }
        }
        return inputs
    }

    /// The largest difference of constants of two graphs of the same structure, relative to the larger graph's largest
    /// number in each; infinite when one has a constant that the other lacks.
    func largestDifference(to other: Graph) -> Double {
        let (mine, theirs) = (constantInputs, other.constantInputs)
        guard Set(mine.keys) == Set(theirs.keys) else { return .infinity }
        return mine.map { key, tensor in
            guard let reference = theirs[key], reference.shape == tensor.shape else { return Double.infinity }
            guard tensor.elementType == .float32 else { return tensor == reference ? 0 : .infinity }
            let (values, expected) = (tensor.elements(Float.self), reference.elements(Float.self))
            let largest = expected.map { Double(abs($0)) }.max() ?? 0
            let difference = zip(values, expected).map { Double(abs($0 - $1)) }.max() ?? 0
            return difference == 0 ? 0 : difference / largest
        }.max() ?? 0
    }
}
