import Foundation
import ONNXLoader

@testable import Runtime

/// A message of a Protocol Buffers file as its fields in their order.
struct ProtocolBuffer {
    struct Malformed: Error {}

    /// The fields that hold bytes: strings and messages.
    private(set) var fields: [(number: Int, bytes: Data)] = []
    private(set) var integers: [Int: Int] = [:]

    init(_ bytes: Data) throws {
        var position = bytes.startIndex
        func integer() throws -> Int {
            var value = 0
            for shift in stride(from: 0, to: 64, by: 7) {
                guard position < bytes.endIndex else { throw Malformed() }
                let byte = bytes[position]
                position += 1
                value |= Int(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            throw Malformed()
        }
        while position < bytes.endIndex {
            let tag = try integer()
            var length = 0
            switch tag & 7 {
            case 0:
                integers[tag >> 3] = try integer()
                continue
            case 1: length = 8
            case 2: length = try integer()
            case 5: length = 4
            default: throw Malformed()
            }
            guard length >= 0, length <= bytes.endIndex - position else { throw Malformed() }
            if tag & 7 == 2 { fields.append((tag >> 3, bytes[position..<position + length])) }
            position += length
        }
    }

    subscript(number: Int) -> [Data] { fields.filter { $0.number == number }.map(\.bytes) }

    /// A field that holds a message, as it stands in a file.
    static func field(_ number: Int, _ bytes: Data) -> Data {
        var result = Data([UInt8(number << 3 | 2)])
        var length = bytes.count
        while length >= 0x80 {
            result.append(UInt8(length & 0x7f | 0x80))
            length >>= 7
        }
        result.append(UInt8(length))
        return result + bytes
    }
}

extension Value {
    /// The value in a file with a TensorProto, SequenceProto or OptionalProto.
    init(protocolBuffer bytes: Data, kind: ValueDeclaration.Kind) throws {
        switch kind {
        case .sequence(let element):
            let elements = try ProtocolBuffer(bytes).fields.filter { (3...7).contains($0.number) && $0.number != 4 }
            self = .sequence(try elements.map { try Value(protocolBuffer: $0.bytes, kind: element) })
        case .optional(let element):
            let content = try ProtocolBuffer(bytes).fields.first { (3...7).contains($0.number) }
            self = try content.map { try Value(protocolBuffer: $0.bytes, kind: element) } ?? .absent
        default:
            // The loader reads models: the tensor becomes the only initializer of one.
            let tensor = bytes + ProtocolBuffer.field(8, Data("value".utf8))
            let graph = ProtocolBuffer.field(5, tensor)
            let model =
                Data([0x08, 0x08]) + ProtocolBuffer.field(7, graph) + ProtocolBuffer.field(8, Data([0x10, 17]))
            let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).onnx")
            try model.write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            guard let constant = try Model(contentsOf: file).graph.initializers["value"] else {
                throw ProtocolBuffer.Malformed()
            }
            self = .tensor(Tensor(constant).copied())
        }
    }
}
