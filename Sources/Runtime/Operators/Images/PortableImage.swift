/// The portable bitmaps, greymaps and pixmaps of Netpbm, P1 to P6, with samples of up to 16 bits.
struct PortableImage {
    private let kind: UInt8
    private let width, height, largest: Int
    private let bytes: Elements<UInt8>
    /// Where the samples start.
    private let position: Int

    /// Nil when the header breaks the format's rules.
    init?(_ bytes: Elements<UInt8>) {
        guard bytes.count > 2, (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[1]) else { return nil }
        var position = 2
        kind = bytes[1] - UInt8(ascii: "0")
        self.bytes = bytes
        guard let width = Self.number(bytes, &position), let height = Self.number(bytes, &position), width > 0,
            height > 0
        else { return nil }
        (self.width, self.height) = (width, height)
        largest = kind == 1 || kind == 4 ? 1 : Self.number(bytes, &position) ?? 0
        guard (1...65535).contains(largest) else { return nil }
        // One white space ends the header.
        self.position = position + 1
    }

    private var samplesPerPixel: Int { kind == 3 || kind == 6 ? 3 : 1 }

    /// The next number after white space and comments; nil when there is none below 2³¹.
    private static func number(_ bytes: Elements<UInt8>, _ position: inout Int) -> Int? {
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "#") {
                while position < bytes.count, bytes[position] != 10 { position += 1 }
            } else if bytes[position] > 32 {
                break
            }
            position += 1
        }
        var value: Int?
        while position < bytes.count, case let digit = Int(bytes[position]) - 48, (0...9).contains(digit) {
            value = (value ?? 0) * 10 + digit
            position += 1
            guard value! <= Int32.max else { return nil }
        }
        return value
    }

    /// Nil when the samples are not all there.
    func pixels(budget: MemoryBudget) throws -> Tensor? {
        let image = try EncodedImage.allocate(width: width, height: height, budget: budget)
        let target = try image.uncheckedMutableElements(of: UInt8.self)
        var position = position
        for pixel in 0..<width * height {
            for channel in 0..<3 {
                if channel >= samplesPerPixel {
                    target[pixel * 3 + channel] = target[pixel * 3]
                } else {
                    guard let sample = sample(&position, column: pixel % width), sample <= largest else { return nil }
                    target[pixel * 3 + channel] = UInt8((sample * 255 + largest / 2) / largest)
                }
            }
        }
        return image
    }

    /// The next sample; 1 is black in a bitmap.
    private func sample(_ position: inout Int, column: Int) -> Int? {
        switch kind {
        case 1:
            while position < bytes.count, bytes[position] <= 32 { position += 1 }
            guard position < bytes.count, bytes[position] == 48 || bytes[position] == 49 else { return nil }
            position += 1
            return 49 - Int(bytes[position - 1])
        case 2, 3: return Self.number(bytes, &position)
        case 4:
            guard position < bytes.count else { return nil }
            let bit = Int(bytes[position] >> UInt8(7 - column % 8)) & 1
            if column % 8 == 7 || column == width - 1 { position += 1 }
            return 1 - bit
        default:
            let byteCount = largest > 255 ? 2 : 1
            guard position + byteCount <= bytes.count else { return nil }
            defer { position += byteCount }
            return byteCount == 1 ? Int(bytes[position]) : Int(bytes[position]) << 8 | Int(bytes[position + 1])
        }
    }
}
