import Foundation
import Testing

@testable import Pipeline

@Suite struct ResultStoreTests {
    private let folder: TemporaryFolder
    private let store: ResultStore

    init() throws {
        folder = try TemporaryFolder()
        store = try ResultStore(folder.url)
    }

    private func example() throws -> (ImageResult, [UInt8]) {
        let packed = try EvaluationFixtures.shared.pixels[0].histogram.packed
        var result = ImageResult(
            key: "key", name: "Tp/ü <1>.jpg", isManipulated: true, width: 30, height: 30, maskArea: 7, probability: 0.75
        )
        result.rows = [
            .init(
                row: .activation, probability: 0.75, maximum: 1,
                sections: [.native: .init(offset: 2, count: packed.count)])
        ]
        return (result, [0, 0] + packed)
    }

    private var file: URL {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
            return folder.url.appending(path: try #require(names.first))
        }
    }

    @Test func resultsSurvive() throws {
        let (result, histograms) = try example()
        _ = try store.write(result, histograms: histograms)
        let stored = try #require(store.result(for: result.name, key: "key"))
        #expect(stored.result.rows.map(\.row) == [.activation])
        let histogram = try stored.histogram(stored.result.rows[0], .native)
        #expect(try histogram == EvaluationFixtures.shared.pixels[0].histogram)
        #expect(throws: EvaluationError.self) { try stored.histogram(stored.result.rows[0], .banded) }
    }

    @Test func anotherKeyOrNameHasNoResult() throws {
        let (result, histograms) = try example()
        _ = try store.write(result, histograms: histograms)
        #expect(store.result(for: result.name, key: "other") == nil)
        #expect(store.result(for: "Tp/other.jpg", key: "key") == nil)
    }

    @Test func damagedFilesAreNoResults() throws {
        let (result, histograms) = try example()
        _ = try store.write(result, histograms: histograms)
        let whole = try Data(contentsOf: file)
        for count in [0, 7, 15, 16, 200, whole.count - 1] {
            try whole.prefix(count).write(to: file)
            #expect(store.result(for: result.name, key: "key") == nil, "\(count) bytes")
        }
        var huge = whole
        huge.replaceSubrange(8..<16, with: [UInt8](repeating: 0xff, count: 8))
        try huge.write(to: file)
        #expect(store.result(for: result.name, key: "key") == nil)
        try whole.write(to: file)
        #expect(store.result(for: result.name, key: "key") != nil)
    }

    @Test func namesOfFilesAreSafeAndDiffer() {
        let names = ["a/x.jpg", "b/x.jpg", "../../etc/passwd", "ü.png", "é.png", String(repeating: "n", count: 400)]
        let stems = names.map(resultStem)
        #expect(Set(stems).count == names.count)
        for stem in stems {
            #expect(stem.utf8.count < 100)
            #expect(stem.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
        }
    }
}

extension StoredResult: Equatable {
    public static func == (a: StoredResult, b: StoredResult) -> Bool { a.file == b.file && a.start == b.start }
}
