import ArgumentParser
import Foundation
import Pipeline

/// How a photo is analysed: the method's choices that its authors left open, by flag.
struct MethodOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A classifier to use instead of the folder's; give it again for more views.", valueName: "file"))
    var classifier: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A student, whose map is used instead of the classifiers'. The photo's probability is then its maximum, unless \
            --classifier names one.
            """, valueName: "file"))
    var student: String?

    @Option(help: "The views that take part, by number, such as 2,3,4. Default: all.")
    var views: ViewList?

    @Option(help: "How activation maps are made: gradcam, gradcam++, layercam or cam.")
    var cam = ActivationMethod.gradCAM

    @Option(help: "How a photo meets the network: fit (resized) or native (tiles). Default: what the model says.")
    var scale: ModelMetadata.Scale?

    @Option(help: "The least value of a view in the mean of all, 0 to 1; with 0 a zero in one view erases the pixel.")
    var floor: Float = 0.001

    @Option(
        help: """
            What similarity weighs a region's heat with: the distance from its outline, normalised (1 at its middle) or \
            raw (in pixels), or the proximity of the outline.
            """)
    var distance = Similarity.Distance.normalised

    @Option(help: ArgumentHelp("Regions to report and draw, best first.", valueName: "count"))
    var regions = 10

    @Option(help: "How a region changes the map: evidence, histogram, literal, gate or none.")
    var refine = Refinement.evidence

    @Option(help: "The probability from which a manipulation is located, 0 to 1.")
    var threshold = 0.5

    func validate() throws {
        for (name, value) in [("--threshold", threshold), ("--floor", Double(floor))] where !(0...1).contains(value) {
            throw ValidationError("\(name) is \(value), but must lie between 0 and 1.")
        }
        guard (1...1000).contains(regions) else {
            throw ValidationError("--regions is \(regions), but must lie between 1 and 1000.")
        }
    }

    /// The classifiers' files.
    var classifiers: [URL] { classifier.map { URL(fileURLWithPath: $0) } }

    /// The student's file.
    var studentFile: URL? { student.map { URL(fileURLWithPath: $0) } }

    func options(alwaysLocalizes: Bool = false, threads: Int? = nil) -> Analyzer.Options {
        Analyzer.Options(
            threshold: threshold, alwaysLocalizes: alwaysLocalizes, refinement: refine,
            similarity: Similarity(distance: distance, limit: regions), fusion: ActivationFusion(floor: floor),
            scale: scale, threads: threads)
    }
}

/// Numbers of views, separated by commas.
struct ViewList: ExpressibleByArgument {
    let numbers: [Int]

    init?(argument: String) {
        let fields = argument.split(separator: ",", omittingEmptySubsequences: false)
        numbers = fields.compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.count == fields.count else { return nil }
    }
}

extension Refinement: ExpressibleByArgument {}
extension Similarity.Distance: ExpressibleByArgument {}
extension ModelMetadata.Scale: ExpressibleByArgument {}
