import Foundation
import Testing

@testable import ONNXLoader

/// Files that are newer than libonnx 1.12, which knows IR 8 and operator set 17.
@Suite struct VersionTests {
    @Test(arguments: [(18, 8), (19, 9), (20, 9), (21, 10), (22, 10), (23, 11), (24, 12), (25, 12), (26, 13)])
    func newerVersions(_ opset: Int, irVersion: Int) throws {
        let model = try Model(contentsOf: resource("opset\(opset)-ir\(irVersion).onnx"))
        #expect(model.opsets == ["": opset])
        #expect(model.irVersion == irVersion)
        #expect(model.graph.nodes.map(\.operatorName) == ["Relu"])
        #expect(model.warnings.isEmpty)
    }

    @Test func unknownVersionsAreWarnings() throws {
        let model = try Model(contentsOf: resource("opset99-ir99.onnx"))
        #expect(model.warnings.count == 2)
        #expect(model.warnings.allSatisfy { $0.contains("99") })
        #expect(model.graph.nodes.count == 1)
    }

    @Test func functions() throws {
        let model = try Model(contentsOf: resource("functions.onnx"))
        #expect(model.functions.map(\.overload) == ["product", "sum"])
        #expect(model.graph.nodes.map(\.overload) == ["product", "sum"])
        #expect(model.functions.map { $0.nodes[1].operatorName } == ["Mul", "Add"])
        for function in model.functions {
            #expect(function.name == "Scale")
            #expect(function.domain == "test.functions")
            #expect(function.inputs == ["x"])
            #expect(function.outputs == ["y"])
            #expect(function.attributes == ["slope"])
            #expect(function.defaults == ["alpha": .float(0.25)])
            #expect(function.attributeTypes == ["slope": .float, "alpha": .float])
            #expect(function.opsets == ["": 26])
            #expect(function.nodes[2].attributes == ["alpha": .reference("slope")])
            #expect(function.nodes[3].attributes == ["alpha": .reference("alpha")])
        }
        #expect(model.graph.nodes[0].attributes == ["slope": .float(0.5)])
        #expect(model.graph.nodes[1].attributes == ["slope": .float(0.5), "alpha": .float(0.75)])
    }

    /// Before IR 3 there were no operator set imports; before attributes had types, their values told them.
    @Test func oldFiles() throws {
        let attribute = Wire.text(Fields.Attribute.name, "axis") + Wire.integer(Fields.Attribute.int, 2)
        let node =
            Wire.text(Fields.Node.operatorType, "Softmax") + Wire.text(Fields.Node.input, "x")
            + Wire.text(Fields.Node.output, "y") + Wire.bytes(Fields.Node.attribute, attribute)
        let graph =
            Wire.bytes(Fields.Graph.node, node)
            + Wire.bytes(Fields.Graph.input, Wire.text(Fields.ValueInfo.name, "x"))
        let model = try Model(
            bytes: Wire.integer(Fields.Model.irVersion, 2) + Wire.bytes(Fields.Model.graph, graph))
        #expect(model.opsets == ["": 1])
        #expect(model.graph.nodes.first?.attributes == ["axis": .int(2)])
    }

    /// Everything that IR 8 can say; the expected values are those in the script that wrote the file.
    @Test func everything() throws {
        let model = try Model(contentsOf: resource("everything.onnx"))
        #expect(model.opsets == ["": 17, "test.custom": 1])
        #expect(model.producerName == "loader.py")
        #expect(model.producerVersion == "1.0")
        #expect(model.domain == "test")
        #expect(model.version == 3)
        #expect(model.documentation == "a model")
        #expect(model.metadata == ["key": "value", "empty": ""])
        let graph = model.graph
        #expect(graph.name == "everything")
        #expect(graph.documentation == "a graph")
        #expect(graph.valueTypes == ["inner": .tensor(.float32, shape: [.symbolic("N"), .fixed(3)])])
        #expect(graph.nodes.map(\.operatorName) == ["Add", "Greater", "If", "Everything", "Clip"])
        #expect(graph.nodes[0].documentation == "a sum")
        #expect(graph.nodes[4].inputs == ["z", "", "half"])
        let kinds: [ValueDeclaration.Kind] = [
            .tensor(.float32, shape: [.symbolic("N"), .fixed(3), .unknown]),
            .sequence(.tensor(.int64, shape: nil)),
            .optional(.tensor(.float32, shape: [.fixed(2)])),
            .map(key: .string, value: .tensor(.float32, shape: [])),
            .sparseTensor(.float64, shape: [.fixed(4), .fixed(4)]),
        ]
        #expect(graph.inputs.dropFirst(2).map(\.kind) == kinds)
        #expect(graph.outputs[0].kind == .tensor(.float32, shape: nil))
        #expect(graph.initializers["weight"]?.shape == [2, 3])
        #expect(graph.initializers["weight"]?.bytes == [UInt8]([0, 1, 2, 6, 7, 8] as [Float]))

        let small = try ConstantTensor(
            elementType: .int64, shape: [4], payload: .bytes(ByteRegion(copying: [UInt8]([0, 1, 2, 3] as [Int64]))))
        let attributes = graph.nodes[3].attributes
        #expect(attributes["f"] == .float(1.5))
        #expect(attributes["i"] == .int(-7))
        #expect(attributes["s"] == .string(Array("text".utf8)))
        #expect(attributes["t"] == .tensor(small))
        #expect(attributes["fs"] == .floats([0.5, -2]))
        #expect(attributes["ints"] == .ints([1, 1 << 40]))
        #expect(attributes["ss"] == .strings([[0x61], [0x62]]))
        #expect(attributes["ts"] == .tensors([small, small]))
        #expect(attributes["tp"] == .type(kinds[0]))
        #expect(attributes["tps"] == .types(Array(kinds.dropFirst())))
        guard case .graph(let inner) = attributes["g"], case .graphs(let list) = attributes["gs"] else {
            Issue.record("there are no inner graphs")
            return
        }
        #expect(inner.nodes.map(\.inputs) == [["inner", "weight"]])
        #expect(list.map { $0.nodes[0].operatorName } == ["Add", "Mul"])
    }
}
