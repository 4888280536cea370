/// The one field of an Exif block that is needed: how the picture is turned.
enum Exif {
    /// The orientation in the first directory of a TIFF structure, as Exif 2.32 section 4.6 lays it out; nil when it is
    /// absent or the structure is broken.
    static func orientation(in block: [UInt8]) -> Orientation? {
        // WebP files from some writers repeat the signature that only JPEG needs.
        let signature: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
        let bytes = block.starts(with: signature) ? block.dropFirst(signature.count) : block[...]
        guard let isBigEndian = byteOrder(of: bytes) else { return nil }

        func number(at offset: Int, bytes count: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - count else { return nil }
            let field = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + count)]
            return isBigEndian
                ? field.reduce(0) { $0 << 8 | Int($1) } : field.reversed().reduce(0) { $0 << 8 | Int($1) }
        }

        guard number(at: 2, bytes: 2) == 42, let directory = number(at: 4, bytes: 4),
            let entries = number(at: directory, bytes: 2)
        else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = number(at: offset, bytes: 2) else { return nil }
            guard tag == 0x0112 else { continue }
            guard number(at: offset + 2, bytes: 2) == 3, number(at: offset + 4, bytes: 4) == 1 else { return nil }
            return number(at: offset + 8, bytes: 2).flatMap(Orientation.init)
        }
        return nil
    }

    private static func byteOrder(of bytes: ArraySlice<UInt8>) -> Bool? {
        if bytes.starts(with: [0x4D, 0x4D]) { return true }
        if bytes.starts(with: [0x49, 0x49]) { return false }
        return nil
    }
}
