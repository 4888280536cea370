import ArgumentParser
import Foundation
import Pipeline

/// `pipeline run`: analyses photos one after another.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Analyses photos: heat map, overlay, mask and report of each.",
        discussion: """
            Reads JPEG, PNG, TIFF, BMP and WebP files of up to 100 megapixels. For each photo the folder given by --out \
            gets NAME.heatmap.png (16-bit grey), NAME.overlay.png, NAME.mask.png and NAME.json; the pictures only where \
            the photo's probability passes the threshold, or with --always.

            A file that cannot be read is reported, the others are still analysed, and the exit code is 1.
            """)

    @OptionGroup var segmentation: SegmentationOptions

    @Option(help: ArgumentHelp("A folder with models, found by the role that their metadata names.", valueName: "dir"))
    var models: String?

    @OptionGroup(title: "Method")
    var method: MethodOptions

    @Option(help: "The heat from which a pixel belongs to the mask, 0 to 1.")
    var maskThreshold = 0.5

    @Flag(help: "Locate whatever the probability.")
    var always = false

    @Flag(help: "Write the activation map of each view too, as NAME.viewNUMBER.heatmap.png.")
    var viewMaps = false

    @Option(help: ArgumentHelp("The folder for results.", valueName: "dir"))
    var out = "out"

    @Option(help: "Threads (default: one per core).")
    var threads: Int?

    @Flag(help: "Print one JSON document per photo on a line instead of text.")
    var json = false

    @Argument(help: "Photos.")
    var images: [String]

    func validate() throws {
        guard (0...1).contains(maskThreshold) else {
            throw ValidationError("--mask-threshold is \(maskThreshold), but must lie between 0 and 1.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but must lie between 1 and 1024.")
        }
    }

    func run() throws {
        let set: ModelSet
        do {
            set = try ModelSet(
                folder: models.map { URL(fileURLWithPath: $0) } ?? EmbeddedModels.folder,
                fallback: models == nil ? nil : EmbeddedModels.folder,
                classifiers: method.classifiers, student: method.studentFile, segmentation: segmentation.selection,
                views: method.views?.numbers, activation: method.cam, threads: threads)
        } catch {
            throw Failure("\(error)")
        }
        let analyzer = Analyzer(
            classifiers: set.classifiers, student: set.student, segmenter: set.segmenter, networks: set.networks,
            options: method.options(alwaysLocalizes: always, threads: threads))
        var files = AnalysisFiles(
            folder: URL(fileURLWithPath: out), maskThreshold: Float(maskThreshold), writesViewMaps: viewMaps)
        let progress = ProgressLine(count: images.count)
        var failures = 0
        for (index, image) in images.enumerated() {
            do {
                let analysis = try analyzer.analyze(image) { stage, share in
                    progress.show(index: index, image: image, stage: stage, share: share)
                }
                let (report, path) = try files.write(analysis, models: set.used)
                progress.clear()
                print(json ? try report.line() : text(report, path))
            } catch {
                progress.clear()
                failures += 1
                // Errors of files begin with the file's name; others do not.
                let message = "\(error)"
                printError(message.hasPrefix(image) ? message : "\(image): \(message)")
            }
        }
        if failures > 0 { throw ExitCode(1) }
    }

    private func text(_ report: AnalysisReport, _ path: String) -> String {
        var lines = ["\(report.image): \(report.verdict) (probability \(percent(report.probability)))"]
        if let region = report.regions.first {
            let label = region.label.map { " “\($0)”" } ?? ""
            lines.append(
                "  region   \(region.bbox[2])×\(region.bbox[3]) at (\(region.bbox[0]), \(region.bbox[1]))\(label), "
                    + "heat \(percent(region.meanInside)) inside, \(percent(region.meanOutside)) outside")
        }
        if let outputs = report.outputs {
            lines.append("  heat map \(outputs.heatmap)")
            lines.append("  overlay  \(outputs.overlay)")
            lines.append("  mask     \(outputs.mask)")
        }
        lines.append("  report   \(path)")
        lines += report.warnings.map { "  warning: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// Rounded, but never to a certainty that is none.
    private func percent(_ share: Double) -> String {
        if share > 0.99, share < 1 { return "over 99 %" }
        return "\(Int((share * 100).rounded())) %"
    }
}

/// Ends the command with a message and exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

func printError(_ message: String) {
    FileHandle.standardError.write(Data("error: \(message)\n".utf8))
}
