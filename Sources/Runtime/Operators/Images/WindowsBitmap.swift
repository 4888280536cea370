import ONNXLoader

/// Bitmaps of Microsoft's BITMAPFILEHEADER with uncompressed pixels of 8 (indexed), 24 or 32 bits.
struct WindowsBitmap {
    private let bytes: Elements<UInt8>
    private let width, height, bits, start, colors: Int
    private let isTopDown: Bool

    /// Nil when the header breaks the format's rules, or pixels are missing.
    /// - Throws: `OperatorError` for a kind that is not read.
    init?(_ bytes: Elements<UInt8>) throws {
        func number(_ offset: Int, bytes count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        guard bytes.count >= 54, case let headerBytes = number(14, bytes: 4), headerBytes >= 40,
            headerBytes <= 1 << 16
        else { return nil }
        let rows = Int(Int32(truncatingIfNeeded: number(22, bytes: 4)))
        (width, height) = (Int(Int32(truncatingIfNeeded: number(18, bytes: 4))), abs(rows))
        isTopDown = rows < 0
        bits = number(28, bytes: 2)
        start = number(10, bytes: 4)
        colors = 14 + headerBytes
        let compression = number(30, bytes: 4)
        guard [8, 24, 32].contains(bits), compression == 0 else {
            throw OperatorError("BMP images of \(bits) bits with compression \(compression) are not read")
        }
        self.bytes = bytes
        guard width > 0, height > 0, start <= bytes.count, height <= (bytes.count - start) / rowBytes,
            bits > 8 || colors + 4 * 256 <= bytes.count
        else { return nil }
    }

    /// Rows are filled up to a multiple of four bytes.
    private var rowBytes: Int { (width * bits + 31) / 32 * 4 }

    func pixels(budget: MemoryBudget) throws -> Tensor {
        let image = try EncodedImage.allocate(width: width, height: height, budget: budget)
        let target = try image.uncheckedMutableElements(of: UInt8.self)
        for row in 0..<height {
            let source = start + (isTopDown ? row : height - 1 - row) * rowBytes
            for column in 0..<width {
                let place =
                    bits == 8 ? colors + 4 * Int(bytes[source + column]) : source + column * (bits / 8)
                // Blue comes first.
                for channel in 0..<3 { target[(row * width + column) * 3 + channel] = bytes[place + 2 - channel] }
            }
        }
        return image
    }
}
