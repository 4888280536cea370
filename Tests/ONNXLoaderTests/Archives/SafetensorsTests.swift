import Testing

@testable import ONNXLoader

/// What the safetensors library wrote: `arange(6) - 3` in every type.
@Suite struct SafetensorsTests {
    @Test func elementTypes() throws {
        let archive = try ArchiveFixtures.read("plain.safetensors")
        #expect(archive.format == .safetensors)
        let tensors = archive.tensors
        #expect(tensors.count == 14)
        #expect(tensors["F64"]?.elements(Double.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["F32"]?.elements(Float.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["F32"]?.shape == [2, 3])
        #expect(tensors["F16"]?.elements(Float16.self) == [-3, -2, -1, 0, 1, 2])
        // bfloat16 is the upper half of binary32.
        #expect(tensors["BF16"]?.elementType == .bfloat16)
        #expect(tensors["BF16"]?.elements(UInt16.self) == [0xc040, 0xc000, 0xbf80, 0, 0x3f80, 0x4000])
        #expect(tensors["I64"]?.elements(Int64.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["I32"]?.elements(Int32.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["I16"]?.elements(Int16.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["I8"]?.elements(Int8.self) == [-3, -2, -1, 0, 1, 2])
        #expect(tensors["U8"]?.elements(UInt8.self) == [0, 1, 2, 3, 4, 5])
        #expect(tensors["BOOL"]?.elements(UInt8.self) == [1, 0, 1])
        // One sign bit, four of exponent with bias 7, three of fraction; or five with bias 15 and two.
        #expect(tensors["F8_E4M3"]?.elements(UInt8.self) == [0xc4, 0xc0, 0xb8, 0, 0x38, 0x40])
        #expect(tensors["F8_E5M2"]?.elements(UInt8.self) == [0xc2, 0xc0, 0xbc, 0, 0x3c, 0x40])
        #expect(tensors["scalar"]?.shape == [])
        #expect(tensors["empty"]?.shape == [0, 3])
    }

    @Test func tensorsStayInTheMapping() throws {
        let tensors = try ArchiveFixtures.read("plain.safetensors").tensors
        guard case .bytes(let first) = tensors["F64"]?.payload, case .bytes(let second) = tensors["F32"]?.payload else {
            Issue.record("no bytes")
            return
        }
        #expect(first.owner === second.owner)
    }

    @Test(arguments: [
        ("overlap.safetensors", "do not follow"), ("gap.safetensors", "do not follow"),
        ("beyond.safetensors", "leave the"), ("trailing.safetensors", "4 bytes of elements are declared, 8"),
        ("negative.safetensors", "cannot be understood"), ("shape.safetensors", "tensor 'a'"),
        ("hugeHeader.safetensors", "bytes of header"), ("longHeader.safetensors", "cut short"),
        ("duplicate.safetensors", ""), ("deep.safetensors", "cannot be understood"),
        ("unknownType.safetensors", "F6_E2M3"),
    ])
    func refused(_ file: String, _ reason: String) throws {
        let error = #expect(throws: ArchiveError.self) { try ArchiveFixtures.read(file) }
        #expect(reason.isEmpty || error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
}
