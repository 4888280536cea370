import Foundation

/// An executable of the package as it was built for these tests.
struct BuiltExecutable {
    struct Result {
        var exitCode: Int32
        var output: String
        var errors: String

        /// Standard output as one JSON object.
        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
        }
    }

    let name: String

    /// The folder that holds the test bundle holds the executables as well.
    private static var folder: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    func callAsFunction(_ arguments: String...) throws -> Result { try self(arguments) }

    func callAsFunction(_ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL = Self.folder.appending(path: name)
        process.arguments = arguments
        let scratch = try Scratch()
        // Files, because a full pipe would stop the executable while nobody reads it.
        let (output, errors) = (scratch.path("output"), scratch.path("errors"))
        for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Result(
            exitCode: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}

/// A folder of its own that is removed with the object.
final class Scratch {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func url(_ name: String) -> URL { folder.appending(path: name) }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url(name))
        return path(name)
    }
}

/// Files in `Tests/Fixtures`.
func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures").appending(path: name).path
}
