import Foundation

@testable import Pipeline

/// A dataset of small files in a folder that is gone when the test is over.
final class MiniatureDataset {
    let folder: TemporaryFolder
    var url: URL { folder.url }

    init() throws { folder = try TemporaryFolder() }

    /// Makes files by their paths: copies of Tests/Fixtures/images, chosen by extension (any case).
    func images(_ paths: String...) throws {
        let fixtures = ["jpg": "420.jpg", "png": "rgb8.png", "tif": "raw.tif", "bmp": "24.bmp", "webp": "lossy.webp"]
        for path in paths {
            let url = try place(path)
            let name = try fixtures[url.pathExtension.lowercased()].unwrapped()
            try FileManager.default.copyItem(at: ImageFixtures.folder.appending(path: name), to: url)
        }
    }

    /// Masks of 4 × 2 pixels whose left half is 255, written as PNG whatever their name.
    func masks(_ paths: String...) throws {
        for path in paths { try grey([255, 255, 0, 0, 255, 255, 0, 0], width: 4, path) }
    }

    func grey(_ values: [UInt8], width: Int, _ path: String) throws {
        let image = try RGBImage(
            width: width, height: values.count / width, pixels: values.flatMap { [$0, $0, $0] })
        try PNGWriter.write(image, to: try place(path).path)
    }

    func text(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: try place(path)) }

    func place(_ path: String) throws -> URL {
        let url = self.url.appending(path: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url
    }
}

struct MissingValue: Error {}

extension Optional {
    func unwrapped() throws -> Wrapped {
        guard let self else { throw MissingValue() }
        return self
    }
}

extension Dataset {
    /// A line for each sample: name, mask, manipulation.
    var summary: [String] {
        samples.map { sample in
            var parts = [sample.name]
            switch sample.truth {
            case .authentic: parts.append("authentic")
            case .mask(let url, _):
                let path = url.path
                let start = root.path + "/"
                parts.append(path.hasPrefix(start) ? String(path.dropFirst(start.count)) : path)
            }
            if let manipulation = sample.manipulation { parts.append(manipulation.rawValue) }
            return parts.joined(separator: " ")
        }
    }

    /// The reasons of skipped files.
    var reasons: [String: Skipped.Reason] {
        Dictionary(skipped.map { ($0.file, $0.reason) }) { first, _ in first }
    }

    var rules: Set<MaskRule> {
        Set(samples.compactMap { if case .mask(_, let rule) = $0.truth { rule } else { nil } })
    }
}
