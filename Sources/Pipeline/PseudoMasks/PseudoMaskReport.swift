import Foundation

/// What became of images and boxes, as JSON under field names that stay, and as a table with a row for each box.
public struct PseudoMaskReport: Codable, Sendable {
    public enum Status: String, Codable, Sendable {
        /// Image and mask are in the dataset.
        case done
        /// Boxes there were, but no pixel of a mask.
        case noMask = "no-mask"
        /// No box was given for the image.
        case noBoxes = "no-boxes"
        case failed
    }

    public struct Box: Codable, Sendable {
        /// Where the box stands in its file.
        public var place: String
        public var label: String?
        /// Left, top, width, height as drawn, in pixels of the stored image; nil when one is not a number.
        public var box: [Double]?
        public var problems: [PixelBox.Problem]
        /// The rest is nil for a box that cannot be used.
        public var predictedIoU: Double?
        public var stability: Double?
        /// Pixels of the mask.
        public var area: Int?
        /// The share of the mask inside the box.
        public var inside: Double?
        /// The share of the box that the mask covers.
        public var coverage: Double?
        public var flags: [BoxTeacher.Flag]
        /// Whether the box's mask is part of the image's.
        public var isUsed: Bool
    }

    public struct Image: Codable, Sendable {
        /// The file as it was named.
        public var image: String
        public var status: Status
        public var sha256: String?
        public var width: Int?
        public var height: Int?
        /// Paths in the dataset: the copy of the image, and its mask.
        public var output: String?
        public var mask: String?
        /// The share of the image that the mask covers.
        public var maskFraction: Double?
        public var boxes: [Box]
        /// What in the annotation is no box.
        public var remarks: [String]
        public var error: String?
        /// Of everything that the outputs depend on.
        var fingerprint: String?

        init(_ image: String, _ status: Status) {
            self.image = image
            self.status = status
            boxes = []
            remarks = []
        }

        /// Boxes whose masks are poor.
        public var poorBoxes: [Box] { boxes.filter { !$0.flags.isEmpty } }
    }

    public var boxes: String
    public var format: String
    public var thresholds: BoxTeacher.Thresholds
    public var dropsPoor: Bool
    public var images: [Image]
    /// Boxes without an image, with the reason.
    public var boxesWithoutImages: [String]
    /// Files and entries of boxes that cannot be read.
    public var problems: [String]
    public var models: [AnalysisReport.ModelUsed]
    public var version: String

    public func count(_ status: Status) -> Int { images.count { $0.status == status } }

    /// The table of boxes as CSV (RFC 4180): images without a box have a row too.
    public var table: String {
        let header = [
            "image", "status", "place", "label", "x", "y", "width", "height", "predicted_iou", "stability", "area",
            "inside", "coverage", "flags", "problems", "used",
        ]
        var rows = [header]
        for image in images {
            if image.boxes.isEmpty {
                rows.append([image.image, image.status.rawValue] + Array(repeating: "", count: header.count - 2))
            }
            for box in image.boxes {
                let sides = box.box ?? []
                func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
                rows.append(
                    [image.image, image.status.rawValue, box.place, box.label ?? ""]
                        + (0..<4).map { sides.indices.contains($0) ? "\(sides[$0])" : "" }
                        + [
                            number(box.predictedIoU), number(box.stability), box.area.map(String.init) ?? "",
                            number(box.inside), number(box.coverage),
                            box.flags.map(\.rawValue).joined(separator: " "),
                            box.problems.map(\.rawValue).joined(separator: ", "), box.isUsed ? "1" : "0",
                        ])
            }
        }
        return rows.map { $0.map(Self.field).joined(separator: ",") + "\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
