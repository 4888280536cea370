import Foundation

/// A box as shares of the image's sides.
struct YOLOBox: Sendable, Hashable {
    /// A number as a text has it.
    struct Share: Sendable, Hashable {
        let value: Double
        /// How far rounding to the text's decimals may have moved it: half a unit of the last one. Numbers of less than
        /// four decimals were not rounded, nor were those with an exponent.
        let error: Double

        init(_ text: some StringProtocol) {
            value = Double(text) ?? .nan
            let decimals = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
            error = decimals < 4 || text.contains { "eExX".contains($0) } ? 0 : 0.5 * pow(10, -Double(decimals))
        }
    }

    let centerX: Share
    let centerY: Share
    let width: Share
    let height: Share

    /// The edges. One that is a whole number up to what rounding to the text's decimals can do is that number.
    func edges(width imageWidth: Int, height imageHeight: Int) -> PixelBox {
        func edge(_ center: Share, _ side: Share, _ sign: Double, _ length: Int) -> Double {
            let edge = (center.value + sign * side.value / 2) * Double(length)
            let error = (center.error + side.error / 2 + 1e-9) * Double(length)
            // Adding 0 makes 0 of its negative.
            return (error < 0.5 && abs(edge - edge.rounded()) <= error ? edge.rounded() : edge) + 0
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
            let label = Int(fields[0]).flatMap { classes.indices.contains($0) ? classes[$0] : nil }
            let box = YOLOBox(
                centerX: .init(fields[1]), centerY: .init(fields[2]), width: .init(fields[3]), height: .init(fields[4]))
            image.boxes.append(.init(coordinates: .shares(box), label: label ?? String(fields[0]), place: place))
        }
        return image
    }
}
