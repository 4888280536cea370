import Foundation
import ONNXLoader
import Runtime

/// Opens models by their role, and remembers which were opened.
public struct ModelOpener {
    /// Where models are found by role.
    public let folder: URL
    /// Where they are found when `folder` has none of a role; nil for nowhere else.
    public let fallback: URL?
    /// For each session; nil for one per core.
    public let threads: Int?
    /// Measures the runs of all sessions.
    public let networks = NetworkClock()
    private var opened: [ModelFile] = []

    public init(folder: URL, fallback: URL? = nil, threads: Int? = nil) {
        self.folder = folder
        self.fallback = fallback
        self.threads = threads
    }

    /// The only model of a role.
    ///
    /// - Parameter isStated: whether a file that says nothing of its role may be it.
    /// - Throws: `ModelFolderError`.
    public func file(for role: ModelRole, isStated: Bool = true) throws(ModelFolderError) -> ModelFile {
        do throws(ModelFolderError) {
            return try ModelFolder(folder).model(for: role, isStated: isStated)
        } catch {
            guard case .noModel = error, let fallback,
                let other = try? ModelFolder(fallback).model(for: role, isStated: isStated)
            else { throw error }
            return other
        }
    }

    /// The classifier, in one file or more: see `ModelFolder.classifiers`.
    /// - Throws: `ModelFolderError`.
    public func classifiers() throws(ModelFolderError) -> [ModelFile] {
        do throws(ModelFolderError) {
            return try ModelFolder(folder).classifiers()
        } catch {
            guard case .noModel = error, let fallback, let others = try? ModelFolder(fallback).classifiers()
            else { throw error }
            return others
        }
    }

    /// - Throws: `ModelSetError` when the graph cannot be run.
    public mutating func session(_ file: ModelFile) throws(ModelSetError) -> any Inference {
        opened.append(file)
        do {
            return TimedInference(try Session(file.model, options: .init(threads: threads)), networks)
        } catch {
            throw ModelSetError(file: file.url.path, reason: "\(error)")
        }
    }

    /// SAM's two halves.
    ///
    /// - Parameter cache: the folder where embeddings are kept; nil for none.
    /// - Throws: `ModelFolderError`, `ModelSetError`, `ContractError` when the halves do not belong together, or `ImageError`
    ///   when the encoder's file cannot be read for its checksum.
    public mutating func sam(cache: URL? = nil) throws -> SAMModel {
        let encoder = try file(for: .samEncoder)
        let decoder = try file(for: .samDecoder)
        let embeddings = try cache.map { folder in
            EmbeddingCache(folder: folder, encoder: try encoder.weightsChecksum())
        }
        return try SAMModel(
            SAMEncoder(SAMEncoderContract(encoder.contract.signature), session(encoder), cache: embeddings),
            SAMDecoder(SAMDecoderContract(decoder.contract.signature), session(decoder)),
            generation: decoder.contract.generation)
    }

    /// One segmenter for everything that is selected; nil when nothing is.
    /// - Throws: as `sam(cache:)`.
    public mutating func segmenter(_ selection: SegmenterSelection) throws -> (any Segmenter)? {
        var segmenters: [any Segmenter] = []
        for kind in selection.kinds {
            switch kind {
            case .deeplab:
                let file = try file(for: .deeplab)
                segmenters.append(
                    try SemanticSegmenter(file.contract, session(file), options: selection.semantic))
            case .pspnet:
                let file = try file(for: .pspnet)
                segmenters.append(
                    try SemanticSegmenter(file.contract, session(file), options: selection.semantic))
            case .sam:
                let sam = try sam(cache: selection.embeddingCache)
                var options = selection.sam
                options.pointsPerSide = selection.pointsPerSide ?? sam.generation.pointsPerSide
                options.predictedIoUThreshold =
                    selection.predictedIoUThreshold ?? sam.generation.predictedIoUThreshold
                options.stabilityThreshold = selection.stabilityThreshold ?? sam.generation.stabilityThreshold
                options.threads = options.threads ?? threads
                segmenters.append(
                    selection.prompts.isEmpty
                        ? SAMSegmenter(sam.encoder, sam.decoder, options: options)
                        : PromptedSegmenter(sam, prompts: selection.prompts, threads: threads))
            }
        }
        return segmenters.count > 1 ? CombinedSegmenter(segmenters) : segmenters.first
    }

    /// The files of all sessions so far, for reports.
    /// - Throws: `ImageError` when a file cannot be read for its checksum.
    public func used() throws(ImageError) -> [AnalysisReport.ModelUsed] {
        var used: [AnalysisReport.ModelUsed] = []
        for file in opened {
            used.append(
                AnalysisReport.ModelUsed(
                    role: file.contract.role.rawValue, file: file.url.lastPathComponent,
                    sha256: try Checksum.sha256(ofFile: file.url.path)))
        }
        return used
    }
}

extension ModelFile {
    /// The SHA-256 of the file together with its weights, some of which may lie in files beside it.
    fileprivate func weightsChecksum() throws -> String {
        var digests = try Checksum.sha256(ofFile: url.path)
        for (_, tensor) in model.graph.initializers.sorted(by: { $0.key < $1.key }) {
            guard case .bytes(let region) = tensor.payload else { continue }
            digests += try region.withUnsafeBytes { bytes in
                try Checksum.sha256(bytes)
            }
        }
        return try Checksum.sha256(Array(digests.utf8))
    }
}

/// A model that cannot do what it was chosen for.
public struct ModelSetError: Error, Sendable, Hashable, CustomStringConvertible {
    public let file: String
    public let reason: String

    public var description: String { "\(file): \(reason)" }
}
