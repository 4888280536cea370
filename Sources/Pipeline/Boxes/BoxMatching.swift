import Foundation

/// Which boxes belong to which image file.
///
/// An annotation names an image by file name or, as YOLO does, by stem; where several files fit, the one that shares the
/// most folders, counted from the name upwards, is meant. What is not certain is reported and not used.
public struct BoxMatching: Sendable {
    /// For each image, in order, the annotation's boxes; nil when there are none for it.
    public private(set) var boxes: [BoxAnnotations.Image?]
    /// Annotations without an image, or whose image is not certain.
    public private(set) var unmatched: [String] = []

    public init(_ annotations: BoxAnnotations, images: [URL]) {
        boxes = Array(repeating: nil, count: images.count)
        let paths = images.map { $0.standardizedFileURL.pathComponents }
        let byName = Dictionary(grouping: images.indices) { images[$0].lastPathComponent }
        let byStem = Dictionary(grouping: images.indices) { images[$0].deletingPathExtension().lastPathComponent }
        var claims: [Int: [BoxAnnotations.Image]] = [:]
        for annotation in annotations.images {
            let name = annotation.path.last ?? ""
            let stem = annotation.isStem ? name : URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
            let found = (annotation.isStem ? byStem[stem] ?? byName[name] : byName[name] ?? byStem[stem]) ?? []
            let best = Self.closest(annotation, found, paths)
            switch best.count {
            case 0: unmatched.append("\(annotation.name): no such image was given")
            case 1: claims[best[0], default: []].append(annotation)
            default:
                let names = best.prefix(4).map { images[$0].path }.joined(separator: ", ")
                unmatched.append("\(annotation.name): several images have that name (\(names))")
            }
        }
        for (index, claimants) in claims.sorted(by: { $0.key < $1.key }) {
            // One file may list an image twice; two files are a contradiction unless one is closer.
            let best = Self.closest(claimants, paths[index])
            guard Set(best.map(\.file)).count == 1, var merged = best.first else {
                let files = best.prefix(4).map(\.file).joined(separator: ", ")
                unmatched.append("\(images[index].path): several files have boxes for it (\(files))")
                continue
            }
            for other in best.dropFirst() {
                merged.boxes += other.boxes
                merged.remarks += other.remarks
            }
            boxes[index] = merged
            for other in claimants where other.file != merged.file {
                unmatched.append("\(other.name): no such image was given")
            }
        }
    }

    private static func shared(_ annotation: BoxAnnotations.Image, _ path: [String]) -> Int {
        zip(annotation.path.dropLast().reversed(), path.dropLast().reversed()).prefix { $0 == $1 }.count
    }

    private static func closest(_ annotation: BoxAnnotations.Image, _ images: [Int], _ paths: [[String]]) -> [Int] {
        let counts = images.map { shared(annotation, paths[$0]) }
        let most = counts.max()
        return zip(images, counts).filter { $0.1 == most }.map(\.0)
    }

    private static func closest(_ annotations: [BoxAnnotations.Image], _ path: [String]) -> [BoxAnnotations.Image] {
        let counts = annotations.map { shared($0, path) }
        let most = counts.max()
        return zip(annotations, counts).filter { $0.1 == most }.map(\.0)
    }
}
