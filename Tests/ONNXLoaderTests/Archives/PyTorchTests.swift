import Foundation
import Testing

@testable import ONNXLoader

/// What `torch.save` wrote, and what must not be read.
@Suite struct PyTorchTests {
    private static let stateNames: Set = ["conv.weight", "conv.bias", "bn.running_mean", "bn.num_batches_tracked"]

    @Test(arguments: ["state.pth", "protocol5.pth"])
    func stateDictionary(_ file: String) throws {
        let archive = try ArchiveFixtures.read(file)
        #expect(archive.format == .pytorch)
        #expect(Set(archive.tensors.keys) == Self.stateNames.union(["bn.weight", "bn.bias", "bn.running_var"]))
        let weight = try #require(archive.tensors["conv.weight"])
        #expect(weight.shape == [2, 3, 2, 2])
        #expect(weight.elements(Float.self) == (0..<24).map { Float($0) })
        #expect(archive.tensors["conv.bias"]?.elements(Float.self) == [0.5, -0.5])
        #expect(archive.tensors["bn.num_batches_tracked"]?.elementType == .int64)
        #expect(archive.tensors["bn.num_batches_tracked"]?.shape == [])
    }

    @Test(arguments: ["checkpoint.pth", "nested.pth"])
    func checkpoint(_ file: String) throws {
        let archive = try ArchiveFixtures.read(file)
        #expect(Set(archive.tensors.keys) == Self.stateNames)
        #expect(archive.notes.first?.contains("left out") == true)
        #expect(archive.tensors["bn.num_batches_tracked"]?.elements(Int64.self) == [7])
    }

    @Test func dictionariesAreJoined() throws {
        let tensors = try ArchiveFixtures.read("parts.pth").tensors
        #expect(Set(tensors.keys) == ["encoder.weight", "layers.0", "layers.1.bias"])
    }

    @Test func viewsOfOneStorage() throws {
        let tensors = try ArchiveFixtures.read("views.pth").tensors
        let base = (0..<24).map { Float($0) }
        #expect(tensors["base"]?.elements(Float.self) == base)
        #expect(tensors["transposed"]?.shape == [6, 4])
        let transposed: [Float] = (0..<6).flatMap { column in (0..<4).map { row in base[row * 6 + column] } }
        #expect(tensors["transposed"]?.elements(Float.self) == transposed)
        #expect(tensors["row"]?.elements(Float.self) == [12, 13, 14, 15, 16, 17])
        #expect(tensors["columns"]?.shape == [4, 3])
        #expect(tensors["columns"]?.elements(Float.self) == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23])
        #expect(tensors["element"]?.shape == [])
        #expect(tensors["element"]?.elements(Float.self) == [23])
        #expect(tensors["empty"]?.shape == [0, 6])
        #expect(tensors["parameter"]?.elements(Float.self) == [0, 1, 2, 3, 4, 5])
    }

    @Test func elementTypes() throws {
        let tensors = try ArchiveFixtures.read("types.pth").tensors
        let expected: [String: ElementType] = [
            "float64": .float64, "float16": .float16, "bfloat16": .bfloat16, "int64": .int64, "int32": .int32,
            "int16": .int16, "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64,
            "complex64": .complex64, "complex128": .complex128, "float8_e4m3fn": .float8E4M3FN,
            "float8_e5m2": .float8E5M2, "bool": .bool,
        ]
        #expect(tensors.mapValues(\.elementType) == expected)
        #expect(tensors["float16"]?.elements(Float16.self) == [0, 1, 2, 3, 4, 5])
        #expect(tensors["bfloat16"]?.elements(UInt16.self) == [0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0])
        #expect(tensors["uint16"]?.elements(UInt16.self) == [0, 1, 2, 3, 4, 5])
        #expect(tensors["int64"]?.elements(Int64.self) == [0, 1, 2, 3, 4, 5])
        #expect(tensors["bool"]?.elements(UInt8.self) == [1, 0])
    }

    @Test func bigEndian() throws {
        #expect(try ArchiveFixtures.read("bigEndian.pth").tensors["a"]?.elements(Float.self) == [0, 1, 2])
    }

    @Test(arguments: [
        ("legacy.pth", "before version 1.6"), ("script.pt", "TorchScript"), ("tensor.pth", "no dictionary"),
        ("empty.pth", "plain values only"), ("sparse.pth", "torch._utils._rebuild_sparse_tensor"),
        ("numpyScalar.pth", "numpy"), ("ambiguous.pth", "'state_dict', 'model'"), ("expanded.pth", "repeats elements"),
    ])
    func refused(_ file: String, _ reason: String) throws {
        let error = #expect(throws: ArchiveError.self) { try ArchiveFixtures.read(file) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    /// Files that would run code, fill the memory or read outside their storage. The names they carry are told.
    @Test(arguments: [
        ("command.pth", "'posix.system'"), ("eval.pth", "eval'"), ("getattr.pth", "getattr'"),
        ("hub.pth", "'torch.hub.load'"), ("newobject.pth", "'builtins.object'"), ("extension.pth", "EXT1"),
        ("protocol0.pth", "INT"), ("deepMarks.pth", "stack"), ("deepLists.pth", "objects in the pickle"),
        ("deep.pth", "dictionaries inside dictionaries"),
        ("laughs.pth", "dictionaries inside dictionaries"), ("cycle.pth", "dictionaries inside dictionaries"),
        ("selfList.pth", "no dictionary"), ("stack.pth", "stack"), ("memo.pth", "memo slots"),
        ("longText.pth", "cut short"), ("longText8.pth", "cut short"), ("underflow.pth", "takes more values"),
        ("marked.pth", "takes more values"), ("emptyMemo.pth", "memo slot 7"), ("hugeShape.pth", "leaves its storage"),
        ("overflowingShape.pth", "too large"), ("hugeStorage.pth", "bytes of elements are declared"),
        ("repeated.pth", "repeats elements"), ("outside.pth", "leaves its storage"), ("before.pth", "a view"),
        ("backwards.pth", "strides [-1]"), ("hugeStride.pth", "leaves its storage"),
        ("traversal.pth", "lacks this entry"), ("quantised.pth", "'torch.QInt8Storage'"),
        ("manyDimensions.pth", "1000 dimensions"), ("manyViews.pth", "bytes of content"),
    ])
    func hostile(_ file: String, _ reason: String) throws {
        let error = #expect(throws: ArchiveError.self) {
            try ArchiveFixtures.read(file, limits: ArchiveFixtures.tight)
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(!FileManager.default.fileExists(atPath: "a-command-was-run"))
    }

    /// The wide, shared nesting of `laughs.pth` is bounded by visits where it is not by depth.
    @Test func sharedDictionaries() throws {
        let limits = ArchiveLimits(pickleObjects: 100_000, depth: 100)
        let error = #expect(throws: ArchiveError.self) { try ArchiveFixtures.read("laughs.pth", limits: limits) }
        #expect(error?.problem == .exceedsLimit("values in the state dictionary", 100_000))
    }
}
