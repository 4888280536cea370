/// The kinds of files that are read.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case tiff = "TIFF"
    case webp = "WebP"
    case bmp = "BMP"

    /// The format that a file's first bytes belong to, whatever its name; nil for none of them.
    public init?(firstBytes bytes: some Collection<UInt8>) {
        let start = Array(bytes.prefix(18))
        func has(_ signature: [UInt8], at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: signature) }

        if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if has([0x49, 0x49, 42, 0]) || has([0x4D, 0x4D, 0, 42]) || has([0x49, 0x49, 43, 0])
            || has([0x4D, 0x4D, 0, 43])
        {
            self = .tiff
        } else if has(Array("RIFF".utf8)), has(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if has(Array("BM".utf8)), start.count == 18, [12, 16, 40, 52, 56, 64, 108, 124].contains(start[14]),
            has([0, 0, 0], at: 15)
        {
            self = .bmp
        } else {
            return nil
        }
    }

    /// The name of a well-known format that is not read, so that an error can name it.
    package static func unreadName(firstBytes bytes: some Collection<UInt8>) -> String? {
        let start = Array(bytes.prefix(32))
        func has(_ text: String, at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: text.utf8) }

        if has("GIF8") { return "GIF" }
        if has("%PDF") { return "PDF" }
        if has("8BPS") { return "Photoshop" }
        if has("ftypavif", at: 4) { return "AVIF" }
        if ["heic", "heix", "hevc", "mif1", "msf1"].contains(where: { has("ftyp" + $0, at: 4) }) { return "HEIF" }
        if has("jP  ", at: 4) || start.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) { return "JPEG 2000" }
        if start.starts(with: [0xFF, 0x0A]) || has("JXL ", at: 4) { return "JPEG XL" }
        return nil
    }
}
