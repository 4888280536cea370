import Foundation

/// Tensors in the safetensors format, left where they lie in the mapped file.
///
/// Source: https://huggingface.co/docs/safetensors/index#format
enum SafetensorsFile {
    /// Whether `bytes` begins like a safetensors file: eight bytes of header length, then a JSON object.
    static func recognises(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else { return false }
        return UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) <= UInt64(1 << 40)
    }

    /// - Throws: `ArchiveError.Problem` when the header is not understood, or the tensors overlap, leave gaps or end
    ///   elsewhere than the file does.
    static func read(_ file: ByteRegion, limits: ArchiveLimits) throws -> [String: ConstantTensor] {
        let length = file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= limits.headerBytes else {
            throw ArchiveError.Problem.exceedsLimit("bytes of header", limits.headerBytes)
        }
        guard Int(length) <= file.count - 8 else { throw ArchiveError.Problem.malformed("the header is cut short") }
        let header = try decodeHeader(file.part(8, count: Int(length)))
        guard header.entries.count <= limits.entries else {
            throw ArchiveError.Problem.exceedsLimit("tensors", limits.entries)
        }
        let content = file.part(8 + Int(length), count: file.count - 8 - Int(length))
        var budget = ByteBudget(limits)
        var end = 0
        var tensors: [String: ConstantTensor] = [:]
        let byOffset = header.entries.sorted { ($0.value.begin, $0.value.end) < ($1.value.begin, $1.value.end) }
        for (name, entry) in byOffset {
            guard entry.begin == end, entry.end >= entry.begin, entry.end <= content.count else {
                throw ArchiveError.Problem.malformed(
                    "the bytes \(entry.begin)..<\(entry.end) of \(quoted(name)) do not follow those before, or leave the "
                        + "\(content.count) bytes of content")
            }
            end = entry.end
            guard let elementType = elementTypes[entry.dtype] else {
                throw ArchiveError.Problem.unsupportedType("\(entry.dtype) (tensor \(quoted(name)))")
            }
            var bytes = content.part(entry.begin, count: entry.end - entry.begin)
            if elementType == .bool { bytes = try ElementLayout.booleans(bytes, budget: &budget) }
            do {
                tensors[name] = try ConstantTensor(elementType: elementType, shape: entry.shape, payload: .bytes(bytes))
            } catch {
                throw ArchiveError.Problem.malformed("tensor \(quoted(name)): \(error)")
            }
        }
        guard end == content.count else {
            throw ArchiveError.Problem.payloadMismatch(expected: end, found: content.count)
        }
        return tensors
    }

    private static func decodeHeader(_ region: ByteRegion) throws -> Header {
        do {
            return try region.withUnsafeBytes { try JSONDecoder().decode(Header.self, from: Data($0)) }
        } catch {
            throw ArchiveError.Problem.malformed("the JSON header cannot be understood: \(error)")
        }
    }

    private static let elementTypes: [String: ElementType] = [
        "BOOL": .bool, "U8": .uint8, "I8": .int8, "U16": .uint16, "I16": .int16, "U32": .uint32, "I32": .int32,
        "U64": .uint64, "I64": .int64, "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
        "F8_E4M3": .float8E4M3FN, "F8_E4M3FNUZ": .float8E4M3FNUZ, "F8_E5M2": .float8E5M2,
        "F8_E5M2FNUZ": .float8E5M2FNUZ, "F8_E8M0": .float8E8M0, "F4": .float4E2M1, "C64": .complex64,
    ]
}

private struct Header: Decodable {
    struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let begin: Int
        let end: Int

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            dtype = try container.decode(String.self, forKey: .dtype)
            shape = try container.decode([Int].self, forKey: .shape)
            let offsets = try container.decode([Int].self, forKey: .offsets)
            guard offsets.count == 2, offsets[0] >= 0 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .offsets, in: container, debugDescription: "two offsets are expected")
            }
            (begin, end) = (offsets[0], offsets[1])
        }
    }

    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    let entries: [String: Entry]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        var entries: [String: Entry] = [:]
        for name in container.allKeys where name.stringValue != "__metadata__" {
            entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
        }
        self.entries = entries
    }
}
