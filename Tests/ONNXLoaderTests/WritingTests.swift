import Foundation
import Testing

@testable import ONNXLoader

/// Writing models. The files were also accepted by onnx.checker and ONNX Runtime.
@Suite struct WritingTests {
    let folder: TemporaryFolder
    let output: URL

    init() throws {
        folder = try TemporaryFolder()
        output = folder.url.appendingPathComponent("output.onnx")
    }

    private static let fixtures = [
        "element-types.onnx", "everything.onnx", "functions.onnx", "opset26-ir13.onnx", "opset99-ir99.onnx",
        "sparse.onnx",
    ]

    @Test(arguments: fixtures)
    func roundTrip(_ name: String) throws {
        let model = try Model(contentsOf: resource(name))
        try model.write(to: output)
        #expect(try Model(contentsOf: output) == model)
        // The same values give the same bytes.
        let first = try Data(contentsOf: output)
        try Model(contentsOf: output).write(to: output)
        #expect(try Data(contentsOf: output) == first)
    }

    /// A model with tensors of the given sizes as initializers, in a node, in a graph inside it, and in a function.
    private func model(sizes: [Int]) throws -> Model {
        var seed: UInt8 = 0
        func tensor(_ size: Int) throws -> ConstantTensor {
            seed &+= 1
            let bytes = Array(repeating: seed, count: size)
            return try ConstantTensor(
                elementType: .uint8, shape: [size], payload: .bytes(ByteRegion(copying: bytes)),
                documentation: size % 2 == 0 ? "" : "odd")
        }
        func graph(_ nodes: [Node]) throws -> Graph {
            Graph(
                nodes: nodes,
                initializers: try Dictionary(uniqueKeysWithValues: sizes.map { ("w\($0)", try tensor($0)) }))
        }
        let node = Node(
            operatorName: "Constant", outputs: ["c"],
            attributes: ["value": .tensor(try tensor(300)), "branch": .graph(try graph([]))])
        let constant = Node(
            operatorName: "Constant", outputs: ["c"], attributes: ["values": .tensors(try sizes.map(tensor))])
        return Model(
            opsets: ["": 17], graph: try graph([node]),
            functions: [Function(name: "F", domain: "own", opsets: ["": 17], nodes: [constant])])
    }

    /// Addresses, in a mapping of the file, of everything that is 64 bytes or more.
    private func addresses(_ model: Model) -> [UInt] {
        var tensors = Array(model.graph.initializers.values)
        for node in model.graph.nodes + model.functions.flatMap(\.nodes) {
            for attribute in node.attributes.values {
                switch attribute {
                case .tensor(let tensor): tensors.append(tensor)
                case .tensors(let list): tensors += list
                case .graph(let graph): tensors += graph.initializers.values
                default: break
                }
            }
        }
        return tensors.compactMap { tensor in
            guard case .bytes(let region) = tensor.payload, region.count >= 64 else { return nil }
            return UInt(bitPattern: region.start)
        }
    }

    /// Lengths of lengths change at 128, 16384 and 2097152 bytes; below 64 bytes nothing is aligned.
    @Test func alignment() throws {
        let sizes = [0, 1, 63, 64, 65, 127, 128, 129, 4095, 16383, 16384, 70000, 2_097_151, 2_097_152]
        let model = try model(sizes: sizes)
        try model.write(to: output)
        let written = try Model(contentsOf: output)
        #expect(written == model)
        let addresses = addresses(written)
        #expect(addresses.count == 3 * sizes.filter { $0 >= 64 }.count + 1)
        #expect(addresses.allSatisfy { $0 % 64 == 0 })
    }

    /// Every possible position before the alignment.
    @Test func alignmentAtEveryOffset() throws {
        for length in 0..<130 {
            var model = try model(sizes: [64, 100])
            model.producerName = String(repeating: "p", count: length)
            try model.write(to: output)
            let written = try Model(contentsOf: output)
            #expect(written == model)
            #expect(addresses(written).allSatisfy { $0 % 64 == 0 })
        }
    }

    @Test func overTheInput() throws {
        let original = try model(sizes: [100, 5000])
        try original.write(to: output)
        var model = try Model(contentsOf: output)
        model.graph.name = "changed"
        try model.write(to: output)
        // The model that was opened first still has its tensors, and so has the new file.
        #expect(model.graph.initializers == original.graph.initializers)
        #expect(try Model(contentsOf: output) == model)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["output.onnx"])
    }

    @Test func externalData() throws {
        let model = try model(sizes: [10, 100, 1024, 3000, 70001])
        try model.write(to: output, inlineLimit: 50_000)
        let written = try Model(contentsOf: output)
        #expect(written == model)
        #expect(addresses(written).allSatisfy { $0 % 64 == 0 })
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.sorted() == ["output.onnx", "output.onnx.data"])
        let size = { (name: String) in try Data(contentsOf: folder.url.appendingPathComponent(name)).count }
        // Initializers of the graph and of the one inside it; constants of nodes stay in the model.
        #expect(try size("output.onnx.data") > 2 * (1024 + 3000 + 70001))
        #expect(try size("output.onnx") > 1024 + 3000 + 70001)
        #expect(try size("output.onnx") < 2 * (1024 + 3000 + 70001))
        // Over both files that it was opened from.
        try written.write(to: output, inlineLimit: 50_000)
        #expect(try Model(contentsOf: output) == model)
    }

    /// IR versions have what they introduced: initializers without inputs, functions, defaults, overloads.
    @Test func neededIRVersion() throws {
        let tensor = try ConstantTensor(elementType: .uint8, shape: [0], payload: .bytes(ByteRegion(copying: [])))
        let plain = Model(irVersion: 3)
        var initialized = plain
        initialized.graph.initializers["w"] = tensor
        var declared = initialized
        declared.graph.inputs = [ValueDeclaration(name: "w", kind: .tensor(.uint8, shape: [.fixed(0)]))]
        var functions = plain
        functions.functions = [Function(name: "F", domain: "own")]
        var defaults = functions
        defaults.functions[0].defaults = ["a": .int(1)]
        var overloads = defaults
        overloads.functions[0].overload = "o"
        for (model, version) in [
            (plain, 3), (initialized, 4), (declared, 3), (functions, 8), (defaults, 9), (overloads, 10),
        ] {
            try model.write(to: output)
            #expect(try Model(contentsOf: output).irVersion == version)
        }
    }

    @Test func permissionsAreKept() throws {
        let model = Model()
        try model.write(to: output)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: output.path)
        try model.write(to: output)
        let attributes = try FileManager.default.attributesOfItem(atPath: output.path)
        #expect(attributes[.posixPermissions] as? Int == 0o640)
    }

    @Test func symbolicLinksAreFollowed() throws {
        let link = folder.url.appendingPathComponent("link.onnx")
        try Model().write(to: output)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: output)
        try Model(producerName: "changed").write(to: link)
        #expect(try Model(contentsOf: output).producerName == "changed")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == output.path)
    }

    @Test func placesThatCannotBeWritten() throws {
        let pipe = folder.url.appendingPathComponent("pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        for url in [folder.url, folder.url.appendingPathComponent("missing/model.onnx"), pipe] {
            guard case .unwritable(url.path, let reason) = try loaderError({ try Model().write(to: url) }) else {
                Issue.record("\(url.path) was written")
                continue
            }
            #expect(!reason.isEmpty)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["pipe"])
    }
}
