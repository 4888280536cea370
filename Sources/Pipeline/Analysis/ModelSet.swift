import Foundation

/// The models of one way of analysing, opened and ready.
public struct ModelSet: Sendable {
    public let classifiers: [Classifier]
    public let student: Student?
    public let segmenter: (any Segmenter)?
    /// Measures the runs of all of them.
    public let networks: NetworkClock
    /// What was opened, for reports.
    public let used: [AnalysisReport.ModelUsed]

    /// Opens the models that a choice needs.
    ///
    /// - Parameters:
    ///   - folder: where models are found by role.
    ///   - fallback: where they are found when `folder` has none of a role; nil for nowhere else.
    ///   - classifiers: files to use as classifiers instead of the folder's.
    ///   - student: a file whose map is taken instead of the classifiers'; then there are no classifiers but `classifiers`.
    ///   - segmentation: what proposes regions.
    ///   - views: the numbers of the views that take part, see `ViewNumbers`; nil for all.
    ///   - activation: how activation maps are made.
    ///   - threads: for each session; nil for one per core.
    /// - Throws: `ModelFolderError`, `ModelSetError`, `ViewSelectionError`, `ContractError`, `LoaderError` or `ImageError`.
    public init(
        folder: URL, fallback: URL? = nil, classifiers files: [URL] = [], student: URL? = nil,
        segmentation: SegmenterSelection = SegmenterSelection(), views: [Int]? = nil,
        activation: ActivationMethod = .gradCAM, threads: Int? = nil
    ) throws {
        var opener = ModelOpener(folder: folder, fallback: fallback, threads: threads)
        networks = opener.networks
        let classifierFiles =
            try files.isEmpty
            ? (student == nil ? opener.classifiers() : [])
            : files.map { url in
                do {
                    return try ModelFile(url, role: .classifier)
                } catch let error as ContractError {
                    throw ModelSetError(file: url.path, reason: "\(error)")
                }
            }
        let numbers = ViewNumbers(classifierFiles.map(\.contract))
        let places = try views.map(numbers.places) ?? numbers.numbers.map { Array($0.indices) }
        classifiers = try classifierFiles.indices.filter { !places[$0].isEmpty }.map { index in
            let file = classifierFiles[index]
            let session = try opener.session(file)
            do {
                return try Classifier(
                    file, session, numbers: numbers.numbers[index], places: places[index],
                    method: activation)
            } catch let error as LinearHeadError {
                throw ModelSetError(file: file.url.path, reason: "\(error)")
            }
        }
        self.student = try student.map { try opener.student($0) }
        segmenter = try opener.segmenter(segmentation)
        used = try opener.used()
    }
}
