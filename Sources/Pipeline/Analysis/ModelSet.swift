import Foundation
import ONNXLoader
import Runtime

/// The models of one way of analysing, opened and ready.
public struct ModelSet: Sendable {
    /// Which segmenter proposes regions.
    public enum SegmenterChoice: String, Sendable, CaseIterable {
        case deeplab, pspnet, sam, none
    }

    public let classifiers: [Classifier]
    public let segmenter: (any Segmenter)?
    /// What was opened, for reports.
    public let used: [AnalysisReport.ModelUsed]

    /// Opens the models that a choice needs.
    ///
    /// - Parameters:
    ///   - folder: where models are found by role.
    ///   - fallback: where they are found when `folder` has none of a role; nil for nowhere else.
    ///   - classifiers: files to use as classifiers instead of the folder's.
    ///   - threads: for each session; nil for one per core.
    /// - Throws: `ModelFolderError`, `ContractError`, `LinearHeadError`, `LoaderError` or `RuntimeError`.
    public init(
        folder: URL, fallback: URL? = nil, classifiers files: [URL] = [], segmenter choice: SegmenterChoice,
        threads: Int? = nil
    ) throws {
        let folders = Folders(folder: folder, fallback: fallback)
        var used: [ModelFile] = []
        func session(_ file: ModelFile) throws -> Session {
            used.append(file)
            do {
                return try Session(file.model, options: .init(threads: threads))
            } catch {
                throw ModelSetError(file: file.url.path, reason: "\(error)")
            }
        }
        let classifierFiles =
            try files.isEmpty
            ? [folders.model(for: .classifier)]
            : files.map { url in
                do {
                    return try ModelFile(url, role: .classifier)
                } catch let error as ContractError {
                    throw ModelSetError(file: url.path, reason: "\(error)")
                }
            }
        classifiers = try classifierFiles.map { file in
            let session = try session(file)
            do {
                return try Classifier(file, session)
            } catch let error as LinearHeadError {
                throw ModelSetError(file: file.url.path, reason: "\(error)")
            }
        }
        switch choice {
        case .none: segmenter = nil
        case .deeplab:
            let file = try folders.model(for: .deeplab)
            segmenter = try SemanticSegmenter(file.contract, session(file))
        case .pspnet:
            let file = try folders.model(for: .pspnet)
            segmenter = try SemanticSegmenter(file.contract, session(file))
        case .sam:
            let encoder = try folders.model(for: .samEncoder)
            let decoder = try folders.model(for: .samDecoder)
            segmenter = SAMSegmenter(
                SAMEncoder(try SAMEncoderContract(encoder.contract.signature), try session(encoder)),
                SAMDecoder(try SAMDecoderContract(decoder.contract.signature), try session(decoder)),
                options: .init(pointsPerSide: decoder.contract.pointsPerSide))
        }
        self.used = try used.map { file in
            AnalysisReport.ModelUsed(
                role: file.contract.role.rawValue, file: file.url.lastPathComponent,
                sha256: try Checksum.sha256(ofFile: file.url.path))
        }
    }

    /// A folder whose gaps another one fills.
    private struct Folders {
        let folder: URL
        let fallback: URL?

        func model(for role: ModelRole) throws(ModelFolderError) -> ModelFile {
            do throws(ModelFolderError) {
                return try ModelFolder(folder).model(for: role, isStated: role != .classifier)
            } catch {
                guard case .noModel = error, let fallback,
                    let other = try? ModelFolder(fallback).model(for: role, isStated: role != .classifier)
                else { throw error }
                return other
            }
        }
    }
}

/// A model that cannot do what it was chosen for.
public struct ModelSetError: Error, Sendable, Hashable, CustomStringConvertible {
    public let file: String
    public let reason: String

    public var description: String { "\(file): \(reason)" }
}
