/// Why a dataset cannot be used: what was found and what was looked for.
public enum DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    case notFound(String)
    case unreadable(String, reason: String)
    case folderIsFile(String)
    case listIsFolder(String)
    case tooManyFiles(String, limit: Int)
    /// Several layouts fit.
    case ambiguous(String, [Dataset.Layout])
    /// None fits; with what each one would have.
    case unknownLayout(String, wanted: [String])
    /// The layout has nothing to score; with the first of the files that were skipped.
    case noSamples(String, layout: Dataset.Layout, wanted: String, skipped: [String])
    case badList(String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let path):
            "\(path): there is no such file or folder; check the name"
        case .unreadable(let path, let reason):
            "\(path): the folder cannot be read (\(reason)); check its permissions"
        case .folderIsFile(let path):
            "\(path): this is a file, but the layout is that of a folder; name the folder, or leave out --layout"
        case .listIsFolder(let path):
            "\(path): this is a folder, but a list is a JSON, CSV or text file; name the file, or leave out --layout"
        case .tooManyFiles(let path, let limit):
            "\(path): more than \(limit) files, which no dataset has; name the dataset's own folder"
        case .ambiguous(let path, let layouts):
            "\(path): this may be \(layouts.map(\.rawValue).joined(separator: " or ")); choose with --layout, or name the"
                + " folder of one dataset"
        case .unknownLayout(let path, let wanted):
            "\(path): no known layout of a dataset. Looked for:\n" + wanted.map { "  \($0)" }.joined(separator: "\n")
                + "\nChoose one with --layout, or name a list of images and masks"
        case .noSamples(let path, let layout, let wanted, let skipped):
            "\(path): no image to use in the layout \(layout.rawValue) (\(wanted))"
                + (skipped.isEmpty ? "" : "; skipped: " + skipped.joined(separator: "; "))
        case .badList(let path, let reason):
            "\(path): the list cannot be read: \(reason)"
        }
    }
}
