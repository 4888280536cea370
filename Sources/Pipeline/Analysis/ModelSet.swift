import Foundation

/// The models of one way of analysing, opened and ready.
public struct ModelSet: Sendable {
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
    ///   - segmentation: what proposes regions.
    ///   - threads: for each session; nil for one per core.
    /// - Throws: `ModelFolderError`, `ModelSetError`, `ContractError`, `LoaderError` or `ImageError`.
    public init(
        folder: URL, fallback: URL? = nil, classifiers files: [URL] = [],
        segmentation: SegmenterSelection = SegmenterSelection(), threads: Int? = nil
    ) throws {
        var opener = ModelOpener(folder: folder, fallback: fallback, threads: threads)
        let classifierFiles =
            try files.isEmpty
            ? [opener.file(for: .classifier, isStated: false)]
            : files.map { url in
                do {
                    return try ModelFile(url, role: .classifier)
                } catch let error as ContractError {
                    throw ModelSetError(file: url.path, reason: "\(error)")
                }
            }
        classifiers = try classifierFiles.map { file in
            let session = try opener.session(file)
            do {
                return try Classifier(file, session)
            } catch let error as LinearHeadError {
                throw ModelSetError(file: file.url.path, reason: "\(error)")
            }
        }
        segmenter = try opener.segmenter(segmentation)
        used = try opener.used()
    }
}
