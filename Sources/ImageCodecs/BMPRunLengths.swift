/// Run-length encoded rows of a bitmap: pairs of a count and one index (RLE8) or two alternating ones (RLE4); a count of
/// zero starts a stretch of plain indices or ends a row, the picture, or skips.
struct BMPRunLengths {
    private let bytes: [UInt8]
    private let header: BMPHeader
    private var indices: [UInt8]
    private var position: Int
    private var x = 0
    /// Rows in the order of the file.
    private var row = 0

    init(_ bytes: [UInt8], _ header: BMPHeader) {
        self.bytes = bytes
        self.header = header
        position = header.dataOffset
        // Pixels that the file skips have the palette's first colour.
        indices = [UInt8](repeating: 0, count: header.width * header.height)
    }

    consuming func pixels() throws(BMPFile.Problem) -> [UInt8] {
        try readAll()
        let indices = indices
        let header = header
        var pixels = [UInt8]()
        pixels.reserveCapacity(3 * indices.count)
        for y in 0..<header.height {
            let start = (header.isTopDown ? y : header.height - 1 - y) * header.width
            for index in indices[start..<(start + header.width)] {
                let (red, green, blue) = header.color(Int(index))
                pixels.append(red)
                pixels.append(green)
                pixels.append(blue)
            }
        }
        return pixels
    }

    private mutating func readAll() throws(BMPFile.Problem) {
        while !(row >= header.height || (row == header.height - 1 && x >= header.width && position == bytes.count)) {
            let count = Int(try next())
            let value = try next()
            if count > 0 {
                for index in 0..<count { put(half(of: value, index)) }
                continue
            }
            switch value {
            case 0:
                x = 0
                row += 1
            case 1:
                return
            case 2:
                x += Int(try next())
                row += Int(try next())
            default:
                try readPlain(Int(value))
            }
        }
    }

    private mutating func readPlain(_ count: Int) throws(BMPFile.Problem) {
        let isNibbles = header.compression == .runLengths4
        let byteCount = isNibbles ? (count + 1) / 2 : count
        var value: UInt8 = 0
        for index in 0..<count {
            if !isNibbles || index % 2 == 0 { value = try next() }
            put(half(of: value, index))
        }
        // Stretches are padded to an even number of bytes.
        if byteCount % 2 == 1 { _ = try next() }
    }

    private func half(of value: UInt8, _ index: Int) -> UInt8 {
        guard header.compression == .runLengths4 else { return value }
        return index % 2 == 0 ? value >> 4 : value & 15
    }

    private mutating func put(_ index: UInt8) {
        if x < header.width && row < header.height { indices[row * header.width + x] = index }
        x += 1
    }

    private mutating func next() throws(BMPFile.Problem) -> UInt8 {
        guard position < bytes.count else { throw .truncated(reason: "the rows are not all there") }
        defer { position += 1 }
        return bytes[position]
    }
}
