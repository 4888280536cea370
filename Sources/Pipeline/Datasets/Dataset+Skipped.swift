extension Dataset.Skipped {
    /// Why a file is not used.
    public enum Reason: Sendable, Hashable {
        /// A manipulated image without a mask; with the stems that a mask may have.
        case noMask(stems: [String])
        case maskWithoutImage
        /// A mask of an image that was not manipulated.
        case maskOfAuthenticImage
        /// A mask of something other than the manipulated pixels, such as the copied region's source.
        case otherMask
        /// Other files, of which a few are named, have the same stem, so that no pair is certain.
        case duplicateStem(others: [String])
        /// The image stands earlier in the list.
        case duplicate
        /// The file's place has no meaning in the layout.
        case notPartOfLayout
        /// Not an image; with the format's name when it is a well-known one.
        case unknownFormat(name: String?)
        case empty
        case unreadable(reason: String)
        /// A link to a folder that contains it.
        case loop
        /// A list or table names a file that is not there.
        case missing(path: String)
        case badRow(reason: String)
    }
}

extension Dataset.Skipped.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noMask(let stems): "manipulated, but there is no mask \(stems.map(quoted).joined(separator: " or "))"
        case .maskWithoutImage: "a mask without an image of its stem"
        case .maskOfAuthenticImage: "a mask of an image that was not manipulated"
        case .otherMask: "a mask of something other than the manipulated pixels"
        case .duplicateStem(let others):
            "its stem is also that of \(others.joined(separator: ", ")): no pair is certain"
        case .duplicate: "the image stands earlier in the list"
        case .notPartOfLayout: "its place has no meaning in this layout"
        case .unknownFormat(let name?): "\(name) files are not read"
        case .unknownFormat(nil): "not an image of a known format"
        case .empty: "the file is empty"
        case .unreadable(let reason): "it cannot be read: \(reason)"
        case .loop: "a link to a folder that contains it"
        case .missing(let path): "there is no file \(quoted(path))"
        case .badRow(let reason): reason
        }
    }
}

extension Dataset.Skipped: CustomStringConvertible {
    public var description: String { "\(file): \(reason)" }
}
