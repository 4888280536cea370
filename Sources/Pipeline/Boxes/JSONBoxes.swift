import Foundation

/// JSON as Python writes it: `NaN` and `Infinity` are read as such, and a value of an unexpected kind spoils no more than
/// itself.
enum LenientJSON {
    /// - Throws: `BoxAnnotationError.unreadable`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ file: BoxFiles.File) throws(BoxAnnotationError) -> Value
    {
        let bytes = try file.bytes()
        // A byte order mark is none of JSON's characters.
        let data = Data(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...])
        do {
            if let value = try? JSONDecoder().decode(type, from: data) { return value }
            let decoder = JSONDecoder()
            decoder.allowsJSON5 = true
            return try decoder.decode(type, from: data)
        } catch {
            throw .unreadable(file.url.path, reason: "the JSON is damaged, or not of this format (\(reason(error)))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .dataCorrupted(let context): context.debugDescription
        case .keyNotFound(let key, _): "there is no \(quoted(key.stringValue))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.map(\.stringValue).joined(separator: ".") + ": " + context.debugDescription
        default: "\(error)"
        }
    }
}

/// A value, or nil where something else stands.
struct Lenient<Value: Decodable & Sendable>: Decodable, Sendable {
    let value: Value?

    init(from decoder: any Decoder) throws {
        value = try? decoder.singleValueContainer().decode(Value.self)
    }
}

/// A number or a text, as identifiers are either.
private enum Identifier: Decodable, Hashable, Sendable {
    case number(Int)
    case text(String)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }
}

/// COCO's object detection format: one file for many images.
enum COCOBoxes {
    private struct Document: Decodable {
        let images: [Lenient<Picture>]
        let annotations: [Lenient<Annotation>]
        let categories: Lenient<[Lenient<Category>]>?
    }

    private struct Picture: Decodable, Sendable {
        let id: Identifier
        let fileName: String
        let width: Lenient<Int>?
        let height: Lenient<Int>?

        enum CodingKeys: String, CodingKey {
            case id, width, height
            case fileName = "file_name"
        }
    }

    private struct Annotation: Decodable, Sendable {
        let image: Identifier
        let bbox: Lenient<[Lenient<Double>]>?
        let category: Lenient<Identifier>?

        enum CodingKeys: String, CodingKey {
            case image = "image_id"
            case bbox
            case category = "category_id"
        }
    }

    private struct Category: Decodable, Sendable {
        let id: Identifier
        let name: String
    }

    /// - Returns: the images with their boxes, and what belongs to none.
    static func read(_ file: BoxFiles.File) throws(BoxAnnotationError) -> (
        images: [BoxAnnotations.Image], problems: [String]
    ) {
        let document = try LenientJSON.decode(Document.self, file)
        let names = Dictionary(
            (document.categories?.value ?? []).compactMap { $0.value.map { ($0.id, $0.name) } }
        ) { first, _ in first }
        var images: [BoxAnnotations.Image] = []
        var problems: [String] = []
        var indices: [Identifier: Int] = [:]
        for (number, entry) in document.images.enumerated() {
            guard let picture = entry.value, !picture.fileName.isEmpty else {
                problems.append("\(file.path): images[\(number)] has no id or no file_name")
                continue
            }
            guard indices[picture.id] == nil else {
                problems.append("\(file.path): several images have the id \(picture.id.text)")
                continue
            }
            indices[picture.id] = images.count
            images.append(
                .init(
                    path: pathComponents(picture.fileName), isStem: false, width: picture.width?.value,
                    height: picture.height?.value, boxes: [], file: file.path))
        }
        for (number, entry) in document.annotations.enumerated() {
            let place = "\(file.path)#\(number + 1)"
            guard let annotation = entry.value, let index = indices[annotation.image] else {
                problems.append("\(place): the annotation belongs to no image of the file")
                continue
            }
            guard let numbers = annotation.bbox?.value, numbers.count == 4 else {
                images[index].remarks.append("\(place): there is no bbox of four numbers")
                continue
            }
            let (x, y) = (numbers[0].value ?? .nan, numbers[1].value ?? .nan)
            let box = PixelBox(
                left: x, top: y, right: x + (numbers[2].value ?? .nan), bottom: y + (numbers[3].value ?? .nan))
            let category = annotation.category?.value
            images[index].boxes.append(
                .init(coordinates: .pixels(box), label: category.map { names[$0] ?? $0.text }, place: place))
        }
        return (images, problems)
    }
}

/// LabelMe: one JSON file for each image, shapes of which rectangles count.
enum LabelMeBoxes {
    private struct Document: Decodable {
        let shapes: [Lenient<Shape>]
        let imagePath: Lenient<String>?
        let imageWidth: Lenient<Int>?
        let imageHeight: Lenient<Int>?
    }

    private struct Shape: Decodable, Sendable {
        let kind: Lenient<String>?
        let label: Lenient<String>?
        let points: Lenient<[Lenient<[Lenient<Double>]>]>?

        enum CodingKeys: String, CodingKey {
            case kind = "shape_type"
            case label, points
        }
    }

    static func read(_ file: BoxFiles.File) throws(BoxAnnotationError) -> BoxAnnotations.Image {
        let document = try LenientJSON.decode(Document.self, file)
        let name = document.imagePath?.value.flatMap { pathComponents($0).last }
        var image = BoxAnnotations.Image(
            path: file.folders + [name ?? file.stem], isStem: name == nil, width: document.imageWidth?.value,
            height: document.imageHeight?.value, boxes: [], file: file.path)
        for (number, entry) in document.shapes.enumerated() {
            let place = "\(file.path)#\(number + 1)"
            let kind = entry.value?.kind?.value ?? "polygon"
            guard let shape = entry.value, kind == "rectangle" else {
                image.remarks.append("\(place): a \(kind), not a rectangle")
                continue
            }
            let points = shape.points?.value ?? []
            let numbers = points.map { ($0.value ?? []).map { $0.value ?? .nan } }
            // Two opposite corners, or all four.
            guard [2, 4].contains(points.count), numbers.allSatisfy({ $0.count == 2 }) else {
                image.remarks.append("\(place): a rectangle without two points of two numbers")
                continue
            }
            let (xs, ys) = (numbers.map { $0[0] }, numbers.map { $0[1] })
            let isOdd = (xs + ys).contains { !$0.isFinite }
            let box = PixelBox(
                left: isOdd ? .nan : xs.min() ?? .nan, top: ys.min() ?? .nan, right: xs.max() ?? .nan,
                bottom: ys.max() ?? .nan)
            image.boxes.append(.init(coordinates: .pixels(box), label: shape.label?.value, place: place))
        }
        return image
    }
}

/// The folders and the name of a path that any system wrote.
func pathComponents(_ path: String) -> [String] {
    path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).map(String.init).filter { $0 != "." && $0 != ".." }
}
