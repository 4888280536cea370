import ArgumentParser
import Foundation
import Pipeline

/// What proposes regions, and how.
struct SegmentationOptions: ParsableArguments {
    @Option(
        name: .customLong("seg"),
        help: ArgumentHelp(
            "What proposes regions: deeplab, pspnet, sam, several of them separated by commas, or none.",
            valueName: "names"))
    var segmenters = SegmenterNames(kinds: [])

    @Flag(help: "DeepLab and PSPNet: the background is a candidate too.")
    var background = false

    @Option(help: "DeepLab and PSPNet: regions of a smaller share of the photo are left out, 0 to 1.")
    var minArea = 0.001

    @OptionGroup(title: "SAM")
    var sam: SAMOptions

    func validate() throws {
        guard (0...1).contains(minArea) else {
            throw ValidationError("--min-area is \(minArea), but must lie between 0 and 1.")
        }
        if !sam.prompts.isEmpty, !segmenters.kinds.contains(.sam) {
            throw ValidationError("--points and --boxes are prompts for SAM: add it to --seg.")
        }
    }

    var selection: SegmenterSelection {
        SegmenterSelection(
            segmenters.kinds, semantic: .init(includesBackground: background, minimumAreaFraction: minArea),
            sam: sam.generation,
            pointsPerSide: sam.pointsPerSide, predictedIoUThreshold: sam.predictedIoUThreshold.map { Float($0) },
            stabilityThreshold: sam.stabilityThreshold, prompts: sam.prompts,
            embeddingCache: sam.embeddingCache.map { URL(fileURLWithPath: $0, isDirectory: true) })
    }
}

/// How SAM is prompted: by points and boxes, or by a grid of points whose masks are then sifted. The defaults are those of
/// the published generator.
struct SAMOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Points of one region instead of the grid, in pixels of the photo as it is looked at; label 1 (default) for "
                + "inside, 0 for outside. Repeat for further regions.", valueName: "x,y[:label];…"))
    var points: [PointList] = []

    @Option(
        help: ArgumentHelp(
            "Boxes instead of the grid, one for each region, in pixels of the photo as it is looked at.",
            valueName: "x,y,w,h;…"))
    var boxes: [BoxList] = []

    @Option(
        name: .customLong("sam-points-per-side"),
        help: "Points of the grid along each side. Default: what the model says, else 32.")
    var pointsPerSide: Int?

    @Option(
        name: .customLong("sam-iou-threshold"),
        help: "Masks of a lower predicted IoU go. Default: what the model says, else 0.88.")
    var predictedIoUThreshold: Double?

    @Option(
        name: .customLong("sam-stability-threshold"),
        help: "Masks of a lower stability go. Default: what the model says, else 0.95.")
    var stabilityThreshold: Double?

    @Option(
        name: .customLong("sam-stability-offset"),
        help: "How far the thresholds of the stability lie from 0, in logits.")
    var stabilityOffset = 1.0

    @Option(name: .customLong("sam-nms-threshold"), help: "Of masks whose boxes have a higher IoU only the best stays.")
    var boxOverlapThreshold = 0.7

    @Option(
        name: .customLong("sam-crop-layers"),
        help: "Layers of crops beside the whole photo: 2 × 2, 4 × 4, … Each crop is encoded and searched on its own.")
    var cropLayers = 0

    @Option(
        name: .customLong("sam-crop-points-divisor"),
        help: "The points along each side are divided by this with every layer.")
    var cropPointsDivisor = 1

    @Option(
        name: .customLong("sam-crop-nms-threshold"),
        help: "The same as --sam-nms-threshold between crops; masks of smaller crops are preferred.")
    var cropOverlapThreshold = 0.7

    @Option(
        name: .customLong("sam-crop-overlap"),
        help: "How much crops of the first layer overlap, as a share of the photo's shorter side.")
    var cropOverlap = 512.0 / 1500

    @Option(
        name: .customLong("sam-min-region-area"), help: "Islands and holes of fewer pixels are removed from masks.")
    var minimumRegionArea = 0

    @Option(
        help: ArgumentHelp(
            "Keeps SAM's embeddings of photos in this folder for the next time.", valueName: "dir"))
    var embeddingCache: String?

    func validate() throws {
        let shares = [
            ("iou-threshold", predictedIoUThreshold ?? 0), ("stability-threshold", stabilityThreshold ?? 0),
            ("nms-threshold", boxOverlapThreshold), ("crop-nms-threshold", cropOverlapThreshold),
            ("crop-overlap", cropOverlap),
        ]
        for (name, value) in shares where !(0...1).contains(value) {
            throw ValidationError("--sam-\(name) is \(value), but must lie between 0 and 1.")
        }
        guard stabilityOffset >= 0, stabilityOffset.isFinite else {
            throw ValidationError("--sam-stability-offset is \(stabilityOffset), but must be a number from 0.")
        }
        let counts = [
            ("points-per-side", pointsPerSide ?? 1, 1...256), ("crop-layers", cropLayers, 0...4),
            ("crop-points-divisor", cropPointsDivisor, 1...256),
            ("min-region-area", minimumRegionArea, 0...Int(Int32.max)),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            throw ValidationError(
                "--sam-\(name) is \(value), but must lie between \(range.lowerBound) and \(range.upperBound).")
        }
    }

    var prompts: [SAMPrompt] {
        points.map { SAMPrompt(points: $0.points) } + boxes.flatMap(\.boxes).map { SAMPrompt(box: $0) }
    }

    var generation: SAMSegmenter.Options {
        SAMSegmenter.Options(
            stabilityOffset: Float(stabilityOffset), boxOverlapThreshold: boxOverlapThreshold, cropLayers: cropLayers,
            cropOverlapThreshold: cropOverlapThreshold, cropOverlap: cropOverlap,
            cropPointsDivisor: cropPointsDivisor, minimumRegionArea: minimumRegionArea)
    }
}

/// Names of segmenters separated by commas.
struct SegmenterNames: ExpressibleByArgument, CustomStringConvertible {
    var kinds: [SegmenterSelection.Kind]

    init(kinds: [SegmenterSelection.Kind]) {
        self.kinds = kinds
    }

    init?(argument: String) {
        kinds = []
        guard argument != "none" else { return }
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = SegmenterSelection.Kind(rawValue: String(name)), !kinds.contains(kind) else { return nil }
            kinds.append(kind)
        }
    }

    var description: String { kinds.isEmpty ? "none" : kinds.map(\.rawValue).joined(separator: ",") }
}

/// `x,y` or `x,y:label`, several separated by semicolons or spaces.
struct PointList: ExpressibleByArgument {
    var points: [SAMPrompt.Point] = []

    init?(argument: String) {
        for item in items(argument) {
            let parts = item.split(separator: ":", omittingEmptySubsequences: false)
            guard let place = numbers(parts[0], count: 2), parts.count <= 2,
                parts.count == 1 || ["0", "1"].contains(parts[1])
            else { return nil }
            points.append(.init(x: place[0], y: place[1], isForeground: parts.count == 1 || parts[1] == "1"))
        }
        guard points.contains(where: \.isForeground) else { return nil }
    }
}

/// `x,y,w,h`, several separated by semicolons or spaces.
struct BoxList: ExpressibleByArgument {
    var boxes: [SAMPrompt.Box] = []

    init?(argument: String) {
        for item in items(argument) {
            guard let sides = numbers(item, count: 4), sides[2] > 0, sides[3] > 0 else { return nil }
            boxes.append(.init(x: sides[0], y: sides[1], width: sides[2], height: sides[3]))
        }
        guard !boxes.isEmpty else { return nil }
    }
}

private func items(_ argument: String) -> [Substring] {
    argument.split { $0 == ";" || $0 == " " }
}

private func numbers(_ text: Substring, count: Int) -> [Double]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }.filter(\.isFinite)
    return numbers.count == count && parts.count == count ? numbers : nil
}
