/// A Windows or OS/2 bitmap: 1, 2, 4, 8, 16, 24 and 32 bits, with bit fields, run-length encoded with 4 and 8 bits.
///
/// No library that every system has reads them. The layout is that of Microsoft's BITMAPFILEHEADER and
/// BITMAPINFOHEADER.
package struct BMPFile {
    /// Why a bitmap is not read.
    package enum Problem: Error, Hashable {
        case unsupported(reason: String)
        case corrupt(reason: String)
        case truncated(reason: String)
    }

    private let bytes: [UInt8]
    private let header: BMPHeader

    /// Reads the header: memory for the pixels is taken by `pixels()`.
    package init(_ bytes: [UInt8]) throws(Problem) {
        self.bytes = bytes
        header = try BMPHeader(bytes)
    }

    package var width: Int { header.width }
    package var height: Int { header.height }

    /// Red, green and blue of every pixel, rows from the top.
    package func pixels() throws(Problem) -> [UInt8] {
        switch header.compression {
        case .runLengths4, .runLengths8: return try BMPRunLengths(bytes, header).pixels()
        case .none, .bitFields:
            // Sides are below 2³¹: as a quotient, nothing can overflow.
            guard header.height <= (bytes.count - header.dataOffset) / header.rowBytes else {
                throw .truncated(reason: "the rows are not all there")
            }
            return header.bitsPerPixel <= 8 ? indexed() : direct()
        }
    }

    private func indexed() -> [UInt8] {
        let bits = header.bitsPerPixel
        let mask = (1 << bits) - 1
        return header.makePixels { x, row in
            let bit = x * bits
            let index = Int(bytes[row + bit / 8]) >> (8 - bits - bit % 8) & mask
            return header.color(index)
        }
    }

    private func direct() -> [UInt8] {
        let count = header.bitsPerPixel / 8
        if count == 3 {
            return header.makePixels { x, row in (bytes[row + 3 * x + 2], bytes[row + 3 * x + 1], bytes[row + 3 * x]) }
        }
        return header.makePixels { x, row in
            let start = row + count * x
            var value: UInt32 = 0
            for byte in 0..<count { value |= UInt32(bytes[start + byte]) << UInt32(8 * byte) }
            return (
                header.fields.red.value(in: value), header.fields.green.value(in: value),
                header.fields.blue.value(in: value)
            )
        }
    }
}

/// The first bytes of a bitmap file, checked.
struct BMPHeader {
    enum Compression: Int { case none = 0, runLengths8 = 1, runLengths4 = 2, bitFields = 3 }

    let width: Int
    let height: Int
    let isTopDown: Bool
    let bitsPerPixel: Int
    let compression: Compression
    let palette: [(red: UInt8, green: UInt8, blue: UInt8)]
    let fields: (red: BitField, green: BitField, blue: BitField)
    /// Where the rows start in the file.
    let dataOffset: Int
    /// Bytes of a row in the file: a multiple of four.
    let rowBytes: Int

    init(_ bytes: [UInt8]) throws(BMPFile.Problem) {
        func unsigned(_ offset: Int, _ count: Int) throws(BMPFile.Problem) -> Int {
            guard offset >= 0, offset <= bytes.count - count else {
                throw .truncated(reason: "the header is not all there")
            }
            return bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        func signed(_ offset: Int) throws(BMPFile.Problem) -> Int {
            Int(Int32(truncatingIfNeeded: try unsigned(offset, 4)))
        }

        let headerSize = try unsigned(14, 4)
        let isCore = headerSize == 12
        let storedHeight = isCore ? try unsigned(20, 2) : try signed(22)
        width = isCore ? try unsigned(18, 2) : try signed(18)
        height = abs(storedHeight)
        isTopDown = storedHeight < 0
        bitsPerPixel = try unsigned(isCore ? 24 : 28, 2)
        guard width > 0, height > 0 else { throw .corrupt(reason: "the picture has no pixels") }
        guard [1, 2, 4, 8, 16, 24, 32].contains(bitsPerPixel) else {
            throw .unsupported(reason: "\(bitsPerPixel) bits per pixel")
        }
        let method = headerSize >= 40 ? try unsigned(30, 4) : 0
        // 6 is bit fields with opacity, whose mask is not needed.
        guard let compression = Compression(rawValue: method == 6 ? 3 : method) else {
            throw .unsupported(reason: "compression method \(method)")
        }
        self.compression = compression
        let fitting: [Int] =
            switch compression {
            case .none: [1, 2, 4, 8, 16, 24, 32]
            case .runLengths8: [8]
            case .runLengths4: [4]
            case .bitFields: [16, 32]
            }
        guard fitting.contains(bitsPerPixel) else {
            throw .unsupported(reason: "compression method \(method) with \(bitsPerPixel) bits per pixel")
        }

        if compression == .bitFields {
            fields = (
                BitField(mask: UInt32(try unsigned(54, 4))), BitField(mask: UInt32(try unsigned(58, 4))),
                BitField(mask: UInt32(try unsigned(62, 4)))
            )
        } else if bitsPerPixel == 16 {
            fields = (BitField(mask: 0x7C00), BitField(mask: 0x03E0), BitField(mask: 0x001F))
        } else {
            fields = (BitField(mask: 0xFF0000), BitField(mask: 0xFF00), BitField(mask: 0xFF))
        }

        dataOffset = try unsigned(10, 4)
        let masksBytes = compression == .bitFields && headerSize == 40 ? (method == 6 ? 16 : 12) : 0
        let paletteOffset = 14 + headerSize + masksBytes
        guard dataOffset >= paletteOffset, dataOffset <= bytes.count else {
            throw .corrupt(reason: "the rows start outside the file")
        }
        var palette: [(red: UInt8, green: UInt8, blue: UInt8)] = []
        if bitsPerPixel <= 8 {
            let entryBytes = isCore ? 3 : 4
            let used = headerSize >= 40 ? try unsigned(46, 4) : 0
            let wanted = used == 0 ? 1 << bitsPerPixel : min(used, 1 << bitsPerPixel)
            for entry in 0..<min(wanted, (dataOffset - paletteOffset) / entryBytes) {
                let start = paletteOffset + entry * entryBytes
                palette.append((bytes[start + 2], bytes[start + 1], bytes[start]))
            }
        }
        self.palette = palette
        // Sides are below 2³¹ and pixels have at most 32 bits: no overflow.
        rowBytes = (width * bitsPerPixel + 31) / 32 * 4
    }

    /// The palette's color; black for an index that it does not have.
    func color(_ index: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        index < palette.count ? palette[index] : (0, 0, 0)
    }

    /// Interleaved pixels, rows from the top. `color` gets a column and where its row starts in the file.
    func makePixels(_ color: (_ x: Int, _ row: Int) -> (red: UInt8, green: UInt8, blue: UInt8)) -> [UInt8] {
        var pixels = [UInt8]()
        pixels.reserveCapacity(3 * width * height)
        for y in 0..<height {
            let row = dataOffset + (isTopDown ? y : height - 1 - y) * rowBytes
            for x in 0..<width {
                let (red, green, blue) = color(x, row)
                pixels.append(red)
                pixels.append(green)
                pixels.append(blue)
            }
        }
        return pixels
    }

    /// The bits of one channel inside a pixel.
    struct BitField {
        let mask: UInt32

        /// The channel's value stretched to 0...255, rounded; 0 for an empty mask.
        func value(in pixel: UInt32) -> UInt8 {
            guard mask != 0 else { return 0 }
            let shift = UInt32(mask.trailingZeroBitCount)
            let largest = UInt64(mask >> shift)
            let value = UInt64((pixel & mask) >> shift)
            return UInt8((value * 255 + largest / 2) / largest)
        }
    }
}
