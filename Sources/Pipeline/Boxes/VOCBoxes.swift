import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Pascal VOC: an XML file for each image, corners counted from 1, the last pixel included.
enum VOCBoxes {
    static let maximumBytes = 16 << 20

    /// - Throws: `BoxAnnotationError.unreadable`, also for a document type declaration: entities could grow without end,
    ///   and no annotation needs them.
    static func read(_ file: BoxFiles.File) throws(BoxAnnotationError) -> BoxAnnotations.Image {
        func refused(_ reason: String) -> BoxAnnotationError { .unreadable(file.url.path, reason: reason) }
        let bytes = try file.bytes()
        guard bytes.count <= maximumBytes else { throw refused("an annotation of \(bytes.count) bytes") }
        // In wider encodings the check for declarations would miss them.
        guard !bytes.contains(0) else { throw refused("the XML is not UTF-8 text") }
        guard !bytes.contains(subsequence: Array("<!DOCTYPE".utf8)),
            !bytes.contains(subsequence: Array("<!ENTITY".utf8))
        else { throw refused("the XML declares a document type or entities, which are not read") }

        let reader = VOCReader(place: file.path)
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        let isWhole = parser.parse()
        if let problem = reader.problem { throw refused(problem) }
        guard isWhole, reader.isComplete else { throw refused("there is no whole <annotation>") }
        let name = pathComponents(reader.fileName).last
        return BoxAnnotations.Image(
            path: file.folders + [name ?? file.stem], isStem: name == nil, width: Int(reader.width),
            height: Int(reader.height), boxes: reader.boxes, remarks: reader.remarks, file: file.path)
    }
}

/// Collects an annotation's fields while its XML is parsed.
private final class VOCReader: NSObject, XMLParserDelegate {
    private static let maximumDepth = 32

    private let placeOfFile: String
    /// Whether the annotation has ended. A parser may be content with less.
    private(set) var isComplete = false
    private(set) var fileName = ""
    private(set) var width = ""
    private(set) var height = ""
    private(set) var boxes: [BoxAnnotations.Box] = []
    private(set) var remarks: [String] = []
    private(set) var problem: String?

    private var path: [String] = []
    private var text = ""
    private var objects = 0
    private var label: String?
    private var corners: [String: Double] = [:]

    init(place: String) { placeOfFile = place }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        path.append(element)
        text = ""
        if path.count > Self.maximumDepth {
            problem = "the XML is nested more than \(Self.maximumDepth) deep"
            parser.abortParsing()
        }
        if path == ["annotation", "object"] {
            objects += 1
            label = nil
            corners = [:]
        }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(_ parser: XMLParser, foundCDATA block: Data) { text += String(decoding: block, as: UTF8.self) }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
        switch path {
        case ["annotation"]: isComplete = true
        case ["annotation", "filename"]: fileName = value
        case ["annotation", "size", "width"]: width = value
        case ["annotation", "size", "height"]: height = value
        case ["annotation", "object", "name"]: label = value
        case ["annotation", "object"]: endObject()
        default:
            if path.dropLast() == ["annotation", "object", "bndbox"] { corners[element] = Double(value) ?? .nan }
        }
        path.removeLast()
        text = ""
    }

    func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) {
        problem = problem ?? "the XML is damaged in line \(parser.lineNumber)"
    }

    private func endObject() {
        let place = "\(placeOfFile)#\(objects)"
        guard let left = corners["xmin"], let top = corners["ymin"], let right = corners["xmax"],
            let bottom = corners["ymax"]
        else {
            remarks.append("\(place): there is no bndbox of xmin, ymin, xmax and ymax")
            return
        }
        boxes.append(.init(coordinates: .pixels(Self.edges(left, top, right, bottom)), label: label, place: place))
    }

    /// Both corner pixels belong to the box, whichever is named first.
    private static func edges(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> PixelBox {
        PixelBox(
            left: x0 <= x1 ? x0 - 1 : x0, top: y0 <= y1 ? y0 - 1 : y0, right: x0 <= x1 ? x1 : x1 - 1,
            bottom: y0 <= y1 ? y1 : y1 - 1)
    }
}
