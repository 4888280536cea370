import Foundation

/// Names for the results of photos, so that two photos of the same name do not overwrite each other's files.
struct FileStems: Sendable {
    private var given: Set<String> = []

    /// The photo's name without folder and extension, with a number behind it when that was given before.
    mutating func newStem(for name: String) -> String {
        let file = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
        let stem = file.isEmpty ? "photo" : file
        var candidate = stem
        var number = 2
        while !given.insert(candidate).inserted {
            candidate = "\(stem)-\(number)"
            number += 1
        }
        return candidate
    }
}
