import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

extension Case {
    /// Inputs that are parameters of a computation rather than numbers to compute with.
    private static let parameters: [String: Set<Int>] = ["Resize": [1, 2], "Upsample": [1]]

    /// Compares the operator's gradient, where it has one, with central differences, in binary64.
    ///
    /// The inputs are the case's, moved a little so that no element stands on a kink or ties with another; where the
    /// operator is not defined nearby, or gives no finite number, nothing is compared.
    func checkGradient() throws {
        let node = Node(
            name: "case", operatorName: name, domain: domain,
            inputs: inputs.indices.map { inputs[$0] == nil ? "" : "input\($0)" },
            outputs: outputNames, attributes: attributes)
        guard try Registry.makeOperator(node, opsets: opsets) is any DifferentiableOperator else { return }
        var random = SplitMix64(state: 17)
        var graph = Graph(nodes: [node])
        var feed: [String: Tensor] = [:]
        for (index, literal) in inputs.enumerated() {
            guard let tensor = try literal?.tensor() else { continue }
            let name = "input\(index)"
            guard tensor.elementType.isFloatingPoint, !(Self.parameters[self.name]?.contains(index) ?? false) else {
                graph.initializers[name] = try ConstantTensor(tensor)
                continue
            }
            let moved: [Double] = try tensor.doubles().map {
                $0 + (Double.random(in: 0...1, using: &random) - 0.5) * 0.02
            }
            feed[name] = try Tensor(moved, shape: tensor.shape)
            graph.inputs.append(
                ValueDeclaration(name: name, kind: .tensor(.float64, shape: tensor.shape.map { .fixed($0) })))
        }
        graph.outputs = node.outputs.filter { !$0.isEmpty }.map { ValueDeclaration(name: $0, kind: .undeclared) }
        let session = try Session(Model(opsets: opsets, graph: graph))
        guard let values = try? session.run(feed) else { return }
        for output in node.outputs where !output.isEmpty {
            guard let value = values[output], value.elementType == .float64, try value.doubles().allSatisfy(\.isFinite)
            else { continue }
            let seed = try Tensor(
                value.doubles().map { _ -> Double in Double.random(in: -1...1, using: &random) }, shape: value.shape)
            try compare(session, feed, output: output, seed: seed, &random)
        }
    }

    private func compare(
        _ session: Session, _ feed: [String: Tensor], output: String, seed: Tensor, _ random: inout SplitMix64
    ) throws {
        let targets = feed.keys.sorted()
        let gradients: Gradients
        do {
            gradients = try session.gradient(of: output, at: .tensor(seed), withRespectTo: targets, inputs: feed)
        } catch let error as RuntimeError where "\(error)".contains("is not known") {
            // A rule says which of its operator's forms it does not cover.
            return
        }
        let weights = try seed.doubles()
        func weighted(_ feed: [String: Tensor]) throws -> Double {
            let result = try #require(try session.run(feed, outputs: [output])[output])
            return zip(weights, try result.doubles()).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for target in targets {
            let input = try #require(feed[target])
            let gradient = try #require(gradients[target])
            #expect(gradient.shape == input.shape && gradient.elementType == .float64, "\(target)")
            let analytic = try gradient.doubles()
            let point = try input.doubles()
            let scale = max(1e-3, analytic.map { abs($0) }.max() ?? 0)
            for index in point.indices.shuffled(using: &random).prefix(24) {
                let step = 1e-6 * max(1, abs(point[index]) / 1e4)
                func shifted(_ distance: Double) throws -> Double {
                    var moved = point
                    moved[index] += distance
                    var feed = feed
                    feed[target] = try Tensor(moved, shape: input.shape)
                    return try weighted(feed)
                }
                func difference(_ step: Double) throws -> Double {
                    (try shifted(step) - shifted(-step)) / (2 * step)
                }
                // Richardson's extrapolation removes the error of second order.
                let numeric = (4 * (try difference(step / 2)) - (try difference(step))) / 3
                guard numeric.isFinite else { continue }
                #expect(
                    abs(numeric - analytic[index]) <= 2e-6 * scale,
                    "gradient of \(output) by \(target)[\(index)]: \(analytic[index]), by differences \(numeric)")
            }
        }
    }
}
