import Foundation

/// A look at a file's first bytes.
enum FileHeader {
    /// Why a file cannot be used as an image; nil when it may be one.
    static func problem(_ url: URL) -> Dataset.Skipped.Reason? {
        let bytes: [UInt8]
        do throws(ImageError.Problem) {
            bytes = try FileBytes.readStart(url.path, count: 32)
        } catch {
            switch error {
            case .empty: return .empty
            case .notFound: return .missing(path: url.path)
            default: return .unreadable(reason: error.description)
            }
        }
        guard ImageFormat(firstBytes: bytes) == nil else { return nil }
        return .unknownFormat(name: ImageFormat.unreadName(firstBytes: bytes))
    }
}
