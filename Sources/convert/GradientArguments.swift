import ArgumentParser
import ONNXLoader
import Runtime

struct GradientArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Differentiate this value of the graph on the arrays of --run; --save writes each gradient as NAME.gradient beside the outputs.",
            valueName: "value"))
    var gradient: String?

    @Option(
        name: .customLong("at"),
        help: ArgumentHelp(
            "The element of the value to differentiate, such as 0,281 (default: the sum of all).", valueName: "index"))
    var index: Index?

    @Option(
        name: .customLong("by"),
        help: ArgumentHelp(
            "With respect to this input, weight or inner value; repeat for more (default: the floating-point inputs).",
            valueName: "name"))
    var targets: [String] = []

    struct Index: ExpressibleByArgument {
        let coordinates: [Int]

        init?(argument: String) {
            let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard !parts.isEmpty, !parts.contains(nil) else { return nil }
            coordinates = parts.compactMap { $0 }
        }
    }

    func validate() throws {
        if gradient == nil, index != nil || !targets.isEmpty {
            throw ValidationError("--at and --by go with --gradient.")
        }
    }

    /// The outputs and the gradients, named for saving.
    func execute(_ output: String, _ session: Session, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
        let wanted =
            targets.isEmpty
            ? inputs.filter { $0.value.elementType == .float32 || $0.value.elementType == .float64 }.keys.sorted()
            : targets
        let gradients = try session.gradient(
            of: output, at: seed(output, session, inputs), withRespectTo: wanted, inputs: inputs,
            outputs: session.outputs.map(\.name))
        return gradients.gradients.reduce(into: gradients.values) { $0[$1.key + ".gradient"] = $1.value }
    }

    private func seed(_ output: String, _ session: Session, _ inputs: [String: Tensor]) throws -> GradientSeed {
        if let index { return .index(index.coordinates) }
        guard let value = try session.run(inputs, outputs: [output])[output] else {
            throw RuntimeError.unknownValue(output)
        }
        switch value.elementType {
        case .float64: return .tensor(try Tensor([Double](repeating: 1, count: value.count), shape: value.shape))
        default: return .tensor(try Tensor([Float](repeating: 1, count: value.count), shape: value.shape))
        }
    }
}
