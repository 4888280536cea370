import Foundation
import Testing

@testable import ONNXLoader

/// What NumPy wrote is read as NumPy would: the values are the formulas of `archives.py`.
@Suite struct NumPyTests {
    @Test(arguments: ["plain.npz", "compressed.npz"])
    func elementTypes(_ file: String) throws {
        let archive = try ArchiveFixtures.read(file)
        #expect(archive.format == .numpy)
        let arrays = archive.tensors
        #expect(arrays.count == 19)
        #expect(arrays["i1"]?.elements(Int8.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["i2"]?.elements(Int16.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["i4"]?.elements(Int32.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["i8"]?.elements(Int64.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["f2"]?.elements(Float16.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["f4"]?.elements(Float.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["f8"]?.elements(Double.self) == [-3, -2, -1, 0, 1, 2])
        #expect(arrays["u1"]?.elements(UInt8.self) == [0, 1, 2, 3, 4, 5])
        #expect(arrays["u2"]?.elements(UInt16.self) == [0, 1, 2, 3, 4, 5])
        #expect(arrays["u4"]?.elements(UInt32.self) == [0, 1, 2, 3, 4, 5])
        #expect(arrays["u8"]?.elements(UInt64.self) == [0, 1, 2, 3, 4, 5])
        #expect(arrays["f4"]?.shape == [2, 3])
        #expect(arrays["u4"]?.shape == [3, 2])
        #expect(arrays["scalar"]?.shape == [])
        #expect(arrays["scalar"]?.elements(Float.self) == [0.5])
        #expect(arrays["flags"]?.elementType == .bool)
        #expect(arrays["flags"]?.elements(UInt8.self) == [1, 0, 1])
        #expect(arrays["empty"]?.shape == [0, 3])
        #expect(arrays["nested.name/with space"]?.elements(Float.self) == [0, 1, 2])
        let c8 = try #require(arrays["c8"])
        #expect(c8.elementType == .complex64)
        #expect(c8.elements((Float, Float).self).map(\.0) == [-3, -2, -1])
        #expect(c8.elements((Float, Float).self).map(\.1) == [2, 2, 2])
        let c16 = try #require(arrays["c16"])
        #expect(c16.elements((Double, Double).self).map(\.1) == [-1, -1, -1])
        #expect(arrays["unicode"]?.texts == ["é", "cat", "", "dog🐕"])
        #expect(arrays["unicode"]?.shape == [2, 2])
        #expect(arrays["ascii"]?.texts == ["ab", "c"])
    }

    @Test func columnMajorAndBigEndian() throws {
        let arrays = try ArchiveFixtures.read("layout.npz").tensors
        let expected = Array(0..<24)
        #expect(arrays["fortran"]?.shape == [2, 3, 4])
        #expect(arrays["fortran"]?.elements(Float.self) == expected.map { Float($0) })
        #expect(arrays["big"]?.elements(Float.self) == expected.map { Float($0) })
        #expect(arrays["big16"]?.elements(Int16.self) == expected.map { Int16($0) })
        #expect(arrays["bigFortran"]?.elements(Double.self) == expected.map { Double($0) })
        #expect(arrays["bigComplex"]?.elements((Double, Double).self).map(\.0) == [0, 1, 2])
        #expect(arrays["bigComplex"]?.elements((Double, Double).self).map(\.1) == [0, 1, 2])
    }

    @Test(arguments: 1...3) func formatVersions(_ version: Int) throws {
        let arrays = try ArchiveFixtures.read("version\(version).npy").tensors
        #expect(arrays[""]?.elements(Int32.self) == [0, 1, 2, 3])
    }

    @Test func booleansAreNormalised() throws {
        let arrays = try ArchiveFixtures.read("notBooleans.npy").tensors
        #expect(arrays[""]?.elements(UInt8.self) == [0, 1, 1, 1])
    }

    @Test(arguments: [
        ("objects.npz", "Python objects"), ("records.npy", "named fields"), ("hugeShape.npy", "4000000000000 bytes"),
        ("overflowingShape.npy", "too large"), ("negativeShape.npy", "header cannot be understood"),
        ("emptyStrings.npy", "<U0"),
    ])
    func refused(_ file: String, _ reason: String) throws {
        let error = #expect(throws: ArchiveError.self) { try ArchiveFixtures.read(file) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func decompressionIsBounded() throws {
        let limits = ArchiveLimits(totalBytes: 1 << 20)
        let error = #expect(throws: ArchiveError.self) { try ArchiveFixtures.read("zeros.npz", limits: limits) }
        #expect(error?.problem == .exceedsLimit("bytes of content", 1 << 20))
        #expect(try ArchiveFixtures.read("zeros.npz").tensors["zeros"]?.count == 1 << 24)
    }

    @Test func writesWhatItReads() throws {
        let arrays = try ArchiveFixtures.read("plain.npz").tensors
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).npz")
        defer { try? FileManager.default.removeItem(at: file) }
        try NumPyArchive.write(arrays, to: file)
        let again = try TensorArchive(contentsOf: file).tensors
        #expect(again == arrays)
        // NumPy's own alignment rule: elements begin at a multiple of 64 bytes from the array's header.
        let single = try Data(contentsOf: file)
        #expect(single.starts(with: [0x50, 0x4b, 0x03, 0x04]))
    }

    @Test func writingToNowhereFails() throws {
        let array = try ConstantTensor(
            elementType: .float32, shape: [], payload: .bytes(ByteRegion(copying: [0, 0, 0, 0])))
        let nowhere = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString)/out.npz")
        #expect(throws: ArchiveError.self) { try NumPyArchive.write(["a": array], to: nowhere) }
        #expect(throws: ArchiveError.self) { try NumPyArchive.write([:], to: nowhere) }
    }
}
