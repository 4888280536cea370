import ONNXLoader
import Runtime

/// Makes a network's input from an image, and says where it lies on the image.
public struct InputPreparation: Sendable, Hashable {
    /// The side of a tile when neither the metadata nor the graph fixes one.
    private static let tileSide = 384

    /// The side of a tile for a graph that takes any multiple of a number.
    static func tileSide(multiple: Int) -> Int { (tileSide + multiple - 1) / multiple * multiple }

    /// The most pixels that an image may be resized to when only its shorter side is given.
    static let largestEnlargement = 4096 * 4096

    public let contract: InputContract
    public let elementType: ElementType
    /// Whether the input has a dimension for the batch.
    public let hasBatch: Bool

    /// - Parameter input: the graph's input; what it does not declare is `float` of rank 4.
    public init(_ contract: InputContract, input: ModelSignature.Value) {
        self.contract = contract
        elementType = input.elementType ?? .float32
        hasBatch = input.shape?.count != 3
    }

    /// The inputs that cover an image: one, or one for each tile (row by row).
    /// - Parameters:
    ///   - width: the image's width in pixels, at least 1.
    ///   - height: the image's height in pixels, at least 1.
    /// - Throws: `RasterError.badSize` for an image so narrow that its shorter side cannot be enlarged to the input's.
    public func placements(width: Int, height: Int) throws -> [InputPlacement] {
        let image = BoundingBox(x: 0, y: 0, width: width, height: height)
        switch (contract.resize, contract.size) {
        case (.stretch, .fixed(let inputHeight, let inputWidth)):
            return [
                .stretched(imageWidth: width, imageHeight: height, inputWidth: inputWidth, inputHeight: inputHeight)
            ]
        case (.stretch, .dynamic(let multiple)):
            return [
                .stretched(
                    imageWidth: width, imageHeight: height,
                    inputWidth: max(1, (width + multiple / 2) / multiple) * multiple,
                    inputHeight: max(1, (height + multiple / 2) / multiple) * multiple)
            ]
        case (.longestPad, .fixed(let inputHeight, let inputWidth)):
            let scale = min(Double(inputWidth) / Double(width), Double(inputHeight) / Double(height))
            return [
                InputPlacement(
                    source: image, contentWidth: Self.scaled(width, by: scale, atMost: inputWidth),
                    contentHeight: Self.scaled(height, by: scale, atMost: inputHeight), inputWidth: inputWidth,
                    inputHeight: inputHeight)
            ]
        case (.longestPad, .dynamic(let multiple)):
            return [
                InputPlacement(
                    source: image, contentWidth: width, contentHeight: height,
                    inputWidth: (width + multiple - 1) / multiple * multiple,
                    inputHeight: (height + multiple - 1) / multiple * multiple)
            ]
        case (.shortest, .fixed(let inputHeight, let inputWidth)):
            let (side, shorter) = (min(inputWidth, inputHeight), min(width, height))
            let scaledWidth = width * side / shorter
            let scaledHeight = height * side / shorter
            guard scaledWidth * scaledHeight <= Self.largestEnlargement else {
                throw RasterError.badSize(width: scaledWidth, height: scaledHeight)
            }
            return [
                .stretched(
                    imageWidth: width, imageHeight: height, inputWidth: scaledWidth, inputHeight: scaledHeight)
            ]
        case (.shortest, .dynamic(let multiple)), (.tile, .dynamic(let multiple)):
            let side = Self.tileSide(multiple: multiple)
            return Self.tiles(
                try Tiles(width: width, height: height, tileWidth: side, tileHeight: side, smallMultiple: multiple))
        case (.tile, .fixed(let inputHeight, let inputWidth)):
            return Self.tiles(
                try Tiles(
                    width: width, height: height, tileWidth: inputWidth, tileHeight: inputHeight, smallMultiple: nil))
        }
    }

    /// The input for one place: bilinear with antialias, normalised as the contract says, then padded.
    ///
    /// A tile that reaches beyond the image shows its reflection there.
    /// - Parameter padding: the value of padding in each channel, after normalising, in the order of the contract's color.
    /// - Throws: `RasterError`.
    public func tensor(_ image: RGBImage, _ placement: InputPlacement, padding: [Float] = [0, 0, 0]) throws -> Tensor {
        let source = placement.source
        var part = image
        if source.right > image.width || source.bottom > image.height {
            part = try part.reflected(width: max(source.right, image.width), height: max(source.bottom, image.height))
        }
        if source != BoundingBox(x: 0, y: 0, width: part.width, height: part.height) {
            part = try part.cropped(x: source.x, y: source.y, width: source.width, height: source.height)
        }
        let content = try part.resized(width: placement.contentWidth, height: placement.contentHeight)
        let tables = (0..<3).map { channel in
            (0..<256).map { normalised(Float($0) * contract.range.step + contract.range.zero, channel) }
        }
        var values = padded(placement, padding)
        let strides = strides(placement)
        values.withUnsafeMutableBufferPointer { values in
            content.pixels.withUnsafeBufferPointer { pixels in
                for channel in 0..<3 {
                    tables[channel].withUnsafeBufferPointer { table in
                        for y in 0..<content.height {
                            let to = channel * strides.channel + y * strides.row
                            let from = 3 * y * content.width + color(channel)
                            for x in 0..<content.width {
                                values[to + x * strides.column] = table[Int(pixels[from + 3 * x])]
                            }
                        }
                    }
                }
            }
        }
        return try tensor(values, placement)
    }

    /// The input made from error levels that were taken at the input's own size.
    ///
    /// - Parameters:
    ///   - planes: `3 * width * height` differences divided by 255: red, green and blue one after the other, each row-major. A
    ///     difference has no offset: `input.range` only sets its unit.
    ///   - width: columns of the input, or of the part of it that is not padding.
    ///   - height: rows of the same.
    /// - Throws: `TensorError.countMismatch` when the planes are of another size.
    public func tensor(errorLevels planes: [Float], width: Int, height: Int) throws -> Tensor {
        guard width > 0, height > 0, planes.count / 3 / width == height, planes.count == 3 * width * height else {
            throw TensorError.countMismatch(shape: [3, height, width], count: planes.count)
        }
        let placement = InputPlacement.stretched(
            imageWidth: width, imageHeight: height, inputWidth: width, inputHeight: height)
        let unit = contract.range.step * 255
        var values = padded(placement, [0, 0, 0])
        let strides = strides(placement)
        values.withUnsafeMutableBufferPointer { values in
            planes.withUnsafeBufferPointer { planes in
                for channel in 0..<3 {
                    for y in 0..<height {
                        let to = channel * strides.channel + y * strides.row
                        let from = (color(channel) * height + y) * width
                        for x in 0..<width {
                            values[to + x * strides.column] = normalised(planes[from + x] * unit, channel)
                        }
                    }
                }
            }
        }
        return try tensor(values, placement)
    }

    /// The place of an input's channel among red, green and blue.
    private func color(_ channel: Int) -> Int { contract.color == .rgb ? channel : 2 - channel }

    /// Elements from one channel, row or column of the input to the next.
    private func strides(_ placement: InputPlacement) -> (channel: Int, row: Int, column: Int) {
        switch contract.layout {
        case .channelsFirst: (placement.inputWidth * placement.inputHeight, placement.inputWidth, 1)
        case .channelsLast: (1, 3 * placement.inputWidth, 3)
        }
    }

    private func normalised(_ value: Float, _ channel: Int) -> Float {
        (value - contract.mean[channel]) / contract.std[channel]
    }

    private static func scaled(_ side: Int, by scale: Double, atMost limit: Int) -> Int {
        min(max(Int(Double(side) * scale + 0.5), 1), limit)
    }

    private static func tiles(_ tiles: Tiles) -> [InputPlacement] {
        let columns = owners(of: tiles.columns, side: tiles.tileWidth, in: tiles.width)
        let rows = owners(of: tiles.rows, side: tiles.tileHeight, in: tiles.height)
        return (0..<tiles.count).map { tile in
            let (x, y) = tiles.origin(of: tile)
            let column = columns[tile % columns.count]
            let row = rows[tile / columns.count]
            return InputPlacement(
                source: BoundingBox(x: x, y: y, width: tiles.tileWidth, height: tiles.tileHeight),
                contentWidth: tiles.tileWidth, contentHeight: tiles.tileHeight, inputWidth: tiles.tileWidth,
                inputHeight: tiles.tileHeight,
                owned: BoundingBox(x: column.lowerBound, y: row.lowerBound, width: column.count, height: row.count))
        }
    }

    /// What belongs to each tile of a row: half of every overlap.
    private static func owners(of origins: [Int], side: Int, in total: Int) -> [Range<Int>] {
        let seams = zip(origins, origins.dropFirst()).map { ($0 + side + $1) / 2 }
        return zip([0] + seams, seams + [total]).map { $0..<$1 }
    }

    /// The whole input filled with padding, in the order of the layout.
    private func padded(_ placement: InputPlacement, _ padding: [Float]) -> [Float] {
        let area = placement.inputWidth * placement.inputHeight
        switch contract.layout {
        case .channelsFirst: return padding.flatMap { [Float](repeating: $0, count: area) }
        case .channelsLast:
            guard padding.contains(where: { $0 != 0 }) else { return [Float](repeating: 0, count: 3 * area) }
            return (0..<3 * area).map { padding[$0 % 3] }
        }
    }

    private func tensor(_ values: [Float], _ placement: InputPlacement) throws -> Tensor {
        var shape = [placement.inputHeight, placement.inputWidth]
        shape.insert(3, at: contract.layout == .channelsFirst ? 0 : 2)
        if hasBatch { shape.insert(1, at: 0) }
        switch elementType {
        case .uint8: return try Tensor(values.map { $0 > 0 ? UInt8(min($0.rounded(), 255)) : 0 }, shape: shape)
        case .float16: return try Tensor(values.map { Float16($0) }, shape: shape)
        default: return try Tensor(values, shape: shape)
        }
    }
}
