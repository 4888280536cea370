import Foundation

/// The maps that the variants of the method make of an image, in one pass: every classifier and every segmenter runs once.
public struct MethodVariants: Sendable {
    public let classifiers: [Classifier]
    /// Each gives rows of its own, and when there are several, all of them together.
    public let segmenters: [any Segmenter]
    /// Gives rows of its own, alone and refined by every segmenter; nil for none.
    public let student: Student?
    public let refinements: [Refinement]
    public let options: Analyzer.Options

    /// How segmenters are set, in words.
    public let configuration: String

    /// - Parameters:
    ///   - classifiers: at least one; together they give the views.
    ///   - segmenter: what proposes regions; the parts of a `CombinedSegmenter` get rows of their own as well.
    ///   - student: another localiser to compare with.
    ///   - refinements: one row each for every segmenter; `none` would be the activation map again and is left out.
    ///   - configuration: how segmenters are set, as far as it matters for results.
    public init(
        classifiers: [Classifier], segmenter: (any Segmenter)?, student: Student? = nil,
        refinements: [Refinement] = Refinement.allCases, options: Analyzer.Options = Analyzer.Options(),
        configuration: String = ""
    ) {
        self.classifiers = classifiers
        segmenters = (segmenter as? CombinedSegmenter)?.segmenters ?? segmenter.map { [$0] } ?? []
        self.student = student
        self.refinements = refinements.filter { $0 != .none }
        self.options = options
        self.configuration = configuration
    }

    /// The refinement of the rows on degraded images.
    var mainRefinements: [Refinement] { options.refinement == .none ? [] : [options.refinement] }

    /// What one variant makes of an image.
    struct Variant {
        var row: EvaluationRow
        /// The image's size, values in 0 ... 1.
        var map: FloatMap
        /// Of a manipulation anywhere in the image, where the variant has a word of its own on that.
        var probability: Double?
    }

    /// What is said of a whole image.
    struct Verdict: Sendable {
        var probability: Double
        var warnings: [String]
    }

    /// A part of the work, for timings.
    enum Stage: String { case classify, student, segment, similarity, refine }

    /// Makes the maps of an image one after another.
    ///
    /// - Parameters:
    ///   - refinements: for each segmenter.
    ///   - includesViews: whether every view's own map is wanted when there are several.
    ///   - progress: called with the stage and its share that is done.
    ///   - emit: takes a map. Maps are not kept here.
    func maps(
        of image: RGBImage, orientation: Orientation, refinements: [Refinement], includesViews: Bool,
        progress: @escaping @Sendable (Stage, Double) -> Void, emit: (Variant) throws -> Void
    ) throws -> Verdict {
        progress(.classify, 0)
        let results = try classifiers.enumerated().map { index, classifier in
            try classifier.classify(image, scale: options.scale) { share in
                progress(.classify, (Double(index) + share) / Double(classifiers.count))
            }
        }
        let views = results.flatMap(\.views)
        let fused = options.fusion.fuse(views.map(\.activation), width: image.width, height: image.height)
        var verdict = Verdict(
            probability: Self.probability(ofLogit: Analyzer.imageLogit(results)),
            warnings: results.flatMap(\.warnings) + fused.warnings)
        try emit(Variant(row: .activation, map: fused.map))
        if includesViews, views.count > 1 {
            for view in views {
                let alone = options.fusion.fuse([view.activation], width: image.width, height: image.height)
                try emit(
                    Variant(
                        row: .view(view.name), map: alone.map,
                        probability: Self.probability(ofLogit: view.logit)))
            }
        }
        var bases = [Base(map: fused.map)]
        if let student {
            progress(.student, 0)
            let result = try student.localize(image) { progress(.student, $0) }
            let base = Base(name: "student", map: result.map, probability: result.probability)
            try emit(Variant(row: .student, map: result.map, probability: result.probability))
            bases.append(base)
        }
        guard !refinements.isEmpty else { return verdict }

        var all: [Candidate] = []
        for (index, segmenter) in segmenters.enumerated() {
            progress(.segment, Double(index) / Double(segmenters.count))
            let candidates = try segmenter.candidates(in: image, orientation: orientation) { share in
                progress(.segment, (Double(index) + share) / Double(segmenters.count))
            }
            try refine(bases, candidates, segmenter.name, refinements, &verdict, progress, emit)
            if segmenters.count > 1 { all += candidates }
        }
        if segmenters.count > 1 {
            try refine(
                bases, all, segmenters.map(\.name).joined(separator: ","), refinements, &verdict, progress, emit)
        }
        return verdict
    }

    private static func probability(ofLogit logit: Double) -> Double { 1 / (1 + exp(-logit)) }

    /// A map that segments refine.
    private struct Base {
        /// Nil for the classifiers' activation map.
        var name: String?
        var map: FloatMap
        var probability: Double?
    }

    private func refine(
        _ bases: [Base], _ candidates: [Candidate], _ segmenter: String, _ refinements: [Refinement],
        _ verdict: inout Verdict, _ progress: (Stage, Double) -> Void, _ emit: (Variant) throws -> Void
    ) throws {
        for base in bases {
            progress(.similarity, 0)
            let mask = options.similarity.rank(candidates, activation: base.map).regions.first?.candidate.mask
            progress(.refine, 0)
            var reasons: Set<String> = []
            for refinement in refinements {
                var map = base.map
                if let reason = refinement.apply(to: &map, mask: mask) { reasons.insert(reason.description) }
                let row = EvaluationRow.refined(base.name, segmenter, refinement)
                try emit(Variant(row: row, map: map, probability: base.probability))
            }
            let name = [base.name, segmenter].compactMap { $0 }.joined(separator: ", ")
            verdict.warnings += reasons.sorted().map { "\(name): \($0)" }
        }
    }
}
