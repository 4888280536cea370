import Foundation
import Testing

@testable import ONNXLoader

/// The forms in which a file stores tensors. The expected bytes were written by numpy and ml_dtypes.
@Suite struct StorageTests {
    @Test(arguments: ElementType.allCases.filter { $0 != .string }, ["raw", "typed"])
    func elementType(_ elementType: ElementType, form: String) throws {
        let names: [ElementType: String] = [
            .float32: "FLOAT", .float64: "DOUBLE", .float8E4M3FN: "FLOAT8E4M3FN", .float8E4M3FNUZ: "FLOAT8E4M3FNUZ",
        ]
        let name = names[elementType] ?? "\(elementType)".uppercased()
        let model = try Model(contentsOf: resource("element-types.onnx"))
        let tensor = try #require(model.graph.initializers["\(name).\(form)"])
        let expected = try [UInt8](hexadecimal: #require(model.metadata[name]))
        #expect(tensor.elementType == elementType)
        #expect(tensor.shape == [5])
        #expect(tensor.bytes == expected)
    }

    @Test func strings() throws {
        let model = try Model(contentsOf: resource("element-types.onnx"))
        let tensor = try #require(model.graph.initializers["strings"])
        #expect(tensor.elementType == .string)
        #expect(tensor.shape == [2, 1])
        #expect(tensor.payload == .strings([Array("größer".utf8), [0, 0xff]]))
    }

    @Test func scalarsAndEmptyTensors() throws {
        let initializers = try Model(contentsOf: resource("element-types.onnx")).graph.initializers
        #expect(initializers["scalar"]?.shape == [])
        #expect(initializers["scalar"]?.bytes == [UInt8]([Float(2.5)]))
        #expect(initializers["empty"]?.shape == [0, 4])
        #expect(initializers["empty"]?.bytes == [])
    }

    /// Expected: the dense arrays that the sparse ones were made from.
    @Test func sparse() throws {
        let model = try Model(contentsOf: resource("sparse.onnx"))
        let float = try [UInt8](hexadecimal: #require(model.metadata["float"]))
        let int16 = try [UInt8](hexadecimal: #require(model.metadata["int16"]))
        #expect(model.graph.initializers["coordinates"]?.shape == [3, 5])
        #expect(model.graph.initializers["coordinates"]?.bytes == float)
        #expect(model.graph.initializers["linear"]?.elementType == .int16)
        #expect(model.graph.initializers["linear"]?.bytes == int16)
        let constant = try #require(model.graph.nodes.first { $0.operatorName == "Constant" })
        guard case .tensor(let value) = constant.attributes["value"] else {
            Issue.record("the constant's sparse_value is not a dense value: \(constant.attributes)")
            return
        }
        #expect(value.bytes == float)
    }

    /// Protobuf allows packed elements in one piece, in several, and one by one.
    @Test(arguments: [ElementType.float32, .float64])
    func encodingsOfTypedData(_ elementType: ElementType) throws {
        let isFloat = elementType == .float32
        let field = isFloat ? Fields.Tensor.floatData : Fields.Tensor.doubleData
        let elements = [1.5, -2, 3, 4].map { isFloat ? [UInt8]([Float($0)]) : [UInt8]([$0]) }
        let expected = elements.flatMap { $0 }
        let oneByOne = elements.flatMap { Wire.varint(UInt64(field) << 3 | (isFloat ? 5 : 1)) + $0 }
        let encodings = [
            Wire.bytes(field, expected),
            Wire.bytes(field, elements[0]) + Wire.bytes(field, elements[1] + elements[2] + elements[3]),
            oneByOne,
            Wire.bytes(field, elements[0]) + oneByOne.suffix(oneByOne.count / 4 * 3),
        ]
        for encoding in encodings {
            let model = try Model(bytes: Wire.model(tensor: Wire.tensor(elementType, [4]) + encoding))
            #expect(model.graph.initializers["w"]?.bytes == expected)
        }
    }

    /// The last of several occurrences of a field counts, as protobuf says.
    @Test func repeatedRawData() throws {
        let tensor = Wire.tensor(.uint8, [2]) + Wire.bytes(Fields.Tensor.rawData, [1, 2, 3])
        let model = try Model(bytes: Wire.model(tensor: tensor + Wire.bytes(Fields.Tensor.rawData, [4, 5])))
        #expect(model.graph.initializers["w"]?.bytes == [4, 5])
    }

    @Test func payloadsStayInTheFile() throws {
        let folder = try TemporaryFolder()
        // 400 MB of weights, which the file system stores as a hole.
        let count = 400_000_000
        let tensor =
            Wire.text(Fields.Tensor.name, "w") + Wire.tensor(.uint8, [count])
            + Wire.header(Fields.Tensor.rawData, length: UInt64(count))
        let initializer = Wire.header(Fields.Graph.initializer, length: UInt64(tensor.count + count)) + tensor
        let head =
            Wire.version + Wire.opset
            + Wire.header(Fields.Model.graph, length: UInt64(initializer.count + count)) + initializer
        let url = try folder.write(head)
        #expect(truncate(url.path, head.count + count) == 0)

        let model = try Model(contentsOf: url)
        guard case .bytes(let region) = model.graph.initializers["w"]?.payload else {
            Issue.record("there is no tensor")
            return
        }
        #expect(region.count == count)
        let address = UInt(bitPattern: region.start)
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        let line = maps.split(separator: "\n").first { line in
            let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            return bounds.count == 2 && bounds[0] <= address && address < bounds[1]
        }
        #expect(line?.hasSuffix("/model.onnx") == true)
        #expect(line?.contains(" r--p ") == true)
    }

    struct BadTensor: Sendable {
        let elementType: ElementType
        let shape: [Int]
        let data: [UInt8]
        let message: String

        init(_ elementType: ElementType, _ shape: [Int], _ data: [UInt8], _ message: String) {
            self.elementType = elementType
            self.shape = shape
            self.data = data
            self.message = message
        }

        static func raw(_ bytes: [UInt8]) -> [UInt8] { Wire.bytes(Fields.Tensor.rawData, bytes) }
        static func int32(_ value: Int) -> [UInt8] { Wire.integer(Fields.Tensor.int32Data, value) }
        static func int64(_ value: Int) -> [UInt8] { Wire.integer(Fields.Tensor.int64Data, value) }
        static func uint64(_ value: Int) -> [UInt8] { Wire.integer(Fields.Tensor.uint64Data, value) }

        static let all = [
            BadTensor(.float32, [2, 3], raw([0, 0, 0]), "3 bytes"),
            BadTensor(.float32, [2, 3], [], "no data"),
            BadTensor(.float32, [1 << 62, 4], raw([0]), "more elements than"),
            BadTensor(.float32, [-1], raw([0]), "negative"),
            BadTensor(.uint8, [1 << 40], raw([0]), "does not fit"),
            BadTensor(.int64, [1 << 56], int64(1), "has 1"),
            BadTensor(.int64, [1 << 59], int64(1), "more elements than"),
            BadTensor(.string, [3], Wire.text(Fields.Tensor.stringData, "a"), "1 strings"),
            BadTensor(.string, [1], raw([0]), "string_data"),
            BadTensor(.float32, [1], int64(1), "int64_data"),
            BadTensor(.int8, [1], int32(256), "256"),
            BadTensor(.int8, [1], int32(-129), "-129"),
            BadTensor(.uint32, [1], uint64(1 << 32), "32 bits"),
            BadTensor(.uint8, [1], int32(1) + raw([1]), "raw_data and in int32_data"),
            BadTensor(.uint8, [1], raw([1]) + Wire.integer(Fields.Tensor.elementType, 77), "77"),
            BadTensor(.uint8, [1], raw([1]) + Wire.integer(Fields.Tensor.elementType, 0), "no element type"),
            BadTensor(.uint8, [1], raw([1]) + Wire.bytes(Fields.Tensor.segment, []), "segments"),
        ]
    }

    @Test(arguments: BadTensor.all)
    func badTensors(_ tensor: BadTensor) throws {
        let problems = try problems(
            of: Wire.model(tensor: Wire.tensor(tensor.elementType, tensor.shape) + tensor.data))
        #expect(problems.count == 1)
        #expect(problems.first?.kind == .tensor)
        #expect(problems.first?.location == "initializer 'w'")
        #expect(problems.first?.message.contains(tensor.message) == true, "\(problems)")
    }

    struct BadSparseTensor: Sendable {
        var valueCount = 1
        let indices: [Int]
        let shape: [Int]
        let message: String

        static let all = [
            BadSparseTensor(indices: [0, 1], shape: [4], message: "of shape [2]"),
            BadSparseTensor(indices: [4], shape: [4], message: "index 4"),
            BadSparseTensor(indices: [-1], shape: [4], message: "index -1"),
            BadSparseTensor(valueCount: 2, indices: [2, 1], shape: [4], message: "ascend"),
            BadSparseTensor(valueCount: 2, indices: [1, 1], shape: [4], message: "ascend"),
            BadSparseTensor(indices: [0], shape: [1 << 40], message: "limit"),
            BadSparseTensor(indices: [0], shape: [1 << 40, 1 << 40], message: "more elements"),
            BadSparseTensor(indices: [0], shape: [0], message: "index 0"),
        ]
    }

    @Test(arguments: BadSparseTensor.all)
    func badSparseTensors(_ tensor: BadSparseTensor) throws {
        let data = Wire.bytes(Fields.Tensor.rawData, Array(repeating: 1, count: tensor.valueCount))
        let values = Wire.text(Fields.Tensor.name, "w") + Wire.tensor(.uint8, [tensor.valueCount]) + data
        let indices =
            Wire.tensor(.int64, [tensor.indices.count]) + Wire.bytes(Fields.Tensor.rawData, [UInt8](tensor.indices))
        let dimensions = tensor.shape.flatMap { Wire.integer(Fields.SparseTensor.dimensions, $0) }
        let sparse =
            Wire.bytes(Fields.SparseTensor.values, values) + Wire.bytes(Fields.SparseTensor.indices, indices)
            + dimensions
        let problems = try problems(of: Wire.model(graph: Wire.bytes(Fields.Graph.sparseInitializer, sparse)))
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains(tensor.message) == true, "\(problems)")
    }

    /// A hundred sparse tensors of ten megabytes each, in a file of some kilobytes.
    @Test func sparseTensorsShareOneLimit() throws {
        let sparse = (0..<100).flatMap { index in
            Wire.bytes(
                Fields.Graph.sparseInitializer,
                Wire.bytes(
                    Fields.SparseTensor.values, Wire.text(Fields.Tensor.name, "w\(index)") + Wire.tensor(.uint8, [0]))
                    + Wire.bytes(Fields.SparseTensor.indices, Wire.tensor(.int64, [0]))
                    + Wire.integer(Fields.SparseTensor.dimensions, 10_000_000))
        }
        let problems = try problems(of: Wire.model(graph: sparse), limits: Limits(denseBytes: 30_000_000))
        #expect(problems.count == 97)
    }
}
