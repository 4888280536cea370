import Foundation
import ONNXLoader

/// MelWeightMatrix (opset 17): how much each bin of a spectrum adds to each of overlapping triangular bands, which are
/// equally wide on the mel scale, `2595 · log₁₀(1 + f / 700)`.
///
/// Inputs are the number of bands, the length of the transform, the sample rate, and the lowest and the highest frequency;
/// the output is `[length / 2 + 1, bands]`.
struct MelWeightMatrix: Operator {
    private let elementType: ElementType

    init(_ node: inout NodeReader) throws { elementType = try node.elementType("output_datatype") ?? .float32 }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (bands, length) = (try inputs.integers(0), try inputs.integers(1))
        guard bands.count == 1, length.count == 1, bands[0] >= 0, length[0] >= 0 else {
            throw OperatorError("a spectrum of length \(length) has no \(bands) bands")
        }
        return [ValueType(elementType, [length[0] / 2 + 1, bands[0]])]
    }

    func run(_ step: inout Step) throws {
        let type = ValueType(try step.output(0))
        let (bins, bands) = (type.shape[0], type.shape[1])
        let length = Double(try step.input(1).integers()[0])
        guard let rate = try step.input(2).integers().first, rate > 0,
            let lowest = try step.input(3).doubles().first, let highest = try step.input(4).doubles().first,
            lowest >= 0, highest >= lowest, highest.isFinite
        else { throw OperatorError("the sample rate or the range of frequencies is not sensible") }
        let weights = try step.context.budget.allocate(ValueType(.float64, type.shape))
        let elements = try weights.uncheckedMutableElements(of: Double.self)
        elements.fill(0..<elements.count, with: 0)
        let low = Self.mel(lowest)
        let distance = (Self.mel(highest) - low) / Double(bands + 2)
        /// The bin in which an edge of a band lies.
        func edge(_ index: Int) -> Int {
            let frequency = 700 * expm1((low + Double(index) * distance) / 2595 * log(10))
            return Int(Int64(saturating: ((length + 1) * frequency / Double(rate)).rounded(.down)))
        }
        for band in 0..<bands {
            let (left, centre, right) = (edge(band), edge(band + 1), edge(band + 2))
            func set(_ bin: Int, _ weight: Double) {
                if (0..<bins).contains(bin) { elements[bin * bands + band] = weight }
            }
            if left == centre { set(centre, 1) }
            for bin in left..<max(left, min(centre, bins)) { set(bin, Double(bin - left) / Double(centre - left)) }
            if left != centre { set(centre, 1) }
            for bin in centre..<max(centre, min(right, bins)) {
                set(bin, Double(right - bin) / Double(right - centre))
            }
        }
        try weights.convert(into: step.output(0))
    }

    private static func mel(_ frequency: Double) -> Double { 2595 * log1p(frequency / 700) / log(10) }
}
