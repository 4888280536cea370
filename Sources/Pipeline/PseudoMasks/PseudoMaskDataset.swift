import Foundation

/// Turns images with boxes into a dataset: `Tp` has the images as they are, byte for byte, and `Gt` a mask of the same
/// stem for each, 255 inside and 0 outside.
///
/// `report.json` and `report.csv` say how good the masks are. What an earlier run finished with the same images, boxes,
/// models and options is not made again; what it made and this one does not is removed.
public struct PseudoMaskDataset: Sendable {
    public let folder: URL
    /// Whether poor masks are left out of an image's mask.
    public let dropsPoor: Bool
    private let teacher: BoxTeacher
    private let models: [AnalysisReport.ModelUsed]

    /// - Parameters:
    ///   - folder: is made when there is none.
    ///   - models: what the teacher consists of.
    public init(
        folder: URL, teacher: BoxTeacher, models: [AnalysisReport.ModelUsed], dropsPoor: Bool = false
    ) {
        self.folder = folder
        self.teacher = teacher
        self.models = models
        self.dropsPoor = dropsPoor
    }

    /// Makes the dataset. An image that fails is reported and does not keep the others from being made.
    ///
    /// - Parameters:
    ///   - annotations: the boxes.
    ///   - source: what reports call them.
    ///   - images: files; the order decides which of two with the same stem gets a number behind it.
    ///   - progress: called with an image's index and the share of it that is done; from any thread.
    ///   - finished: called after each image.
    /// - Throws: `ImageError` when the folder, the report or its journal cannot be written.
    public func make(
        _ annotations: BoxAnnotations, source: String, images: [URL],
        progress: @escaping @Sendable (Int, Double) -> Void = { _, _ in },
        finished: (Int, PseudoMaskReport.Image) -> Void = { _, _ in }
    ) throws -> PseudoMaskReport {
        let matching = BoxMatching(annotations, images: images)
        var journal = try PseudoMaskJournal(folder)
        var stems = FileStems()
        var entries: [PseudoMaskReport.Image] = []
        for (index, url) in images.enumerated() {
            let stem = stems.newStem(for: url.path)
            var entry = PseudoMaskReport.Image(url.path, .noBoxes)
            if let annotation = matching.boxes[index] {
                do {
                    entry = try self.entry(url, stem, annotation, journal) { progress(index, $0) }
                } catch {
                    entry.status = .failed
                    entry.remarks = annotation.remarks
                    // Errors of files begin with the file's name.
                    let text = "\(error)"
                    entry.error = text.hasPrefix(url.path + ": ") ? String(text.dropFirst(url.path.count + 2)) : text
                }
                try journal.add(entry)
            }
            entries.append(entry)
            finished(index, entry)
        }
        let report = PseudoMaskReport(
            boxes: source, format: annotations.format.rawValue, thresholds: teacher.thresholds, dropsPoor: dropsPoor,
            images: entries, boxesWithoutImages: matching.unmatched, problems: annotations.problems, models: models,
            version: Tamperscope.version)
        try journal.finish(report)
        return report
    }

    private func entry(
        _ url: URL, _ stem: String, _ annotation: BoxAnnotations.Image, _ journal: PseudoMaskJournal,
        _ progress: @escaping @Sendable (Double) -> Void
    ) throws -> PseudoMaskReport.Image {
        let bytes: [UInt8]
        do throws(ImageError.Problem) {
            bytes = try FileBytes.read(url.path, limit: ImageLimits().maximumFileBytes)
        } catch {
            throw ImageError(file: url.path, problem: error)
        }
        let suffix = url.pathExtension.isEmpty ? "" : "." + url.pathExtension
        let (output, mask) = ("Tp/\(stem)\(suffix)", "Gt/\(stem).png")
        let fingerprint = try self.fingerprint(bytes, output, annotation)
        if var earlier = journal.entry(fingerprint) {
            earlier.image = url.path
            return earlier
        }
        let file = try ImageFile.decode(bytes, name: url.path)
        var entry = PseudoMaskReport.Image(url.path, .noMask)
        entry.sha256 = file.sha256
        entry.width = file.image.width
        entry.height = file.image.height
        entry.fingerprint = fingerprint
        entry.remarks = annotation.remarks
        let union = try self.union(&entry, annotation, file, progress)
        guard !union.isEmpty else { return entry }
        try PNGWriter.write(union.binaryMask, to: folder.appendingPathComponent(mask).path)
        try FileBytes.write(folder.appendingPathComponent(output).path, contents: bytes)
        entry.status = .done
        entry.output = output
        entry.mask = mask
        entry.maskFraction = union.areaFraction
        return entry
    }

    /// Prompts the teacher with an image's boxes and enters what it made of them.
    private func union(
        _ entry: inout PseudoMaskReport.Image, _ annotation: BoxAnnotations.Image, _ file: ImageFile,
        _ progress: @escaping @Sendable (Double) -> Void
    ) throws -> Mask {
        let (width, height) = (file.image.width, file.image.height)
        var usable: [(index: Int, box: PixelBox)] = []
        for drawn in annotation.boxes {
            let edges = annotation.storedEdges(of: drawn, file)
            let (fitted, problems) = edges.fitted(width: width, height: height)
            if let fitted { usable.append((entry.boxes.count, fitted)) }
            let sides = [edges.left, edges.top, edges.width, edges.height]
            entry.boxes.append(
                .init(
                    place: drawn.place, label: drawn.label, box: sides.allSatisfy(\.isFinite) ? sides : nil,
                    problems: problems, flags: [], isUsed: false))
        }
        let masks = try teacher.masks(in: file.image, boxes: usable.map(\.box), progress: progress)
        var union = Mask(width: width, height: height)
        for ((index, _), made) in zip(usable, masks) {
            entry.boxes[index].predictedIoU = made.predictedIoU
            entry.boxes[index].stability = made.stability
            entry.boxes[index].area = made.mask.area
            entry.boxes[index].inside = made.inside
            entry.boxes[index].coverage = made.coverage
            entry.boxes[index].flags = made.flags
            guard !made.mask.isEmpty, !dropsPoor || made.flags.isEmpty else { continue }
            entry.boxes[index].isUsed = true
            union = union.union(made.mask)
        }
        return union
    }

    private func fingerprint(
        _ bytes: [UInt8], _ output: String, _ annotation: BoxAnnotations.Image
    ) throws(ImageError) -> String {
        let limits = teacher.thresholds
        let parts =
            [
                Tamperscope.version, output, "\(dropsPoor)", "\(limits)",
                "\(annotation.width ?? 0) \(annotation.height ?? 0)",
            ]
            + models.map(\.sha256) + annotation.remarks
            + annotation.boxes.map { "\($0.place) \($0.label ?? "") \($0.coordinates)" }
        do throws(ImageError.Problem) {
            return try Checksum.sha256(
                Array((try Checksum.sha256(bytes) + "\n" + parts.joined(separator: "\n")).utf8))
        } catch {
            throw ImageError(file: output, problem: error)
        }
    }
}

extension BoxAnnotations.Image {
    /// The edges on the stored grid. Boxes drawn on the picture as it is looked at are recognised by its size, when the
    /// annotation has one that is not the stored size.
    func storedEdges(of box: BoxAnnotations.Box, _ file: ImageFile) -> PixelBox {
        let (stored, orientation) = (file.image, file.orientation)
        let isTurned =
            orientation.swapsSides && stored.width != stored.height && width == stored.height && height == stored.width
        guard isTurned else { return box.edges(width: stored.width, height: stored.height) }
        let edges = box.edges(width: stored.height, height: stored.width)
        let (width, height) = (Double(stored.width), Double(stored.height))
        let start = orientation.storedPosition(
            x: edges.left, y: edges.top, storedWidth: width, storedHeight: height)
        let end = orientation.storedPosition(
            x: edges.right, y: edges.bottom, storedWidth: width, storedHeight: height)
        return PixelBox(
            left: min(start.x, end.x), top: min(start.y, end.y), right: max(start.x, end.x),
            bottom: max(start.y, end.y))
    }
}
