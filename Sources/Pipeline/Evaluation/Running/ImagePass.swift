import Foundation

/// The evaluation of one image after another.
struct ImagePass: Sendable {
    private let evaluation: Evaluation
    private let preparations: [EvaluationProtocol.Preparation]
    /// Stems that several images of the dataset share.
    private let sharedStems: Set<String>
    private let parameters: Data
    private let thumbnails: URL
    private let mapFolder: URL

    /// - Throws: `EvaluationError.unwritable`.
    init(_ evaluation: Evaluation) throws(EvaluationError) {
        self.evaluation = evaluation
        let used = Set(evaluation.options.protocols.map(\.preparation))
        preparations = EvaluationProtocol.Preparation.allCases.filter(used.contains)
        let stems = evaluation.dataset.samples.map { Self.stem(of: $0.name) }
        sharedStems = Set(Dictionary(grouping: stems) { $0 }.filter { $0.value.count > 1 }.keys)
        thumbnails = evaluation.folder.appendingPathComponent("thumbnails")
        mapFolder = evaluation.folder.appendingPathComponent("maps")
        parameters = Self.parameters(evaluation, preparations)
        if evaluation.options.thumbnailSide > 0 { try makeFolder(thumbnails) }
    }

    private static func stem(of name: String) -> String {
        URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
    }

    /// Everything that results depend on and that is the same for all images.
    private static func parameters(
        _ evaluation: Evaluation, _ preparations: [EvaluationProtocol.Preparation]
    ) -> Data {
        let options = evaluation.variants.options
        let parts: [String] =
            [
                "results 1", Tamperscope.version, "\(options.similarity)", "\(options.fusion)",
                options.scale?.rawValue ?? "-",
                "\(options.refinement)", "\(evaluation.variants.configuration)", "\(evaluation.options.thumbnailSide)",
            ] + evaluation.models.map { "\($0.role) \($0.sha256)" }
            + evaluation.variants.classifiers.map { "views \($0.numbers) \($0.method.rawValue)" }
            + evaluation.variants.segmenters.map(\.name)
            + evaluation.variants.refinements.map(\.rawValue) + preparations.map(\.rawValue)
            + evaluation.options.degradations.map(\.name) + evaluation.maps.map { "maps \($0.name)" }
        return Data(parts.joined(separator: "\n").utf8)
    }

    /// What the result of a sample depends on, as a checksum: models and options, and size and time of its files.
    /// - Throws: `ImageError` when the image or its mask is not there.
    func key(of sample: Dataset.Sample) throws -> String {
        var bytes = Array(parameters)
        var files = [sample.image]
        if case .mask(let url, let rule) = sample.truth {
            files.append(url)
            bytes += Array("\(rule)".utf8)
        }
        for file in files { bytes += try Self.identity(of: file) }
        for maps in evaluation.maps {
            if let file = try? maps.file(for: sample.name, isOnly: isOnly(sample)) {
                bytes += try Self.identity(of: file)
            }
        }
        do {
            return try Checksum.sha256(bytes)
        } catch {
            throw ImageError(file: sample.name, problem: error)
        }
    }

    private static func identity(of file: URL) throws(ImageError) -> [UInt8] {
        var status = stat()
        guard stat(file.path, &status) == 0 else { throw ImageError(file: file.path, problem: .notFound) }
        let text = "\(file.path) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)\n"
        return Array(text.utf8)
    }

    private func isOnly(_ sample: Dataset.Sample) -> Bool { !sharedStems.contains(Self.stem(of: sample.name)) }

    /// Whether the pictures that belong to a result are there as well.
    func hasFiles(of result: ImageResult) -> Bool {
        let manager = FileManager.default
        if evaluation.options.thumbnailSide > 0,
            !manager.fileExists(atPath: thumbnail(of: result.name).path)
        {
            return false
        }
        return !evaluation.options.savesMaps
            || result.rows.allSatisfy { manager.fileExists(atPath: map(of: result.name, row: $0.row.id).path) }
    }

    private func thumbnail(of name: String) -> URL {
        thumbnails.appendingPathComponent(resultStem(name) + ".png")
    }

    private func map(of name: String, row: String) -> URL {
        mapFolder.appendingPathComponent(row).appendingPathComponent(resultStem(name) + ".png")
    }

    /// - Throws: `ImageError` and whatever the models' runs throw; `EvaluationError` when a picture cannot be written.
    func evaluate(
        _ sample: Dataset.Sample, key: String, progress: @escaping @Sendable (String, Double) -> Void
    ) throws -> (ImageResult, histograms: [UInt8]) {
        let start = ContinuousClock.now
        progress("decode", 0)
        let file = try ImageFile.load(sample.image)
        let truth = try evaluation.dataset.truth(of: sample, width: file.image.width, height: file.image.height)
        var work = Work(
            result: ImageResult(
                key: key, name: sample.name, isManipulated: sample.truth != .authentic, width: file.image.width,
                height: file.image.height, maskArea: truth.mask.values.count { $0 },
                maskResizedFrom: truth.resizedFrom.map { [$0.width, $0.height] }, probability: 0),
            truths: try preparations.map { ($0, try $0.truth(truth.mask)) })
        work.result.warnings = file.warnings + truth.warnings
        work.result.seconds["decode"] = (ContinuousClock.now - start).seconds
        if evaluation.options.thumbnailSide > 0 {
            work.strip = try ThumbnailStrip(file.image, truth.mask, side: evaluation.options.thumbnailSide)
        }

        let variants = evaluation.variants
        let stages = StageClock()
        let verdict = try variants.maps(
            of: file.image, orientation: file.orientation, refinements: variants.refinements, includesViews: true,
            progress: { stage, share in
                stages.enter(stage.rawValue)
                progress(stage.rawValue, share)
            }
        ) { variant in
            try stages.during("score") {
                try add(LevelMap(variant.map), variant.row, score: variant.probability, to: &work)
            }
        }
        work.settle(probability: verdict.probability)
        work.result.probability = verdict.probability
        work.result.warnings += verdict.warnings
        stages.enter("score")
        try addExternalMaps(of: sample, to: &work)
        work.settle(probability: verdict.probability)
        for degradation in evaluation.options.degradations {
            stages.enter("degradations")
            progress(degradation.title, 0)
            try add(degradation, of: file, to: &work)
        }
        stages.enter("write")
        try work.strip?.write(to: thumbnail(of: sample.name).path)
        work.result.seconds.merge(stages.finish()) { $0 + $1 }
        return (work.result, work.histograms)
    }

    /// An image's result in the making.
    private struct Work {
        var result: ImageResult
        let truths: [(preparation: EvaluationProtocol.Preparation, truth: PixelTruth)]
        var histograms: [UInt8] = []
        var strip: ThumbnailStrip?
        private var settled = 0

        init(result: ImageResult, truths: [(EvaluationProtocol.Preparation, PixelTruth)]) {
            self.result = result
            self.truths = truths
        }

        /// Gives the rows since the last call the probability that was found after their maps.
        mutating func settle(probability: Double) {
            for index in settled..<result.rows.count { result.rows[index].probability = probability }
            settled = result.rows.count
        }
    }

    private func add(
        _ map: LevelMap, _ row: EvaluationRow, score: Double? = nil, resizedFrom: [Int]? = nil, to work: inout Work
    ) throws {
        var entry = ImageResult.Row(
            row: row, probability: 0, score: score, maximum: Double(map.levels.max() ?? 0) / Double(LevelMap.maximum),
            resizedFrom: resizedFrom, sections: [:])
        for (preparation, truth) in work.truths {
            let packed = try ScoreHistogram(preparation.map(map), truth: truth).packed
            entry.sections[preparation] = .init(offset: work.histograms.count, count: packed.count)
            work.histograms += packed
        }
        work.result.rows.append(entry)
        if row.degradation == nil { try work.strip?.add(map, row: row.id) }
        if evaluation.options.savesMaps {
            try makeFolder(mapFolder.appendingPathComponent(row.id))
            try PNGWriter.write(map, to: self.map(of: work.result.name, row: row.id).path)
        }
    }

    private func addExternalMaps(of sample: Dataset.Sample, to work: inout Work) throws {
        for maps in evaluation.maps {
            let row = EvaluationRow.external(maps.name)
            do {
                var map = try ExternalMaps.read(maps.file(for: sample.name, isOnly: isOnly(sample)))
                var size: [Int]?
                if map.width != work.result.width || map.height != work.result.height {
                    size = [map.width, map.height]
                    map = try map.resized(width: work.result.width, height: work.result.height)
                }
                try add(map, row, resizedFrom: size, to: &work)
            } catch let error as EvaluationError {
                throw error
            } catch {
                work.result.missing[row.id] = "\(error)"
            }
        }
    }

    /// The classifier's map and, of each segmenter, the map by the chosen refinement, on the degraded image.
    private func add(_ degradation: Degradation, of file: ImageFile, to work: inout Work) throws {
        let variants = evaluation.variants
        // Every image its own noise, the same in every run.
        let seed = UInt64(resultStem(work.result.name).suffix(15), radix: 16) ?? 1
        let degraded = try degradation.applied(to: file.image, seed: seed)
        let verdict = try variants.maps(
            of: degraded, orientation: file.orientation, refinements: variants.mainRefinements, includesViews: false,
            progress: { _, _ in }
        ) { variant in
            let map = try variant.map.resized(width: file.image.width, height: file.image.height)
            try add(LevelMap(map), variant.row.after(degradation), score: variant.probability, to: &work)
        }
        work.settle(probability: verdict.probability)
    }
}
