import Foundation
import ONNXLoader
import Runtime

/// A network that gives a map of manipulated pixels by itself: BoxPromptIML's student, or any other of the role `student`.
///
/// The output is enlarged to the image, bilinear with half-pixel centres; logits are enlarged before the sigmoid is taken.
/// The image's probability is the map's maximum.
public struct Student: Sendable {
    public struct Result: Sendable {
        /// Of the image's size, values in 0 ... 1.
        public let map: FloatMap
        /// Of a manipulation anywhere in the image: the maximum of the map.
        public let probability: Double
    }

    public let contract: ModelContract
    private let inference: any Inference
    private let preparation: InputPreparation
    private let input: ModelSignature.Value
    private let outputName: String
    private let isLogit: Bool

    /// - Parameters:
    ///   - contract: of a `student`.
    ///   - inference: runs the model that the contract belongs to.
    /// - Throws: `ContractError.wrongSignature` for a model of another role.
    public init(_ contract: ModelContract, _ inference: any Inference) throws(ContractError) {
        guard contract.role == .student, let image = contract.input, let input = contract.imageInput,
            let output = contract.output, let result = contract.signature.outputs.first
        else {
            throw .wrongSignature(.student, found: "a \(contract.role.rawValue)", expected: "a model of role student")
        }
        self.contract = contract
        self.inference = inference
        self.input = input
        preparation = InputPreparation(image, input: input)
        outputName = result.name
        isLogit = output.kind == .logits
    }

    /// The map of an image of any size.
    ///
    /// - Parameter progress: called with the share of the tiles that are done.
    /// - Throws: `InferenceError` for an output that is no map of finite numbers, `RasterError`, or what the run throws.
    public func localize(
        _ image: RGBImage, progress: @Sendable (Double) -> Void = { _ in }
    ) throws -> Result {
        let placements = try preparation.placements(width: image.width, height: image.height)
        var values = [Float](repeating: 0, count: image.width * image.height)
        for (index, placement) in placements.enumerated() {
            let tensor = try preparation.tensor(image, placement)
            let output = try inference.values([outputName], of: [input.name: tensor])[0]
            try write(output, placement, into: &values, width: image.width)
            progress(Double(index + 1) / Double(placements.count))
        }
        let map = FloatMap(uncheckedWidth: image.width, height: image.height, values: values)
        return Result(map: map, probability: Double(values.max() ?? 0))
    }

    /// Enlarges one output to the pixels that it owns.
    private func write(_ output: Tensor, _ placement: InputPlacement, into map: inout [Float], width: Int) throws {
        let (outputWidth, outputHeight) = try size(of: output)
        let axes = placement.axes(outputWidth: outputWidth, outputHeight: outputHeight)
        let content = try output.withFloats(named: outputName) { values in
            (0..<axes.rows.sourceCount).flatMap { row in
                values[row * outputWidth..<row * outputWidth + axes.columns.sourceCount]
            }
        }
        guard content.allSatisfy(\.isFinite) else { throw unexpected(output) }
        let plane = InterpolatedPlane(values: content, columns: axes.columns, rows: axes.rows)
        let owned = placement.owned
        map.withUnsafeMutableBufferPointer { map in
            for row in 0..<owned.height {
                let start = (owned.y + row) * width + owned.x
                let line = UnsafeMutableBufferPointer(rebasing: map[start..<start + owned.width])
                plane.row(row, into: line)
                for x in 0..<line.count {
                    line[x] = isLogit ? 1 / (1 + exp(-line[x])) : min(max(line[x], 0), 1)
                }
            }
        }
    }

    /// Columns and rows of `[1, 1, h, w]`, `[1, h, w, 1]`, `[1, h, w]` or `[h, w]`.
    private func size(of output: Tensor) throws -> (width: Int, height: Int) {
        var sizes = output.shape
        while sizes.count > 2, sizes.first == 1 { sizes.removeFirst() }
        if sizes.count == 3, sizes.last == 1 { sizes.removeLast() }
        guard sizes.count == 2, sizes[0] > 0, sizes[1] > 0 else { throw unexpected(output) }
        return (sizes[1], sizes[0])
    }

    private func unexpected(_ output: Tensor) -> InferenceError {
        .unexpectedShape(
            value: outputName, shape: output.shape, expected: "one map [1, 1, h, w] of finite numbers")
    }
}
