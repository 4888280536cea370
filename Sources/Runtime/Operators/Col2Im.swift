/// Col2Im (opset 18): an image summed up from its blocks, which are columns; the transpose of taking the blocks.
struct Col2Im: NumericOperator {
    private let dilations, pads, strides: [Int]?

    init(_ node: inout NodeReader) throws {
        dilations = try node.optionalInts("dilations")
        pads = try node.optionalInts("pads")
        strides = try node.optionalInts("strides")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let image = try inputs.integers(1)
        let blocks = try Blocks(self, image: image, block: inputs.integers(2))
        let blockSize = try elementCount(of: blocks.block)
        guard input.shape.count == 3, input.shape[1] % blockSize == 0,
            input.shape[2] == (try elementCount(of: blocks.counts))
        else {
            throw OperatorError(
                "\(input.type) is not made of blocks \(blocks.block) at \(blocks.counts) places of an image \(image)")
        }
        return [ValueType(input.elementType, [input.shape[0], input.shape[1] / blockSize] + image)]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let output = try step.mutableElements(0, of: type)
        let columns = try step.elements(0, of: type)
        let image = try step.input(1).integers()
        let blocks = try Blocks(self, image: image, block: step.input(2).integers())
        let imageCount = image.reduce(1, *)
        guard output.count > 0 else { return }
        let blockCount = blocks.block.reduce(1, *)
        let placeCount = blocks.counts.reduce(1, *)
        try step.parallel(output.count / imageCount, grain: 1) { range in
            for plane in range {
                output.clear(plane * imageCount..<(plane + 1) * imageCount)
                for tap in 0..<blockCount {
                    let offsets = blocks.coordinates(of: tap, in: blocks.block)
                    let line = (plane * blockCount + tap) * placeCount
                    for place in 0..<placeCount {
                        guard let index = blocks.imageIndex(place: place, offsets: offsets) else { continue }
                        let target = plane * imageCount + index
                        output[target] = Element.wrappingSum(output[target], columns[line + place])
                    }
                }
            }
        }
    }

    /// The blocks of an image: their size, and how many there are along each dimension.
    private struct Blocks: Sendable {
        let image, block, counts: [Int]
        private let dilations, begins, strides: [Int]

        init(_ attributes: Col2Im, image: [Int], block: [Int]) throws {
            let rank = image.count
            let ones = Array(repeating: 1, count: rank)
            let dilations = attributes.dilations ?? ones
            let strides = attributes.strides ?? ones
            let pads = attributes.pads ?? Array(repeating: 0, count: 2 * rank)
            guard rank > 0, block.count == rank, dilations.count == rank, strides.count == rank,
                pads.count == 2 * rank, (block + dilations + strides).allSatisfy({ $0 > 0 && $0 <= Int32.max }),
                pads.allSatisfy({ $0 >= 0 && $0 <= Int32.max }), image.allSatisfy({ $0 >= 0 && $0 <= Int32.max })
            else {
                throw OperatorError(
                    "image \(image), block \(block), dilations \(dilations), pads \(pads), strides \(strides) do not fit"
                )
            }
            self.image = image
            self.block = block
            self.dilations = dilations
            self.strides = strides
            begins = Array(pads[..<rank])
            counts = try (0..<rank).map { axis in
                let extent = dilations[axis] * (block[axis] - 1) + 1
                let room = image[axis] + pads[axis] + pads[axis + rank] - extent
                guard room >= 0 else { throw OperatorError("a block of \(extent) does not fit image \(image)") }
                return room / strides[axis] + 1
            }
        }

        func coordinates(of index: Int, in sizes: [Int]) -> [Int] {
            var rest = index
            var coordinates = sizes
            for axis in sizes.indices.reversed() {
                coordinates[axis] = rest % sizes[axis]
                rest /= sizes[axis]
            }
            return coordinates
        }

        /// The element of the image that an offset in a block falls on; nil for the padding.
        func imageIndex(place: Int, offsets: [Int]) -> Int? {
            var rest = place
            var index = 0
            var stride = 1
            for axis in image.indices.reversed() {
                let coordinate =
                    rest % counts[axis] * strides[axis] + offsets[axis] * dilations[axis] - begins[axis]
                rest /= counts[axis]
                guard coordinate >= 0, coordinate < image[axis] else { return nil }
                index += coordinate * stride
                stride *= image[axis]
            }
            return index
        }
    }
}
