import Foundation

/// A box as shares of the image's sides, with the number of decimals that its text has.
struct YOLOBox: Sendable, Hashable {
    let centerX: Double
    let centerY: Double
    let width: Double
    let height: Double
    /// Of the number with the most; nil for numbers with exponents.
    let decimals: Int?

    /// The edges. One that is a whole number up to what rounding to the text's decimals can do is that number.
    func edges(width imageWidth: Int, height imageHeight: Int) -> PixelBox {
        func edge(_ center: Double, _ side: Double, _ sign: Double, _ length: Int) -> Double {
            let edge = (center + sign * side / 2) * Double(length)
            // Half a unit of the last decimal in the centre and a quarter of one from half the side.
            let error = decimals.map { 0.75 * pow(10, -Double($0)) * Double(length) + 1e-9 * Double(length) } ?? 0
            return error < 0.5 && abs(edge - edge.rounded()) <= error ? edge.rounded() : edge
        }
        return PixelBox(
            left: edge(centerX, width, -1, imageWidth), top: edge(centerY, height, -1, imageHeight),
            right: edge(centerX, width, 1, imageWidth), bottom: edge(centerY, height, 1, imageHeight))
    }
}

/// YOLO: a text file for each image, of the image's stem, with a line `class cx cy w h` (and perhaps a confidence) for
/// each box.
enum YOLOBoxes {
    static func read(_ file: BoxFiles.File, classes: [String]) throws(BoxAnnotationError) -> BoxAnnotations.Image {
        var image = BoxAnnotations.Image(
            path: file.folders + [file.stem], isStem: true, width: nil, height: nil, boxes: [], file: file.path)
        let bytes: [UInt8]
        do throws(ImageError.Problem) {
            bytes = try FileBytes.read(file.url.path, limit: BoxFiles.maximumBytes)
        } catch .empty {
            return image
        } catch {
            throw .unreadable(file.url.path, reason: error.description)
        }
        let text = String(decoding: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard !fields.isEmpty else { continue }
            let place = "\(file.path)#\(number + 1)"
            guard fields.count == 5 || fields.count == 6 else {
                image.remarks.append("\(place): \(fields.count) fields, where a box has 5 (a polygon has more)")
                continue
            }
            let numbers = fields[1...4].map { Double($0) ?? .nan }
            let label = Int(fields[0]).flatMap { classes.indices.contains($0) ? classes[$0] : nil }
            let box = YOLOBox(
                centerX: numbers[0], centerY: numbers[1], width: numbers[2], height: numbers[3],
                decimals: decimals(fields[1...4]))
            image.boxes.append(.init(coordinates: .shares(box), label: label ?? String(fields[0]), place: place))
        }
        return image
    }

    /// Writers that leave trailing zeros out give some numbers fewer.
    private static func decimals(_ fields: ArraySlice<Substring>) -> Int? {
        guard fields.allSatisfy({ !$0.contains { "eExX".contains($0) } }) else { return nil }
        return fields.compactMap { field in
            field.firstIndex(of: ".").map { field.distance(from: $0, to: field.endIndex) - 1 }
        }.max()
    }
}
