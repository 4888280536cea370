import Foundation
import ONNXLoader
import Pipeline
import Runtime

/// What is known of a model after the command has done its work, or up to where it failed.
struct Report: Encodable {
    struct Value: Encodable {
        var name: String
        /// nil for anything but a tensor.
        var elementType: String?
        /// A size, the name of a symbolic one, or nil; nil altogether for an unknown rank.
        var shape: [Size?]?
        fileprivate(set) var summary: String

        enum CodingKeys: CodingKey { case name, elementType, shape }
    }

    enum Size: Encodable {
        case fixed(Int)
        case symbolic(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .fixed(let size): try container.encode(size)
            case .symbolic(let name): try container.encode(name)
            }
        }
    }

    struct Weights: Encodable {
        var file: String
        var format: String
        var replaced: Int
        var converted: Int
        var mergedBatchNorms: Int
        var missing: [String]
        var unused: [String]
        var ignored: Int
        var notes: [String]
    }

    struct Pass: Encodable {
        var name: String
        var removedNodes: Int
    }

    struct Run {
        var loadSeconds: Double
        /// Of the first run and of all others.
        var milliseconds: [Double]
        var peakMegabytes: Double
        var saved: String?

        var first: Double { milliseconds.first ?? 0 }
        /// Of the runs after the first, or of the first when there are no others.
        var median: Double {
            let times = (milliseconds.count > 1 ? Array(milliseconds.dropFirst()) : milliseconds).sorted()
            guard !times.isEmpty else { return 0 }
            return (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
        }
    }

    let model: String
    /// Whether the model would run here.
    var runs = false
    var error: String?
    var irVersion: Int?
    var opsets: [String: Int] = [:]
    var producer: String?
    var inputs: [Value] = []
    var outputs: [Value] = []
    var parameters: Int?
    var nodesBefore: Int?
    var nodesAfter: Int?
    var passes: [Pass] = []
    var plan: PlanSummary?
    var role: String?
    var roleOrigin: String?
    var weights: Weights?
    var run: Run?
    var profile: ProfileReport?
    var output: String?
    var warnings: [String] = []

    init(model: String) { self.model = model }

    mutating func describe(_ model: Model) {
        irVersion = model.irVersion
        opsets = model.opsets
        let name = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
        producer = name.isEmpty ? nil : name
        inputs = model.graph.inputs.filter { model.graph.initializers[$0.name] == nil }.map(Value.init)
        outputs = model.graph.outputs.map(Value.init)
        parameters = model.graph.parameterCount
        nodesBefore = model.graph.nodes.count
        for warning in model.warnings where !warnings.contains(warning) { warnings.append(warning) }
    }

    mutating func describe(_ report: Optimizer.Report) {
        nodesBefore = report.nodesBefore
        nodesAfter = report.nodesAfter
        passes = report.passes.map { Pass(name: $0.name, removedNodes: $0.removedNodes) }
    }

    mutating func describe(_ report: WeightSwapReport, archive: TensorArchive, file: String) {
        weights = Weights(
            file: file, format: archive.format.rawValue, replaced: report.replaced.count,
            converted: report.converted.count, mergedBatchNorms: report.mergedBatchNorms.count,
            missing: report.missing, unused: report.unused, ignored: report.ignored.count, notes: archive.notes)
        warnings += report.warnings
    }

    /// Finds out what the model is for. Not knowing it is no error: any model can be converted.
    mutating func recognise(_ model: Model, file: String) {
        do {
            let contract = try ModelContract(model, file: file)
            role = contract.role.rawValue
            roleOrigin = contract.origin.rawValue
        } catch .noRole {
        } catch {
            role = model.metadata[MetadataKey.role.rawValue]
            warnings.append("\(error)")
        }
    }
}

extension Report.Value {
    fileprivate init(_ declaration: ValueDeclaration) {
        name = declaration.name
        summary = "\(declaration.name) \(declaration.kind.summary)"
        guard case .tensor(let type, let shape) = declaration.kind else { return }
        elementType = type.name
        self.shape = shape?.map { dimension in
            switch dimension {
            case .fixed(let size): .fixed(size)
            case .symbolic(let name): .symbolic(name)
            case .unknown: nil
            }
        }
    }
}
