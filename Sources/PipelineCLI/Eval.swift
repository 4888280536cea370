import ArgumentParser
import Foundation
import Pipeline

/// `pipeline eval`: scores the method's variants on a dataset.
struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores the method's variants, and other tools' maps, on a dataset with known masks.",
        discussion: """
            One pass over the images gives a row for the classifier's map alone, for every view's, and for every segmenter \
            with every refinement. The folder given by --out gets report.html, summary.csv, summary.json, images.csv and \
            images.jsonl. An \
            interrupted run goes on where it stopped; images whose files, models and options are the same are not looked at \
            again.

            Layouts: casia2, casia1, columbia, coverage, nist16, imd2020, cocoglide, dso1, korus, folder (Tp, Gt and Au, or \
            images, masks and authentic) and list (JSON, CSV or text).

            Protocols: default (native size), paper (only images that the classifier finds manipulated), benco (512 × 512), \
            trufor (outlines ignored, better of map and inverse) and mvss. The same maps differ by .1 to .3 between them.
            """)

    @Option(help: "How the dataset lies on the disk, when the guess is wrong.")
    var layout: Dataset.Layout?

    @Option(
        name: .customLong("protocol"),
        help: ArgumentHelp("How maps are scored; several separated by commas, or all.", valueName: "names"))
    var protocols = NameList([EvaluationProtocol.default])

    @OptionGroup var segmentation: SegmentationOptions

    @Option(help: ArgumentHelp("A folder with models, found by the role that their metadata names.", valueName: "dir"))
    var models: String?

    @Option(
        help: ArgumentHelp(
            "A classifier to use instead of the folder's; give it again for more views.", valueName: "file"))
    var classifier: [String] = []

    @Option(
        name: .customLong("refine"),
        help: ArgumentHelp("Refinements that get rows; several separated by commas, or all.", valueName: "names"))
    var refinements = NameList(Refinement.allCases)

    @Option(help: "The views that take part, by number, such as 2,3,4. Default: all.")
    var views: ViewList?

    @Option(help: "How activation maps are made: gradcam, gradcam++, layercam or cam.")
    var cam = ActivationMethod.gradCAM

    @Option(help: "How a photo meets the network: fit (resized) or native (tiles). Default: what the model says.")
    var scale: ModelMetadata.Scale?

    @Option(help: "The least value of a view in the mean of all, 0 to 1; with 0 a zero in one view erases the pixel.")
    var floor: Float = 0.001

    @Option(help: "What similarity weighs a region's heat with: normalised, raw or proximity.")
    var distance = Similarity.Distance.normalised

    @Option(help: ArgumentHelp("A student network to compare with, alone and refined by segments.", valueName: "file"))
    var student: String?

    @Option(
        help: ArgumentHelp(
            "Maps made by another tool, paired by stem: PNG, TIFF or .npy. Repeat for more.", valueName: "name=dir"))
    var maps: [NamedFolder] = []

    @Option(help: "The probability from which an image counts as found manipulated, 0 to 1.")
    var threshold = 0.5

    @Option(help: "The value from which a pixel counts as manipulated, 0 to 1.")
    var mapThreshold = 0.5

    @Flag(help: "Rows for blurred, noisy, recompressed and resized images as well.")
    var robustness = false

    @Option(help: "Resamples of the images for the 95 % intervals; 0 for none.")
    var bootstrap = 1000

    @Option(help: "Of the generator that draws the resamples.")
    var seed: UInt64 = Bootstrap().seed

    @Flag(help: "Write every map as a 16-bit PNG: maps/ROW/IMAGE.png.")
    var saveMaps = false

    @Option(help: "The longest side of the report's small pictures in pixels; 0 for none.")
    var thumbnails = 160

    @Option(help: ArgumentHelp("The folder for results.", valueName: "dir"))
    var out = "evaluation"

    @Option(help: "Threads (default: one per core).")
    var threads: Int?

    @Flag(help: "Print the summary as JSON instead of tables.")
    var json = false

    @Argument(help: "The dataset's folder, or a list.")
    var dataset: String

    func validate() throws {
        for (name, value) in [
            ("--threshold", threshold), ("--map-threshold", mapThreshold), ("--floor", Double(floor)),
        ]
        where !(0...1).contains(value) {
            throw ValidationError("\(name) is \(value), but must lie between 0 and 1.")
        }
        let counts = [
            ("--bootstrap", bootstrap, 0...100_000), ("--thumbnails", thumbnails, 0...1024),
            ("--threads", threads ?? 1, 1...1024),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            throw ValidationError(
                "\(name) is \(value), but must lie between \(range.lowerBound) and \(range.upperBound).")
        }
    }

    func run() throws {
        let progress = EvaluationProgress()
        do {
            let evaluation = try evaluation()
            let summary = try evaluation.run { progress.show($0) }
            progress.clear()
            let files = try EvaluationFiles(summary, folder: evaluation.folder)
            if json {
                print(try String(contentsOf: files.document, encoding: .utf8), terminator: "")
            } else {
                print(TextReport(summary).text)
                for file in [files.report, files.rows, files.document, files.images, files.imageDocuments] {
                    print("  \(file.path)")
                }
            }
        } catch {
            progress.clear()
            throw Failure("\(error)")
        }
    }

    private func evaluation() throws -> Evaluation {
        let data = try Dataset(URL(fileURLWithPath: dataset), layout: layout)
        let selection = segmentation.selection
        let folder = models.map { URL(fileURLWithPath: $0) } ?? EmbeddedModels.folder
        let fallback = models == nil ? nil : EmbeddedModels.folder
        let set = try ModelSet(
            folder: folder, fallback: fallback,
            classifiers: classifier.map { URL(fileURLWithPath: $0) }, segmentation: selection,
            views: views?.numbers, activation: cam, threads: threads)
        var opener = ModelOpener(folder: folder, fallback: fallback, threads: threads)
        let student = try student.map { try opener.student(URL(fileURLWithPath: $0)) }
        let variants = MethodVariants(
            classifiers: set.classifiers, segmenter: set.segmenter, student: student, refinements: refinements.values,
            options: .init(
                threshold: threshold, similarity: Similarity(distance: distance),
                fusion: ActivationFusion(floor: floor),
                scale: scale, threads: threads), configuration: Self.description(of: selection))
        return try Evaluation(
            data, variants: variants, models: set.used + opener.used(),
            maps: try maps.map { try ExternalMaps(name: $0.name, folder: URL(fileURLWithPath: $0.folder)) },
            options: .init(
                imageThreshold: threshold, pixelThreshold: mapThreshold, protocols: protocols.values,
                bootstrap: Bootstrap(count: bootstrap, seed: seed), degradations: robustness ? Degradation.grid : [],
                savesMaps: saveMaps, thumbnailSide: thumbnails),
            folder: URL(fileURLWithPath: out, isDirectory: true))
    }
}

extension Eval {
    /// What a selection of segmenters is set to, name by name.
    fileprivate static func description(of selection: SegmenterSelection) -> String {
        var settings: [Any] = []
        if selection.kinds.contains(where: { $0 != .sam }) { settings.append(selection.semantic) }
        if selection.kinds.contains(.sam) { settings.append(selection.sam) }
        var words = settings.flatMap { settings in
            Mirror(reflecting: settings).children.map { "\($0.label ?? ""): \($0.value)" }
        }
        if let side = selection.pointsPerSide { words.append("pointsPerSide: \(side)") }
        if let least = selection.predictedIoUThreshold { words.append("least predicted IoU: \(least)") }
        if let least = selection.stabilityThreshold { words.append("least stability: \(least)") }
        if !selection.prompts.isEmpty { words.append("prompts: \(selection.prompts)") }
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}

/// Names of one kind separated by commas, or `all`.
struct NameList<Name>: ExpressibleByArgument, CustomStringConvertible
where Name: RawRepresentable & CaseIterable & Equatable, Name.RawValue == String {
    let values: [Name]

    init(_ values: [Name]) { self.values = values }

    init?(argument: String) {
        guard argument != "all" else {
            values = Array(Name.allCases)
            return
        }
        var values: [Name] = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let value = Name(rawValue: String(name)), !values.contains(value) else { return nil }
            values.append(value)
        }
        self.values = values
    }

    var description: String { values.map(\.rawValue).joined(separator: ",") }
    var defaultValueDescription: String { values.count == Name.allCases.count ? "all" : description }
    static var allValueStrings: [String] { Name.allCases.map(\.rawValue) + ["all"] }
}

/// `NAME=DIR`.
struct NamedFolder: ExpressibleByArgument {
    let name: String
    let folder: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex,
            argument.index(after: sign) < argument.endIndex
        else { return nil }
        name = String(argument[..<sign])
        folder = String(argument[argument.index(after: sign)...])
    }
}

extension Dataset.Layout: ExpressibleByArgument {}
