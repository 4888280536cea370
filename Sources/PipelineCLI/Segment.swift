import ArgumentParser
import Foundation
import Pipeline

/// `pipeline segment`: the regions that segmenters propose.
struct Segment: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the regions that segmenters propose for photos, each as a mask.",
        discussion: """
            For each photo the folder given by --out gets NAME.masks with one PNG for each region (255 inside, 0 \
            outside) and NAME.json, a list of them: where they come from, their label, SAM's predicted IoU and \
            stability, their area and box. Masks and boxes are those of the photo as it is looked at.

            A file that cannot be read is reported, the others are still segmented, and the exit code is 1.
            """)

    @OptionGroup var segmentation: SegmentationOptions

    @Option(help: ArgumentHelp("A folder with models, found by the role that their metadata names.", valueName: "dir"))
    var models: String?

    @Option(help: ArgumentHelp("The folder for results.", valueName: "dir"))
    var out = "out"

    @Option(help: "Threads (default: one per core).")
    var threads: Int?

    @Flag(help: "Print one JSON document per photo on a line instead of text.")
    var json = false

    @Argument(help: "Photos.")
    var images: [String]

    func validate() throws {
        if segmentation.segmenters.kinds.isEmpty {
            throw ValidationError("--seg must name deeplab, pspnet, sam, or several of them.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but must lie between 1 and 1024.")
        }
    }

    func run() throws {
        var files = try opened()
        let progress = ProgressLine(count: images.count)
        var failures = 0
        for (index, image) in images.enumerated() {
            do {
                let (report, path) = try files.segment(image) { stage, share in
                    progress.show(index: index, image: image, stage: stage, share: share)
                }
                progress.clear()
                print(
                    json
                        ? try report.line()
                        : "\(image): \(report.candidates.count) regions\n  list     \(path)")
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

    private func opened() throws -> CandidateFiles {
        do {
            var opener = ModelOpener(
                folder: models.map { URL(fileURLWithPath: $0) } ?? EmbeddedModels.folder,
                fallback: models == nil ? nil : EmbeddedModels.folder, threads: threads)
            guard let segmenter = try opener.segmenter(segmentation.selection) else { throw ExitCode.failure }
            return CandidateFiles(
                folder: URL(fileURLWithPath: out), segmenter: segmenter, models: try opener.used(), threads: threads)
        } catch {
            throw Failure("\(error)")
        }
    }
}
