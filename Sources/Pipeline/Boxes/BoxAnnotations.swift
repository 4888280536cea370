import Foundation

/// Boxes that people drew on images, from any of the usual annotation formats.
///
/// All formats come to the same edges (`PixelBox`):
///
/// | format | box | edges in pixels |
/// |---|---|---|
/// | COCO | `bbox: [x, y, w, h]` | `x`, `y`, `x + w`, `y + h` |
/// | VOC | `xmin … ymax`, counted from 1, last pixel included | `xmin − 1`, `ymin − 1`, `xmax`, `ymax` |
/// | YOLO | `cx cy w h` as shares of the image | `(cx ∓ w/2) · W`, `(cy ∓ h/2) · H` |
/// | LabelMe | two corners | the corners |
///
/// A YOLO edge that is a whole number of pixels up to the rounding of its decimals is that number.
public struct BoxAnnotations: Sendable {
    public enum Format: String, Sendable, Hashable, CaseIterable { case coco, voc, yolo, labelme }

    /// A box as its file has it.
    public struct Box: Sendable, Hashable {
        enum Coordinates: Sendable, Hashable {
            case pixels(PixelBox)
            case shares(YOLOBox)
        }

        let coordinates: Coordinates
        /// The class's name; of YOLO files its number, when no `classes.txt` names it.
        public let label: String?
        /// Where the box stands, such as `a.json#3`.
        public let place: String

        /// The edges in pixels of an image of that size.
        public func edges(width: Int, height: Int) -> PixelBox {
            switch coordinates {
            case .pixels(let box): box
            case .shares(let box): box.edges(width: width, height: height)
            }
        }
    }

    /// The boxes of one image.
    public struct Image: Sendable, Hashable {
        /// The image's folders and name as the annotation has them; without extension when `isStem`.
        public let path: [String]
        /// Whether the annotation's own name, and not a name written in it, says which image is meant.
        public let isStem: Bool
        /// The image's size as the annotation has it, when it does.
        public let width: Int?
        public let height: Int?
        public var boxes: [Box]
        /// What in the annotation is no box, and why.
        public var remarks: [String] = []
        /// The file that the boxes come from.
        public let file: String

        /// The image's name for messages.
        public var name: String { path.joined(separator: "/") }
    }

    public let format: Format
    /// In the order of the files; of COCO in that of its list.
    public let images: [Image]
    /// Files and entries that cannot be read, with the reason.
    public let problems: [String]

    /// Reads a file of boxes, or all in a folder and in the folders inside it.
    ///
    /// - Parameter format: nil to find it out from names and contents.
    /// - Throws: `BoxAnnotationError` when nothing can be read.
    public init(_ url: URL, format: Format? = nil) throws {
        let files = try BoxFiles(url, format: format)
        self.format = files.format
        var images: [Image] = []
        var problems: [String] = []
        for file in files.files {
            do throws(BoxAnnotationError) {
                switch files.format {
                case .coco:
                    let (found, odd) = try COCOBoxes.read(file)
                    images += found
                    problems += odd
                case .voc: images.append(try VOCBoxes.read(file))
                case .yolo: images.append(try YOLOBoxes.read(file, classes: files.classes))
                case .labelme: images.append(try LabelMeBoxes.read(file))
                }
            } catch {
                guard files.files.count > 1 else { throw error }
                problems.append(error.description)
            }
        }
        guard !images.isEmpty else {
            throw BoxAnnotationError.noImages(url.path, files.format, problems: Array(problems.prefix(5)))
        }
        self.images = images
        self.problems = problems
    }
}

/// Why boxes cannot be read.
public enum BoxAnnotationError: Error, Sendable, Hashable, CustomStringConvertible {
    case notFound(String)
    /// No file of a known format; with what is there.
    case unknownFormat(String, found: [String])
    /// Files of several formats.
    case ambiguous(String, [BoxAnnotations.Format])
    case noImages(String, BoxAnnotations.Format, problems: [String])
    case unreadable(String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let path):
            "\(path): there is no such file or folder; check the name"
        case .unknownFormat(let path, let found):
            "\(path): no boxes in a known format (COCO or LabelMe JSON, VOC XML, YOLO txt)"
                + (found.isEmpty ? "; there are no files" : "; found \(found.joined(separator: ", "))")
                + ". Name the format with --format"
        case .ambiguous(let path, let formats):
            "\(path): boxes in several formats (\(formats.map(\.rawValue).joined(separator: ", "))); choose with --format"
        case .noImages(let path, let format, let problems):
            "\(path): no image in these \(format.rawValue) boxes"
                + (problems.isEmpty ? "" : ": " + problems.joined(separator: "; "))
        case .unreadable(let path, let reason):
            "\(path): these boxes cannot be read: \(reason)"
        }
    }
}
