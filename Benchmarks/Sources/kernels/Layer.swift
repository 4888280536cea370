import ONNXLoader
import Runtime

/// A layer of one of the timed graphs, and the matrix product that has as many multiply-adds.
struct Layer {
    /// Where it occurs, and what it is.
    let graph, description: String
    let node: Node
    let inputShape, weightShape: [Int]
    let outputShape: [Int]
    /// `rows`×`inner` by `inner`×`columns`.
    let rows, columns, inner: Int

    /// A linear layer on a sequence of tokens.
    static func linear(_ graph: String, tokens: Int, from inputs: Int, to outputs: Int) -> Layer {
        Layer(
            graph: graph, description: "linear \(inputs)→\(outputs), \(tokens) tokens",
            node: Node(operatorName: "MatMul", inputs: ["input", "weight"], outputs: ["output"]),
            inputShape: [tokens, inputs], weightShape: [inputs, outputs], outputShape: [tokens, outputs], rows: tokens,
            columns: outputs, inner: inputs)
    }

    /// A square convolution whose padding keeps `side / stride`.
    static func convolution(
        _ graph: String, side: Int, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1
    ) -> Layer {
        let padding = Int64(dilation * (kernel / 2))
        let output = (side - 1) / stride + 1
        let details = [stride > 1 ? "stride \(stride)" : nil, dilation > 1 ? "dilation \(dilation)" : nil]
        let suffix = details.compactMap { $0 }.map { ", \($0)" }.joined()
        return Layer(
            graph: graph, description: "\(kernel)×\(kernel) \(inputs)→\(outputs) on \(side)²\(suffix)",
            node: Node(
                operatorName: "Conv", inputs: ["input", "weight"], outputs: ["output"],
                attributes: [
                    "pads": .ints(Array(repeating: padding, count: 4)),
                    "strides": .ints(Array(repeating: Int64(stride), count: 2)),
                    "dilations": .ints(Array(repeating: Int64(dilation), count: 2)),
                ]),
            inputShape: [1, inputs, side, side], weightShape: [outputs, inputs, kernel, kernel],
            outputShape: [1, outputs, output, output], rows: outputs, columns: output * output,
            inner: inputs * kernel * kernel)
    }

    /// The layer as a graph of its own, with random weights.
    func model() throws -> Model {
        func declaration(_ name: String, _ shape: [Int]) -> ValueDeclaration {
            ValueDeclaration(name: name, kind: .tensor(.float32, shape: shape.map { .fixed($0) }))
        }
        return Model(
            graph: Graph(
                nodes: [node], inputs: [declaration("input", inputShape)],
                outputs: [declaration("output", outputShape)],
                initializers: ["weight": try ConstantTensor(Self.random(weightShape))]))
    }

    /// Values between -1 and 1.
    static func random(_ shape: [Int]) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1) }, shape: shape)
    }

    /// Those in which the timed graphs spend most of their time.
    static let all: [Layer] = [
        .convolution("ResNet-50", side: 384, from: 3, to: 64, kernel: 7, stride: 2),
        .convolution("ResNet-50", side: 96, from: 64, to: 256, kernel: 1),
        .convolution("ResNet-50", side: 24, from: 256, to: 1024, kernel: 1),
        .convolution("ResNet-50", side: 24, from: 256, to: 256, kernel: 3),
        .convolution("ResNet-50", side: 24, from: 512, to: 512, kernel: 3, stride: 2),
        .convolution("ResNet-50", side: 12, from: 512, to: 512, kernel: 3),
        .convolution("DeepLabV3-ResNet-50", side: 65, from: 1024, to: 256, kernel: 1),
        .convolution("DeepLabV3-ResNet-50", side: 65, from: 256, to: 256, kernel: 3, dilation: 2),
        .convolution("DeepLabV3-ResNet-50", side: 65, from: 2048, to: 256, kernel: 3, dilation: 12),
        .convolution("DeepLabV3-ResNet-50", side: 65, from: 2048, to: 256, kernel: 3, dilation: 36),
        .convolution("DeepLabV3-MobileNetV3", side: 33, from: 160, to: 960, kernel: 1),
        .convolution("DeepLabV3-MobileNetV3", side: 33, from: 960, to: 256, kernel: 3, dilation: 24),
        .convolution("PSPNet-50", side: 60, from: 512, to: 2048, kernel: 1),
        .convolution("PSPNet-50", side: 60, from: 4096, to: 512, kernel: 3),
        .linear("SAM encoder", tokens: 4096, from: 768, to: 2304),
        .linear("SAM encoder", tokens: 4096, from: 768, to: 3072),
        .linear("SAM encoder", tokens: 4096, from: 3072, to: 768),
    ]
}
