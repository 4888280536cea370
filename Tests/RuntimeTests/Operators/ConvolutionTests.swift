import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Every kernel against the definition in binary64, on random sizes, strides, dilations, groups and paddings; products by
/// the kernels of all instruction sets.
@Test(arguments: PlannedConvolution.Kernel.allCases, 0..<16 as Range<UInt64>)
func convolutionKernel(_ kernel: PlannedConvolution.Kernel, seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    try ConvolutionExample(&random, for: kernel).check(kernel)
}

/// Sizes at which a kernel goes another way: many tiles, columns and channels, few columns, columns as they lie, wide rows
/// of strided patches, sums in several parts.
@Test(arguments: [
    (PlannedConvolution.Kernel.winograd4, [3, 5], [88, 90], [3, 3]), (.winograd2, [4, 3], [50, 41], [3, 3]),
    (.winograd4, [40, 70], [9, 30], [3, 3]), (.winograd3, [270, 3], [4, 9], [3, 3]),
    (.winogradStrided, [40, 70], [17, 61], [3, 3]), (.winogradStrided, [270, 3], [9, 18], [3, 3]),
    (.winogradStrided, [3, 5], [176, 180], [3, 3]), (.winogradRows, [3, 64], [30, 190], [7, 7]),
    (.winogradRows, [2, 9], [50, 400], [5, 8]), (.winogradRows, [16, 7], [19, 33], [16, 6]),
    (.pointwise, [9, 70], [11, 13], [1, 1]),
    (.pointwise, [6, 80], [16, 16], [1, 1]), (.pointwise, [5, 7], [60, 90], [1, 1]),
    (.pointwise, [700, 66], [9, 30], [1, 1]), (.pointwise, [530, 5], [33, 33], [1, 1]),
    (.patches, [4, 90], [9, 11], [3, 3]), (.patches, [7, 9], [50, 60], [5, 3]),
    (.patches, [80, 6], [40, 61], [3, 3]),
    (.patches, [90, 70], [9, 13], [3, 3]), (.taps, [600, 4], [6, 7], [3, 3]), (.taps, [3, 6], [40, 500], [3, 2]),
])
func convolutionKernelAtSizes(
    _ kernel: PlannedConvolution.Kernel, channels: [Int], spatial: [Int], kernelSize: [Int]
) throws {
    var random = SplitMix64(state: 1)
    let least = kernel == .winogradRows ? 2 : kernel.winogradTile?.stride ?? 1
    for stride in least...(kernel == .patches ? 3 : least) {
        let sizes = ConvolutionExample.Sizes(
            batch: 1, groups: 1, inputs: channels[0], outputs: channels[1], kernel: kernelSize, dilations: [1, 1],
            strides: [stride, stride], pads: kernelSize == [1, 1] ? [0, 0, 0, 0] : [1, 1, 1, 1], spatial: spatial)
        try ConvolutionExample(&random, sizes).check(kernel)
    }
}

/// Depthwise planes that are cut into tiles, narrower than a vector, of fewer rows than a block, and of rows and columns that
/// are no whole number of blocks; kernels whose rows share inputs, and others.
@Test(arguments: [[1, 1], [2, 2], [1, 2], [2, 1], [3, 3]], [[1, 1], [2, 2], [3, 1], [18, 18]])
func depthwiseAtSizes(strides: [Int], dilations: [Int]) throws {
    var random = SplitMix64(state: 3)
    for side in [1, 2, 3, 5, 7] {
        for spatial in [[33, 33], [65, 130], [3, 5], [4, 9], [23, 700], [300, 8], [41, 2100]] {
            let pads = (0..<4).map { _ in Int.random(in: 0...dilations[0] * side / 2 + 1, using: &random) }
            guard zip(spatial, dilations).allSatisfy({ $0 > $1 * (side - 1) }) else { continue }
            let sizes = ConvolutionExample.Sizes(
                batch: 1, groups: 2, inputs: 1, outputs: 1, kernel: [side, side], dilations: dilations,
                strides: strides,
                pads: pads, spatial: spatial)
            try ConvolutionExample(&random, sizes).check(.depthwise)
        }
    }
}

/// Pointwise products whose tiles of columns are an odd number, the last of which two tasks compute, rows of each.
@Test(arguments: [[33, 33], [1, 1063]], [64, 101])
func pointwiseWithOddTile(spatial: [Int], outputs: Int) throws {
    var random = SplitMix64(state: UInt64(outputs))
    for (batch, groups) in [(1, 1), (2, 1), (1, 2)] {
        let sizes = ConvolutionExample.Sizes(
            batch: batch, groups: groups, inputs: 5, outputs: outputs, kernel: [1, 1], dilations: [1, 1],
            strides: [1, 1], pads: [0, 0, 0, 0], spatial: spatial)
        try ConvolutionExample(&random, sizes).check(.pointwise)
    }
}

/// Winograd's transforms with the work cut small: channels and tiles in several parts, of several sizes.
@Test(arguments: 0..<24 as Range<UInt64>)
func winogradInParts(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let kernel = [PlannedConvolution.Kernel.winograd2, .winograd3, .winograd4, .winogradStrided][Int(seed % 4)]
    let stride = kernel.winogradTile?.stride ?? 1
    let sizes = ConvolutionExample.Sizes(
        batch: Int.random(in: 1...2, using: &random), groups: Int.random(in: 1...2, using: &random),
        inputs: Int.random(in: 1...24, using: &random), outputs: Int.random(in: 1...20, using: &random),
        kernel: [3, 3],
        dilations: (0..<2).map { _ in stride == 1 ? [1, 1, 2, 5, 12].randomElement(using: &random) ?? 1 : 1 },
        strides: [stride, stride], pads: (0..<4).map { _ in Int.random(in: 0...4, using: &random) },
        spatial: (0..<2).map { _ in Int.random(in: 25...30, using: &random) })
    var cut = PlannedConvolution.WinogradSizes()
    cut.taskRows = Int.random(in: 1...10, using: &random)
    cut.taskDepth = Int.random(in: 1...12, using: &random)
    cut.leastTiles = Int.random(in: 1...60, using: &random)
    cut.sharedElements = 1
    cut.sharedTileElements = [1, 1 << 13, 1 << 21].randomElement(using: &random) ?? 1
    // Every other time a thread takes small blocks through all stages.
    (cut.smallWeights, cut.wantedBlocks) = (seed / 4 % 2 == 0 ? 0 : 1 << 18, 1)
    try ConvolutionExample(&random, sizes).check(kernel, cut)
}

/// Phases of every size, some of which are shorter than others; all together, and cut into blocks of few.
@Test(arguments: 1...7, 1...7)
func convolutionPhases(rows: Int, columns: Int) throws {
    var random = SplitMix64(state: UInt64(rows * 10 + columns))
    let dilations = (0..<2).map { _ in Int.random(in: 1...9, using: &random) }
    let spatial = zip([rows, columns], dilations).map { extent, dilation in
        extent == 1
            ? Int.random(in: 1...dilation, using: &random)
            : extent * dilation - Int.random(in: 0..<dilation, using: &random)
    }
    let sizes = ConvolutionExample.Sizes(
        batch: Int.random(in: 1...2, using: &random), groups: Int.random(in: 1...2, using: &random),
        inputs: Int.random(in: 1...9, using: &random), outputs: Int.random(in: 1...20, using: &random),
        kernel: [3, 3], dilations: dilations, strides: [1, 1], pads: dilations + dilations, spatial: spatial)
    var cut = PlannedConvolution.WinogradSizes()
    (cut.taskRows, cut.taskDepth, cut.sharedElements, cut.sharedTileElements) = (5, 4, 1, 1)
    let example = try ConvolutionExample(&random, sizes)
    try example.check(.phases)
    try example.check(.phases, cut)
}

/// Where something else than zeros surrounds a phase, or it is large, another kernel is chosen.
@Test(arguments: [
    ([12, 12], [12, 12, 12, 12], [33, 65], true), ([12, 24], [12, 24, 12, 24], [65, 33], true),
    ([12, 12], [12, 12, 12, 11], [33, 33], false), ([12, 12], [11, 12, 13, 12], [33, 33], false),
    ([12, 12], [12, 6, 12, 6], [33, 33], false), ([12, 12], [0, 0, 0, 0], [33, 33], false),
    ([12, 4], [12, 4, 12, 4], [33, 29], false),
])
func phasesWithZerosAround(dilations: [Int], pads: [Int], spatial: [Int], isSupported: Bool) throws {
    var random = SplitMix64(state: 1)
    let example = try ConvolutionExample(
        &random,
        .init(
            batch: 1, groups: 1, inputs: 16, outputs: 16, kernel: [3, 3], dilations: dilations, strides: [1, 1],
            pads: pads, spatial: spatial))
    let shape = try example.shape
    #expect(PlannedConvolution.supports(.phases, shape) == isSupported)
    #expect(isSupported || PlannedConvolution.best(for: shape) != .phases)
}

/// Taps that lie in the padding wherever the window is are left out; what is planned does the same as the definition.
@Test(arguments: [
    ([3, 3], [36, 36], [36, 36, 36, 36], [33, 33], [1, 1]), ([3, 3], [36, 12], [36, 12, 36, 12], [33, 33], [1, 3]),
    ([3, 3], [9, 9], [18, 9, 0, 9], [5, 20], [1, 3]), ([5], [7], [14, 14], [8], [3]),
    ([3, 2, 3], [1, 5, 9], [1, 5, 9, 1, 0, 9], [4, 5, 7], [3, 1, 1]),
    ([2], [1], [4, -3], [3], [2]),
    ([3, 3], [5, 5], [10, 10, 0, 0], [6, 6], [2, 2]),
])
func unseenTapsAreLeftOut(kernel: [Int], dilations: [Int], pads: [Int], spatial: [Int], kept: [Int]) throws {
    var random = SplitMix64(state: 1)
    let example = try ConvolutionExample(
        &random,
        .init(
            batch: 2, groups: 2, inputs: 3, outputs: 9, kernel: kernel, dilations: dilations,
            strides: Array(repeating: 1, count: kernel.count), pads: pads, spatial: spatial))
    #expect(try example.shape.window.seeingTaps.map(\.count) == kept)
    let expected = try example.run(kernel: nil, threads: 1, elementType: .float64)
    #expect(try difference(example.runPlanned(), expected) <= 1e-5)
}

/// A convolution with random operands.
private struct ConvolutionExample: CustomStringConvertible {
    let node: Node
    let input, weights, bias: Tensor
    let residual: Tensor
    let addsResidual: Bool
    let activation: ActivationKernel

    var description: String { "\(node.attributes) input \(input.shape) weights \(weights.shape)" }

    struct Sizes {
        var batch, groups: Int
        /// Channels of a group.
        var inputs, outputs: Int
        var kernel, dilations, strides, pads, spatial: [Int]
    }

    /// Of random sizes that a kernel takes.
    init(_ random: inout SplitMix64, for kernel: PlannedConvolution.Kernel) throws {
        let isTaps = kernel == .taps
        let (isPhases, isRows) = (kernel == .phases, kernel == .winogradRows)
        let isPlane = kernel.winogradTile != nil || isTaps || isPhases || isRows
        let rank = isPlane ? 2 : Int.random(in: 1...3, using: &random)
        func sizes(_ range: ClosedRange<Int>) -> [Int] { (0..<rank).map { _ in Int.random(in: range, using: &random) } }
        let isPointwise = kernel == .pointwise
        let isWinograd = kernel.winogradTile != nil || isPhases
        let isDepthwise = kernel == .depthwise
        let groups = isDepthwise ? Int.random(in: 1...12, using: &random) : Int.random(in: 1...3, using: &random)
        let inputsPerGroup = isDepthwise ? 1 : Int.random(in: 1...6, using: &random)
        let outputsPerGroup = Int.random(in: 1...(isDepthwise ? 2 : 18), using: &random)
        let kernelSize =
            isPointwise
            ? Array(repeating: 1, count: rank)
            : isWinograd ? [3, 3] : sizes(1...(isRows ? 8 : isDepthwise ? 5 : 4))
        let stride = kernel.winogradTile?.stride ?? 1
        let dilations =
            isPointwise || isRows || stride > 1
            ? Array(repeating: 1, count: rank) : sizes(1...(isTaps || isPhases ? 9 : 3))
        let strides =
            isPointwise || isWinograd || isTaps
            ? Array(repeating: stride, count: rank)
            : isRows ? [Int.random(in: 1...3, using: &random), 2] : sizes(1...3)
        let pads =
            isPointwise
            ? Array(repeating: 0, count: 2 * rank)
            : isPhases ? dilations + dilations : sizes(0...(isTaps ? 9 : 3)) + sizes(0...3)
        var spatial = (0..<rank).map { axis in
            (kernelSize[axis] - 1) * dilations[axis] + 1
                + Int.random(in: 0...(rank == 3 ? 3 : rank == 2 ? 14 : 80), using: &random)
        }
        if isPhases { spatial = dilations.map { Int.random(in: 1...7 * $0, using: &random) } }
        // Rows of several vectors, and of more than are computed at a time.
        if isDepthwise, rank < 3 {
            let most = [0, 40, rank == 1 ? 4000 : 1800].randomElement(using: &random) ?? 0
            spatial[rank - 1] += Int.random(in: 0...most, using: &random)
        }
        let batch = Int.random(in: 1...2, using: &random)
        try self.init(
            &random,
            Sizes(
                batch: batch, groups: groups, inputs: inputsPerGroup, outputs: outputsPerGroup, kernel: kernelSize,
                dilations: dilations, strides: strides, pads: pads, spatial: spatial))
    }

    init(_ random: inout SplitMix64, _ sizes: Sizes) throws {
        let ints: ([Int]) -> Attribute = { .ints($0.map(Int64.init)) }
        node = Node(
            operatorName: "Conv", inputs: ["x", "w", "b"], outputs: ["y"],
            attributes: [
                "group": .int(Int64(sizes.groups)), "kernel_shape": ints(sizes.kernel),
                "dilations": ints(sizes.dilations), "strides": ints(sizes.strides), "pads": ints(sizes.pads),
            ])
        input = try random.tensor([sizes.batch, sizes.groups * sizes.inputs] + sizes.spatial)
        // Sums of about the same size, however many products they have: some activations are bounded.
        let products = sizes.kernel.reduce(Float(sizes.inputs)) { $0 * Float($1) }
        let shape = [sizes.groups * sizes.outputs, sizes.inputs] + sizes.kernel
        weights = try Tensor(
            random.tensor(shape).array(of: Float.self).map { $0 / products.squareRoot() }, shape: shape)
        bias = try random.tensor([sizes.groups * sizes.outputs])
        activation =
            [.none, .relu, .clip(low: -0.5, high: 0.75), .hardSwish, .sigmoid].randomElement(using: &random) ?? .none
        var reader = NodeReader(node, opset: 17)
        let output = try Convolution(&reader).types(
            of: [ValueInfo(input), ValueInfo(weights), ValueInfo(bias)], arity: 1)
        residual = try random.tensor(output[0].shape)
        addsResidual = Bool.random(using: &random)
    }

    var shape: ConvolutionShape {
        get throws {
            var reader = NodeReader(node, opset: 17)
            return try Convolution(&reader).shape(ValueType(input), weights: ValueType(weights))
        }
    }

    func check(
        _ kernel: PlannedConvolution.Kernel, _ sizes: PlannedConvolution.WinogradSizes = .init()
    ) throws {
        let expected = try run(kernel: nil, threads: 1, elementType: .float64)
        for matrices in MatrixKernel.all {
            let result = try run(
                kernel: kernel, matrices: matrices, sizes, threads: 2, elementType: .float32)
            #expect(difference(result, expected) <= 1e-5, "\(self) \(matrices)")
            let single = try run(
                kernel: kernel, matrices: matrices, sizes, threads: 1, elementType: .float32, preparesWeights: true)
            #expect(
                try result.array(of: Float.self) == single.array(of: Float.self),
                "threads, or weights prepared at planning, change the result of \(matrices)")
        }
    }

    /// As planning does it.
    func runPlanned() throws -> Tensor {
        var reader = NodeReader(node, opset: 17)
        var convolution = try Convolution(&reader)
        convolution.addsResidual = addsResidual
        convolution.activation = activation
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let operands = [input, weights, bias] + (addsResidual ? [residual] : [])
        let type = ValueType(residual)
        let planned = try convolution.specialized(
            for: operands.map { ValueInfo($0) }, outputs: [type], context: context)
        return try planned.execute(operands, type, context)
    }

    /// - Parameter kernel: nil for the definition.
    func run(
        kernel: PlannedConvolution.Kernel?, matrices: MatrixKernel = .best,
        _ sizes: PlannedConvolution.WinogradSizes = .init(), threads: Int, elementType: ElementType,
        preparesWeights: Bool = false
    ) throws -> Tensor {
        var reader = NodeReader(node, opset: 17)
        var convolution = try Convolution(&reader)
        let operands = try [input, weights, bias].map { try $0.converted(to: elementType) }
        let context = RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil))
        let type = ValueType(elementType, residual.shape)
        guard let kernel else {
            let plain = try convolution.execute(operands, type, context)
            // Residual and activation by their own definitions.
            let sums = try zip(plain.array(of: Double.self), residual.array(of: Float.self)).map { sum, extra in
                activation.value(at: addsResidual ? sum + Double(extra) : sum)
            }
            return try Tensor(sums, shape: residual.shape)
        }
        convolution.addsResidual = addsResidual
        convolution.activation = activation
        let shape = try convolution.shape(ValueType(input), weights: ValueType(weights))
        var planned = PlannedConvolution(convolution, shape: shape, kernel: kernel)
        planned.matrices = matrices
        planned.winogradSizes = sizes
        if preparesWeights { try planned.prepare(weights, context) }
        return try planned.execute(operands + (addsResidual ? [residual] : []), type, context)
    }
}

/// Automatic padding by hand: three inputs, kernel of ones.
@Test(arguments: [
    Case(
        "Conv", opset: 11, ["auto_pad": .string(Array("SAME_UPPER".utf8)), "kernel_shape": .ints([2])],
        inputs: [[[[1, 2, 3]]], [[[1, 1]]]], outputs: [[[[3, 5, 3]]]], note: "pads after"),
    Case(
        "Conv", opset: 11, ["auto_pad": .string(Array("SAME_LOWER".utf8)), "kernel_shape": .ints([2])],
        inputs: [[[[1, 2, 3]]], [[[1, 1]]]], outputs: [[[[1, 3, 5]]]], note: "pads before"),
    Case(
        "Conv", opset: 11, ["auto_pad": .string(Array("VALID".utf8))],
        inputs: [[[[1, 2, 3]]], [[[1, 1]]]], outputs: [[[[3, 5]]]], note: "no padding"),
    Case(
        "Conv", opset: 11, ["pads": .ints([2, 0])],
        inputs: [[[[1, 2, 3]]], [[[1, 10]]], [100]], outputs: [[[[100, 110, 121, 132]]]], note: "asymmetric, with bias"),
    Case(
        "Conv", opset: 22, inputs: [.half([[[1, 2, 3]]]), .half([[[1, 1]]])], outputs: [.half([[[3, 5]]])],
        note: "half precision"),
])
func convolutionPadding(_ example: Case) throws { try example.check() }

/// Transposed convolution by hand: every input spreads its kernel over the output.
@Test(arguments: [
    Case(
        "ConvTranspose", opset: 11, ["strides": .ints([2])],
        inputs: [[[[1, 2]]], [[[1, 10, 100]]]], outputs: [[[[1, 10, 102, 20, 200]]]], note: "stride 2"),
    Case(
        "ConvTranspose", opset: 11, ["strides": .ints([2]), "pads": .ints([1, 1]), "output_padding": .ints([1])],
        inputs: [[[[1, 2]]], [[[1, 10, 100]]]], outputs: [[[[10, 102, 20, 200]]]], note: "padded"),
    Case(
        "ConvTranspose", opset: 11, ["group": .int(2)],
        inputs: [[[[1, 2], [3, 4]]], [[[1, 10]], [[1, 100]]], [0.5, 0]],
        outputs: [[[[1.5, 12.5, 20.5], [3, 304, 400]]]], note: "two groups, bias"),
    Case(
        "ConvTranspose", opset: 11, ["output_shape": .ints([4]), "strides": .ints([2])],
        inputs: [[[[1, 2]]], [[[1, 10, 100]]]], outputs: [[[[10, 102, 20, 200]]]], note: "given output shape"),
    Case(
        "ConvTranspose", opset: 11, ["dilations": .ints([2])],
        inputs: [.double([[[1, 2]]]), .double([[[1, 10]]])], outputs: [.double([[[1, 2, 10, 20]]])],
        note: "dilated, double"),
])
func transposedConvolution(_ example: Case) throws { try example.check() }
