import ArgumentParser
import Foundation
import Pipeline

/// `pipeline pseudo-mask`: a dataset of masks from boxes.
struct PseudoMask: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pseudo-mask", abstract: "Makes masks from boxes drawn on photos, as a dataset to train on.",
        discussion: """
            SAM makes a mask of each box; the masks of a photo together are its mask. The folder given by --out gets the \
            photos, byte for byte, as Tp/NAME.*, the masks as Gt/NAME.png (255 inside, 0 outside), and report.json and \
            report.csv with the quality of each box's mask.

            Boxes are COCO JSON, Pascal VOC XML, YOLO text or LabelMe JSON, in one file or a folder of files.

            Photos that an earlier run finished with the same boxes, models and options are not done again. A photo \
            that fails is reported, the others are still done, and the exit code is 1.
            """)

    @Option(help: ArgumentHelp("The boxes: a file, or a folder of files.", valueName: "path"))
    var boxes: String

    @Option(help: "The boxes' format: coco, voc, yolo or labelme. Default: found out.")
    var format: BoxAnnotations.Format?

    @Option(help: ArgumentHelp("A folder with SAM's encoder and decoder.", valueName: "dir"))
    var models: String?

    @Option(help: ArgumentHelp("The folder for the dataset.", valueName: "dir"))
    var out: String

    @Option(help: "A mask is poor below this predicted IoU, 0 to 1.")
    var minIou = 0.7

    @Option(help: "A mask is poor when less than this share of it lies inside its box, 0 to 1.")
    var minInside = 0.8

    @Option(help: "A mask is poor when it covers less than this share of its box, 0 to 1.")
    var minCoverage = 0.2

    @Flag(help: "Leave poor masks out.")
    var dropPoor = false

    @Option(help: "Threads (default: one per core).")
    var threads: Int?

    @Argument(help: "Photos, or folders of photos.")
    var images: [String]

    func validate() throws {
        for (name, value) in [("iou", minIou), ("inside", minInside), ("coverage", minCoverage)]
        where !(0...1).contains(value) {
            throw ValidationError("--min-\(name) is \(value), but must lie between 0 and 1.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but must lie between 1 and 1024.")
        }
    }

    func run() throws {
        let folder = URL(fileURLWithPath: out, isDirectory: true)
        let (annotations, photos, dataset): (BoxAnnotations, [URL], PseudoMaskDataset)
        do {
            annotations = try BoxAnnotations(URL(fileURLWithPath: boxes), format: format)
            photos = try ImageFiles.list(images.map { URL(fileURLWithPath: $0) }, excluding: folder)
            var opener = ModelOpener(
                folder: models.map { URL(fileURLWithPath: $0) } ?? EmbeddedModels.folder,
                fallback: models == nil ? nil : EmbeddedModels.folder, threads: threads)
            let teacher = BoxTeacher(
                try opener.sam(),
                thresholds: .init(predictedIoU: minIou, inside: minInside, coverage: minCoverage), threads: threads)
            dataset = PseudoMaskDataset(
                folder: folder, teacher: teacher, models: try opener.used(), dropsPoor: dropPoor)
        } catch {
            throw Failure("\(error)")
        }
        let progress = ProgressLine(count: photos.count)
        let report: PseudoMaskReport
        do {
            report = try dataset.make(annotations, source: boxes, images: photos) { index, share in
                progress.show(index: index, image: photos[index].path, stage: .segment, share: share)
            } finished: { _, entry in
                progress.clear()
                say(entry)
            }
        } catch {
            throw Failure("\(error)")
        }
        for problem in report.problems + report.boxesWithoutImages { printError(problem) }
        let poor = report.images.reduce(0) { $0 + $1.poorBoxes.count }
        print(
            "\(report.count(.done)) masks in \(out) (\(poor) poor boxes), \(report.count(.noBoxes)) photos without boxes,"
                + " \(report.count(.noMask)) without a mask, \(report.count(.failed)) failed")
        if report.count(.failed) > 0 || !report.problems.isEmpty { throw ExitCode(1) }
    }

    private func say(_ entry: PseudoMaskReport.Image) {
        switch entry.status {
        case .failed: printError("\(entry.image): \(entry.error ?? "")")
        case .noBoxes: print("\(entry.image): no boxes")
        case .noMask: print("\(entry.image): no mask")
        case .done:
            let share = (entry.maskFraction ?? 0) * 100
            print("\(entry.image): \(entry.boxes.count) boxes, mask \(Int(share.rounded())) % of the photo")
        }
        for box in entry.boxes where !box.problems.isEmpty {
            print("  \(box.place): \(box.problems.map(\.rawValue).joined(separator: ", "))")
        }
        for box in entry.poorBoxes {
            let quality = box.predictedIoU.map { "predicted IoU \(percent($0)), " } ?? ""
            print(
                "  \(box.place): poor (\(box.flags.map(\.rawValue).joined(separator: ", "))): \(quality)"
                    + "\(percent(box.inside ?? 0)) of the mask inside, \(percent(box.coverage ?? 0)) of the box covered"
            )
        }
        for remark in entry.remarks { print("  \(remark)") }
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}

extension BoxAnnotations.Format: ExpressibleByArgument {}
