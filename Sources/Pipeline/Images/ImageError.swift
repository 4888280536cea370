import ImageCodecs

/// The kinds of files that are read.
public typealias ImageFormat = ImageCodecs.ImageFormat

/// Why a picture could not be read or written: the file, what is wrong, and what to do.
public struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named by the caller.
    public let file: String
    public let problem: Problem

    public init(file: String, problem: Problem) {
        self.file = file
        self.problem = problem
    }

    public enum Problem: Sendable, Hashable {
        case notFound
        case isDirectory
        /// A device, a pipe or a socket.
        case notAFile
        case unreadable(reason: String)
        case empty
        case fileTooLarge(bytes: Int, limit: Int)
        /// None of the formats of `ImageFormat`; `name` when it is a well-known one.
        case unknownFormat(name: String?)
        /// A kind of the format that is not read.
        case unsupported(ImageFormat, reason: String)
        case corrupt(ImageFormat, reason: String)
        /// The data ends before the picture is complete.
        case truncated(ImageFormat, reason: String)
        case tooManyPixels(width: Int, height: Int, limit: Int)
        case sideTooLong(width: Int, height: Int, limit: Int)
        case outOfMemory
        case unwritable(reason: String)
    }

    public var description: String { "\(file): \(problem)" }
}

extension ImageError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound:
            "there is no such file; check the name"
        case .isDirectory:
            "this is a folder; name the images in it"
        case .notAFile:
            "this is not a regular file; save the image to a file first"
        case .unreadable(let reason):
            "the file cannot be read (\(reason)); check its permissions"
        case .empty:
            "the file is empty; get a new copy of it"
        case .fileTooLarge(let bytes, let limit):
            "the file has \(bytes) bytes, more than the limit of \(limit); raise the limit if it is a photograph"
        case .unknownFormat(let name?):
            "\(name) files are not read; convert it to PNG or TIFF without loss"
        case .unknownFormat(nil):
            "this is not an image of a known format (\(ImageFormat.allCases.map(\.rawValue).joined(separator: ", ")))"
        case .unsupported(let format, let reason):
            "this kind of \(format.rawValue) is not read: \(reason)"
        case .corrupt(let format, let reason):
            "the \(format.rawValue) data is damaged (\(reason)); get a new copy of the file"
        case .truncated(let format, let reason):
            "the \(format.rawValue) file is cut off (\(reason)); get a complete copy of it"
        case .tooManyPixels(let width, let height, let limit):
            "the picture has \(width) × \(height) pixels, more than the limit of \(limit); raise the limit or cut it"
        case .sideTooLong(let width, let height, let limit):
            "the picture has \(width) × \(height) pixels and a side longer than \(limit); cut it into parts"
        case .outOfMemory:
            "there is not enough memory for the picture; close other programs or use a smaller picture"
        case .unwritable(let reason):
            "the file cannot be written (\(reason)); check the folder, its permissions and the free space"
        }
    }
}
