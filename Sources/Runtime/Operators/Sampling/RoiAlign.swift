import ONNXLoader

/// RoiAlign (opsets 10–22): for every region of an image a small image of fixed size, pooled from samples between the
/// pixels (He et al., Mask R-CNN, 2017).
struct RoiAlign: FloatingOperator {
    enum Mode: String, CaseIterable { case average = "avg", max }
    enum Coordinates: String, CaseIterable { case halfPixel = "half_pixel", outputHalfPixel = "output_half_pixel" }

    private let mode: Mode
    private let isHalfPixel: Bool
    private let height, width, samplingRatio: Int
    private let scale: Double

    /// Samples along one side of a bin beyond which a region is taken for a mistake.
    private static let mostSamples = 1 << 11

    init(_ node: inout NodeReader) throws {
        mode = try node.choice("mode", or: .average)
        isHalfPixel =
            node.opset < 16
            ? false : try node.choice("coordinate_transformation_mode", or: Coordinates.halfPixel) == .halfPixel
        height = try node.int("output_height", or: 1)
        width = try node.int("output_width", or: 1)
        samplingRatio = try node.int("sampling_ratio", or: 0)
        scale = Double(try node.float("spatial_scale", or: 1))
        guard height > 0, width > 0, samplingRatio <= Self.mostSamples else {
            throw OperatorError("a region of \(height)×\(width) bins with \(samplingRatio) samples cannot be pooled")
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let regions = try inputs.required(1)
        let images = try inputs.required(2)
        guard input.shape.count == 4, regions.shape.count == 2, regions.shape[1] == 4,
            images.shape == [regions.shape[0]],
            regions.elementType == input.elementType
        else { throw OperatorError("regions \(regions.type) of images \(images.type) do not fit \(input.type)") }
        return [ValueType(input.elementType, [regions.shape[0], input.shape[1], height, width])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let regions = try step.elements(1, of: type)
        let images = try step.input(2).indices(below: input.shape[0])
        let output = try step.mutableElements(0, of: type)
        let channels = input.shape[1]
        let (rows, columns) = (input.shape[2], input.shape[3])
        guard output.count > 0, rows > 0, columns > 0 else { return output.clear(0..<output.count) }
        let context = step.context
        try step.parallel(images.count, grain: 1) { range in
            for region in range {
                let bounds = (0..<4).map { regions[region * 4 + $0].double * scale - (isHalfPixel ? 0.5 : 0) }
                let xs = try samples(from: bounds[0], to: bounds[2], bins: width, size: columns)
                let ys = try samples(from: bounds[1], to: bounds[3], bins: height, size: rows)
                for channel in 0..<channels {
                    try context.checkpoint()
                    let plane = (images[region] * channels + channel) * rows * columns
                    for bin in 0..<height * width {
                        let pooled = pool(
                            source, plane: plane, columns: columns, ys.bin(bin / width), xs.bin(bin % width))
                        output[(region * channels + channel) * height * width + bin] = Element(pooled)
                    }
                }
            }
        }
    }

    /// Where one dimension is sampled: two neighbours with their weights; nil outside the image.
    private struct Samples {
        typealias Sample = (below: Int, above: Int, weightBelow: Double, weightAbove: Double)

        var perBin: Int
        var all: [Sample?] = []

        func bin(_ index: Int) -> ArraySlice<Sample?> { all[index * perBin..<(index + 1) * perBin] }
    }

    private func samples(from start: Double, to end: Double, bins: Int, size: Int) throws -> Samples {
        let extent = isHalfPixel ? end - start : max(end - start, 1)
        let binSize = extent / Double(bins)
        guard let wanted = samplingRatio > 0 ? samplingRatio : Int(exactly: binSize.rounded(.up)),
            wanted <= Self.mostSamples
        else { throw OperatorError("a region from \(start) to \(end) is too large") }
        var samples = Samples(perBin: max(0, wanted))
        for index in 0..<bins * samples.perBin {
            let position =
                start + Double(index / samples.perBin) * binSize
                + (Double(index % samples.perBin) + 0.5) * binSize / Double(samples.perBin)
            guard position >= -1, position <= Double(size) else {
                samples.all.append(nil)
                continue
            }
            let clamped = min(max(position, 0), Double(size - 1))
            let below = Int(clamped)
            samples.all.append(
                (below, min(below + 1, size - 1), 1 - (clamped - Double(below)), clamped - Double(below)))
        }
        return samples
    }

    private func pool<Element: FloatingElement>(
        _ source: Elements<Element>, plane: Int, columns: Int, _ ys: ArraySlice<Samples.Sample?>,
        _ xs: ArraySlice<Samples.Sample?>
    ) -> Double {
        var sum = 0.0
        var largest: Double?
        for y in ys {
            for x in xs {
                guard let y, let x else {
                    largest = max(largest ?? 0, 0)
                    continue
                }
                let corners = [
                    y.weightBelow * x.weightBelow * source[plane + y.below * columns + x.below].double,
                    y.weightBelow * x.weightAbove * source[plane + y.below * columns + x.above].double,
                    y.weightAbove * x.weightBelow * source[plane + y.above * columns + x.below].double,
                    y.weightAbove * x.weightAbove * source[plane + y.above * columns + x.above].double,
                ]
                sum += corners[0] + corners[1] + corners[2] + corners[3]
                let corner = max(max(corners[0], corners[1]), max(corners[2], corners[3]))
                largest = max(largest ?? corner, corner)
            }
        }
        return mode == .max ? largest ?? 0 : sum / Double(max(1, ys.count * xs.count))
    }
}
