import ONNXLoader

/// MaxRoiPool (opsets 1–22): the maxima of the bins of regions, whose corners are rounded to pixels (Girshick, Fast R-CNN,
/// 2015); 0 for a bin outside the image.
struct MaxRoiPool: FloatingOperator {
    private let height, width: Int
    private let scale: Double

    init(_ node: inout NodeReader) throws {
        let shape = try node.ints("pooled_shape")
        guard shape.count == 2, shape.allSatisfy({ $0 > 0 && $0 <= Int32.max }) else {
            throw OperatorError("attribute pooled_shape is \(shape), not a height and a width")
        }
        (height, width) = (shape[0], shape[1])
        scale = Double(try node.float("spatial_scale", or: 1))
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, regions) = (try inputs.required(0), try inputs.required(1))
        guard input.shape.count == 4, regions.shape.count == 2, regions.shape[1] == 5,
            regions.elementType == input.elementType
        else { throw OperatorError("regions \(regions.type) do not fit \(input.type)") }
        return [ValueType(input.elementType, [regions.shape[0], input.shape[1], height, width])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let regions = try step.elements(1, of: type)
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let (channels, rows, columns) = (input.shape[1], input.shape[2], input.shape[3])
        let context = step.context
        try step.parallel(regions.count / 5, grain: 1) { range in
            for region in range {
                let values = (0..<5).map { regions[region * 5 + $0].double }
                guard let image = Int(exactly: values[0]), image >= 0, image < input.shape[0] else {
                    throw OperatorError("region \(region) is of image \(values[0]), but there are \(input.shape[0])")
                }
                let xs = try Bins(from: values[1] * scale, to: values[3] * scale, count: width, size: columns)
                let ys = try Bins(from: values[2] * scale, to: values[4] * scale, count: height, size: rows)
                for channel in 0..<channels {
                    try context.checkpoint()
                    let plane = (image * channels + channel) * rows * columns
                    let target = (region * channels + channel) * height * width
                    for bin in 0..<height * width {
                        var largest: Element?
                        for y in ys[bin / width] {
                            for x in xs[bin % width] {
                                let value = source[plane + y * columns + x]
                                largest = largest.map { max($0, value) } ?? value
                            }
                        }
                        output[target + bin] = largest ?? 0
                    }
                }
            }
        }
    }

    /// The pixels of the bins between two corners, both inclusive, along one side of the image.
    private struct Bins {
        private let start: Int
        private let length: Double
        private let size: Int

        init(from first: Double, to last: Double, count: Int, size: Int) throws {
            guard let start = Int32(exactly: first.rounded()), let end = Int32(exactly: last.rounded()) else {
                throw OperatorError("a region from \(first) to \(last) is too large")
            }
            self.start = Int(start)
            length = Double(max(Int(end) - Int(start) + 1, 1)) / Double(count)
            self.size = size
        }

        subscript(bin: Int) -> Range<Int> {
            let lower = Int((Double(bin) * length).rounded(.down)) + start
            let upper = Int((Double(bin + 1) * length).rounded(.up)) + start
            let from = min(max(lower, 0), size)
            return from..<max(from, min(max(upper, 0), size))
        }
    }
}
