import Foundation
import Pipeline

/// The files that Tests/Fixtures/images.py writes, and what it says of them.
enum ImageFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Fixtures/images").standardizedFileURL

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appending(path: name))) }

    static func json<Value: Decodable>(_ name: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: name)))
    }

    /// What a file holds. Raw bytes stand in JSON as base64.
    struct Expectation: Decodable {
        let width: Int
        let height: Int
        let orientation: Int
        let warnings: Int
        let rgb: Data
    }

    static let expectations: [String: Expectation] = (try? json("expected.json")) ?? [:]
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { url.appending(path: name).path }

    deinit { try? FileManager.default.removeItem(at: url) }
}
