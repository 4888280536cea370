import Foundation
import TestSupport
import Testing

@testable import ONNXLoader

/// Damaged files give tensors or an error; nothing else happens.
@Suite struct DamagedArchiveTests {
    private func read(_ bytes: [UInt8]) throws -> TensorArchive? {
        try TensorArchive.archive(ByteRegion(copying: bytes), file: "damaged", limits: ArchiveFixtures.tight)
    }

    @Test(arguments: ["small.npy", "small.npz", "small.safetensors", "small.pth"])
    func truncatedAnywhere(_ file: String) throws {
        let bytes = try ArchiveFixtures.bytes(file)
        #expect(try read(bytes)?.tensors.count == 1)
        for count in 1..<bytes.count {
            let result = Result { try read(Array(bytes[..<count])) }
            if case .success(let archive?) = result {
                Issue.record("\(archive.tensors.count) tensors read from \(count) of \(bytes.count) bytes")
            }
        }
    }

    @Test(arguments: [
        "plain.npz", "compressed.npz", "layout.npz", "version2.npy", "plain.safetensors", "state.pth", "views.pth",
        "types.pth", "checkpoint.pth",
    ])
    func mutated(_ file: String) throws {
        let original = try ArchiveFixtures.bytes(file)
        var random = SplitMix64(state: 2024)
        var read = 0
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            if let archive = try? self.read(bytes) {
                read += 1
                for case .bytes(let region) in archive.tensors.values.map(\.payload) {
                    // Every byte that a tensor claims can be read.
                    let sum = region.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
                    #expect(sum >= 0)
                }
            }
        }
        #expect(read < 2000)
    }

    /// Mutated pickles inside an intact archive, which the checksum would otherwise keep from the machine.
    @Test(arguments: ["state.pth", "views.pth", "types.pth", "checkpoint.pth"])
    func mutatedPickle(_ file: String) throws {
        let bytes = ByteRegion(copying: try ArchiveFixtures.bytes(file))
        let zip = try ZipReader(bytes, limits: ArchiveLimits())
        let index = try #require(zip.names.firstIndex { $0.hasSuffix("/data.pkl") })
        var budget = ByteBudget(ArchiveLimits())
        let original = try zip.read(index, budget: &budget).withUnsafeBytes { Array($0) }
        var random = SplitMix64(state: 7)
        var failures = 0
        for _ in 0..<5000 {
            var pickle = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                pickle[Int.random(in: 0..<pickle.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            pickle.withUnsafeBytes { bytes in
                var machine = PickleMachine(bytes, limits: ArchiveFixtures.tight)
                if (try? machine.run()) == nil { failures += 1 }
            }
        }
        #expect(failures > 0)
    }

    @Test func otherFiles() throws {
        let text = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pth")
        defer { try? FileManager.default.removeItem(at: text) }
        try Data("weights, but not really\n".utf8).write(to: text)
        #expect(throws: ArchiveError(file: text.path, problem: .unrecognised)) { try TensorArchive(contentsOf: text) }
        try Data().write(to: text)
        #expect(throws: LoaderError.emptyFile(file: text.path)) { try TensorArchive(contentsOf: text) }
        #expect(throws: LoaderError.self) { try TensorArchive(contentsOf: ArchiveFixtures.folder) }
        #expect(throws: LoaderError.self) { try TensorArchive(contentsOf: ArchiveFixtures.url("absent.npz")) }
    }
}
