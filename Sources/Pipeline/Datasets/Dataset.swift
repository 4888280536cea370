import Foundation

/// Images whose manipulated pixels are known: one of the published collections as it was released, a folder of images and
/// masks, or a list.
///
/// Images and masks pair by stem, never by order. What is in the folder and not used stands in `skipped`, with the reason.
public struct Dataset: Sendable {
    /// How a collection lies on the disk.
    public enum Layout: String, Sendable, Hashable, CaseIterable {
        case casia2, casia1, columbia, coverage, nist16, imd2020, cocoglide, dso1, korus
        /// `Tp` and `Gt` (and `Au`), or `images` and `masks` (and `authentic`).
        case folder
        /// A JSON, CSV or text file that names images and masks.
        case list
    }

    /// An image and the truth about it.
    public struct Sample: Sendable, Hashable {
        /// The image's path from the dataset's root; for images outside of it, the whole path. No two samples share one.
        public let name: String
        public let image: URL
        public let truth: Truth
        /// nil when the collection does not say, and for authentic images.
        public let manipulation: Manipulation?

        public init(name: String, image: URL, truth: Truth, manipulation: Manipulation? = nil) {
            self.name = name
            self.image = image
            self.truth = truth
            self.manipulation = manipulation
        }
    }

    public enum Truth: Sendable, Hashable {
        case authentic
        /// A picture whose pixels say where the image was manipulated.
        case mask(URL, MaskRule)
    }

    public enum Manipulation: String, Sendable, Hashable, CaseIterable {
        /// A part of another image was pasted.
        case splice
        /// A part of the same image was pasted.
        case copyMove = "copy-move"
    }

    /// A file of the dataset that is not used.
    public struct Skipped: Sendable, Hashable {
        /// The file's path from the dataset's root, or a place in a list such as `list.csv:12`.
        public let file: String
        public let reason: Reason
    }

    public let layout: Layout
    /// The folder that names are relative to.
    public let root: URL
    /// Ordered by name.
    public let samples: [Sample]
    /// Ordered by file.
    public let skipped: [Skipped]

    /// Reads a dataset's files and pairs them. Of images and masks only the first bytes are read.
    ///
    /// - Parameters:
    ///   - url: the collection's folder, or a list.
    ///   - layout: nil to find it out.
    /// - Throws: `DatasetError`.
    public init(_ url: URL, layout: Layout? = nil) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw DatasetError.notFound(url.path)
        }
        let contents: DatasetContents
        if isDirectory.boolValue {
            guard layout != .list else { throw DatasetError.listIsFolder(url.path) }
            root = url.standardizedFileURL
            let tree = try FileTree(root)
            let found = try layout ?? Self.detect(tree)
            self.layout = found
            contents = found == .nist16 ? try NIST16Table.read(tree) : ReleaseRules[found].read(tree)
        } else {
            guard layout == nil || layout == .list else { throw DatasetError.folderIsFile(url.path) }
            root = url.deletingLastPathComponent().standardizedFileURL
            self.layout = .list
            contents = try ListFile(url).contents(root: root)
        }
        samples = contents.samples.sorted { $0.name < $1.name }
        skipped = contents.skipped.sorted { $0.file < $1.file }
        guard !samples.isEmpty else {
            throw DatasetError.noSamples(
                url.path, layout: self.layout, wanted: ReleaseRules.wanted(self.layout),
                skipped: skipped.prefix(5).map(\.description))
        }
    }

    /// - Throws: `DatasetError.ambiguous` or `unknownLayout`.
    private static func detect(_ tree: FileTree) throws(DatasetError) -> Layout {
        let releases = Layout.allCases.filter { layout in
            switch layout {
            case .folder, .list: false
            case .nist16: NIST16Table.matches(tree)
            default: ReleaseRules[layout].matches(tree)
            }
        }
        guard releases.count <= 1 else { throw .ambiguous(tree.root.path, releases) }
        if let release = releases.first { return release }
        if ReleaseRules[.folder].matches(tree) { return .folder }
        throw .unknownLayout(
            tree.root.path, wanted: Layout.allCases.map { "\($0.rawValue): \(ReleaseRules.wanted($0))" })
    }
}

/// What a layout's reader finds.
struct DatasetContents {
    var samples: [Dataset.Sample] = []
    var skipped: [Dataset.Skipped] = []

    mutating func skip(_ file: String, _ reason: Dataset.Skipped.Reason) {
        skipped.append(.init(file: file, reason: reason))
    }
}
