import Runtime

/// Where the time of a run goes, per node and per operator.
struct ProfileReport: Encodable {
    struct Step: Encodable {
        var name: String
        var operatorName: String
        var kernel: String
        var milliseconds: Double
        var multiplyAdds: Int
        var gigaflops: Double?
        var outputs: [String]
    }

    struct Operator: Encodable {
        var operatorName: String
        var count: Int
        var milliseconds: Double
        var share: Double
        var gigaflops: Double?
    }

    var totalMilliseconds: Double
    var steps: [Step]
    var operators: [Operator]
    var arenaBytes: Int
    var outputBytes: Int
    var constantBytes: Int
    var dynamicSteps: Int

    init(_ profile: Profile) {
        totalMilliseconds = profile.totalSeconds * 1000
        steps = zip(profile.summary.steps, profile.seconds).map { step, seconds in
            Step(
                name: step.name, operatorName: step.operatorName, kernel: step.kernel, milliseconds: seconds * 1000,
                multiplyAdds: step.multiplyAdds, gigaflops: Self.gigaflops(step.multiplyAdds, seconds * 1000),
                outputs: step.outputs)
        }
        let total = steps.reduce(0) { $0 + $1.milliseconds }
        operators = Dictionary(grouping: steps, by: \.operatorName).map { name, steps in
            let milliseconds = steps.reduce(0) { $0 + $1.milliseconds }
            return Operator(
                operatorName: name, count: steps.count, milliseconds: milliseconds,
                share: total > 0 ? milliseconds / total : 0,
                gigaflops: Self.gigaflops(steps.reduce(0) { $0 + $1.multiplyAdds }, milliseconds))
        }.sorted { ($0.milliseconds, $1.operatorName) > ($1.milliseconds, $0.operatorName) }
        arenaBytes = profile.summary.arenaBytes
        outputBytes = profile.summary.outputBytes
        constantBytes = profile.summary.constantBytes
        dynamicSteps = profile.summary.dynamicSteps
    }

    /// A multiplication with an addition counts as two operations.
    private static func gigaflops(_ multiplyAdds: Int, _ milliseconds: Double) -> Double? {
        multiplyAdds > 0 && milliseconds > 0 ? 2e-6 * Double(multiplyAdds) / milliseconds : nil
    }

    var text: String {
        var nodes = Table(["ms", "GFLOP/s", "operator", "kernel", "node", "output"], numbers: 2)
        for step in steps {
            nodes.add([
                fixed(step.milliseconds, 3), step.gigaflops.map { fixed($0, 1) } ?? "", step.operatorName, step.kernel,
                step.name, step.outputs.joined(separator: " "),
            ])
        }
        var summary = Table(["ms", "%", "GFLOP/s", "nodes", "operator"], numbers: 4)
        for entry in operators {
            summary.add([
                fixed(entry.milliseconds, 3), fixed(entry.share * 100, 1), entry.gigaflops.map { fixed($0, 1) } ?? "",
                String(entry.count), entry.operatorName,
            ])
        }
        let memory =
            "memory plan: \(megabytes(arenaBytes)) arena, \(megabytes(outputBytes)) outputs, "
            + "\(megabytes(constantBytes)) constants"
            + (dynamicSteps > 0 ? "; \(dynamicSteps) steps allocate as they go" : "")
        return nodes.text + "\n" + summary.text + "\n" + memory + "\n"
    }
}
