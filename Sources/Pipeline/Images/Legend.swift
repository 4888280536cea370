/// A bar of all colours from 0 to 1 with its numbers, as wide as the picture above it.
struct Legend {
    /// Pixels of a picture's shorter side below which a legend would be larger than what it explains.
    static let smallestSide = 64

    let width: Int
    let height: Int
    /// Pixels of a letter's dot.
    private let dot: Int
    private let title: String
    private var pixels: [UInt8]

    /// - Returns: nil where the picture is too small for one.
    init?(below image: RGBImage, title: String) {
        guard min(image.width, image.height) >= Self.smallestSide else { return nil }
        dot = max(1, min(image.width, image.height) / 320)
        width = image.width
        let fits = BitmapFont.width(of: title) * dot <= image.width - 2 * Self.margin * dot
        self.title = fits ? title.uppercased() : ""
        let titleHeight = self.title.isEmpty ? 0 : BitmapFont.height + Self.gap
        height = dot * (2 * Self.margin + titleHeight + Self.barHeight + Self.gap + BitmapFont.height)
        pixels = [UInt8](repeating: 16, count: 3 * width * height)
    }

    // In dots.
    private static let margin = 4
    private static let gap = 3
    private static let barHeight = 8

    /// Interleaved pixels, rows from the top.
    consuming func drawn() -> [UInt8] {
        let left = Self.margin * dot
        let barWidth = width - 2 * left
        var top = Self.margin * dot
        if !title.isEmpty {
            write(title, x: left, y: top)
            top += (BitmapFont.height + Self.gap) * dot
        }
        for x in 0..<barWidth {
            let (red, green, blue) = ColorMap.color(Float(x) / Float(max(barWidth - 1, 1)))
            for y in top..<(top + Self.barHeight * dot) { set(left + x, y, red, green, blue) }
        }
        top += (Self.barHeight + Self.gap) * dot
        for (label, part) in [("0", 0.0), ("0.5", 0.5), ("1", 1.0)] {
            let labelWidth = BitmapFont.width(of: label) * dot
            write(label, x: left + Int(part * Double(barWidth - labelWidth)), y: top)
        }
        return pixels
    }

    private mutating func write(_ text: String, x: Int, y: Int) {
        for (position, letter) in text.enumerated() {
            for (row, dots) in BitmapFont.rows(of: letter).enumerated() {
                for column in 0..<BitmapFont.width where dots & (16 >> UInt8(column)) != 0 {
                    fill(x: x + (position * BitmapFont.advance + column) * dot, y: y + row * dot)
                }
            }
        }
    }

    private mutating func fill(x: Int, y: Int) {
        for row in y..<(y + dot) {
            for column in x..<(x + dot) { set(column, row, 235, 235, 235) }
        }
    }

    private mutating func set(_ x: Int, _ y: Int, _ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        guard x >= 0, x < width, y >= 0, y < height else { return }
        let index = 3 * (y * width + x)
        pixels[index] = red
        pixels[index + 1] = green
        pixels[index + 2] = blue
    }
}
