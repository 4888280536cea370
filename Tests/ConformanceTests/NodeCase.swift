import Foundation
import ONNXLoader

@testable import Runtime

/// A case of the `onnx` package: a model of one node, its inputs, and what comes out.
struct NodeCase {
    let name: String
    private let folder: URL

    init(_ folder: URL) {
        name = folder.lastPathComponent
        self.folder = folder
    }

    /// All cases in a folder, by name.
    static func all(in folder: URL) throws -> [NodeCase] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { FileManager.default.fileExists(atPath: $0.appending(path: "model.onnx").path) }
            .map(NodeCase.init).sorted { $0.name < $1.name }
    }

    struct Outcome: Sendable {
        let name: String
        /// The operators of the model's graph.
        var operators: [String] = []
        /// Of the model's inputs and outputs.
        var elementTypes: Set<ElementType> = []
        /// Nil when all outputs agree.
        var failure: String?
    }

    /// Runs every data set.
    func run() -> Outcome {
        var outcome = Outcome(name: name)
        do {
            let model = try Model(contentsOf: folder.appending(path: "model.onnx"))
            outcome.operators = model.graph.nodes.map {
                $0.domain.isEmpty ? $0.operatorName : "\($0.domain).\($0.operatorName)"
            }
            outcome.elementTypes = Set((model.graph.inputs + model.graph.outputs).flatMap(\.kind.elementTypes))
            let session = try Session(model)
            let sets = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.lastPathComponent.hasPrefix("test_data_set") }
            for set in sets { try check(session, model, set) }
            // Nothing that runs may be called an obstacle.
            do { _ = try Optimizer.optimize(model) } catch RuntimeError.unsupported(let obstacles) {
                throw Difference("refused, but runs: \(obstacles)")
            } catch {}
        } catch {
            outcome.failure = "\(error)"
        }
        return outcome
    }

    private func check(_ session: Session, _ model: Model, _ set: URL) throws {
        func value(_ kind: String, _ index: Int, _ declaration: ValueDeclaration) throws -> Value? {
            let file = set.appending(path: "\(kind)_\(index).pb")
            guard FileManager.default.fileExists(atPath: file.path) else { return nil }
            return try Value(protocolBuffer: try Data(contentsOf: file), kind: declaration.kind)
        }
        var inputs: [String: Value] = [:]
        for (index, declaration) in model.graph.inputs.enumerated() {
            inputs[declaration.name] = try value("input", index, declaration)
        }
        let outputs = try session.run(values: inputs)
        for (index, declaration) in model.graph.outputs.enumerated() {
            guard let expected = try value("output", index, declaration) else { continue }
            guard let actual = outputs[declaration.name] else { throw Difference("no output \(declaration.name)") }
            try actual.compare(with: expected, name: declaration.name)
        }
    }
}

extension ValueDeclaration.Kind {
    fileprivate var elementTypes: [ElementType] {
        switch self {
        case .tensor(let type, _), .sparseTensor(let type, _): [type]
        case .sequence(let kind), .optional(let kind): kind.elementTypes
        case .map(let key, let value): [key] + value.elementTypes
        case .undeclared: []
        }
    }
}

/// Where an output is not what it should be.
struct Difference: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension Value {
    /// The tolerances with which other runtimes were counted; two units in the last place of a bfloat16, as ONNX's own
    /// runner allows.
    private static let relativeTolerance = 1e-3, bfloat16Tolerance = 0x1p-6, absoluteTolerance = 1e-5

    fileprivate func compare(with expected: Value, name: String) throws {
        switch (self, expected) {
        case (.absent, .absent): return
        case (.sequence(let own), .sequence(let others)):
            guard own.count == others.count else {
                throw Difference("\(name) has \(own.count) elements, not \(others.count)")
            }
            for (index, pair) in zip(own, others).enumerated() {
                try pair.0.compare(with: pair.1, name: "\(name)[\(index)]")
            }
        case (.tensor(let own), .tensor(let other)):
            guard ValueType(own) == ValueType(other) else {
                throw Difference("\(name) is \(ValueType(own)), not \(ValueType(other))")
            }
            guard own.elementType != .string else {
                if own.strings != other.strings { throw Difference("\(name) is \(own.strings), not \(other.strings)") }
                return
            }
            let tolerance = own.elementType == .bfloat16 ? Self.bfloat16Tolerance : Self.relativeTolerance
            for (index, pair) in zip(try own.comparable(), try other.comparable()).enumerated() {
                let (value, wanted) = pair
                let agrees =
                    value == wanted || (value.isNaN && wanted.isNaN)
                    || abs(value - wanted) <= Self.absoluteTolerance + tolerance * abs(wanted)
                guard agrees else { throw Difference("\(name)[\(index)] is \(value), not \(wanted)") }
            }
        default: throw Difference("\(name) is \(kind), not \(expected.kind)")
        }
    }
}

extension Tensor {
    /// The elements as numbers; real and imaginary parts in turn.
    fileprivate func comparable() throws -> [Double] {
        switch elementType {
        case .complex64: return try halves(Float.self).map(Double.init)
        case .complex128: return try halves(Double.self)
        default:
            let unpacked = try unpacked(budget: MemoryBudget(limit: nil))
            return try unpacked.converted(to: .float64).array(of: Double.self)
        }
    }

    private func halves<Part: TensorElement>(_ type: Part.Type) -> [Part] {
        withUnsafeBytes { bytes in
            (0..<2 * count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Part>.stride, as: Part.self) }
        }
    }
}
