import ONNXLoader

/// What a run will do and need, known before it.
public struct PlanSummary: Sendable {
    public struct Step: Sendable {
        /// The node's name in the file; of several fused nodes, the first's.
        public var name: String
        /// The operator, or the fused ones joined by `+`.
        public var operatorName: String
        /// How it is computed.
        public var kernel: String
        /// Multiplications with an addition.
        public var multiplyAdds: Int
        /// Types of the outputs, as far as they are known.
        public var outputs: [String]
    }

    /// In the order of execution.
    public var steps: [Step]
    /// Bytes of the arena that holds what lives between steps.
    public var arenaBytes: Int
    /// Bytes of the requested outputs.
    public var outputBytes: Int
    /// Bytes of constants, those in the mapped file included, and of weights that kernels have in an order of their own.
    public var constantBytes: Int
    /// Steps whose sizes depend on values: their memory is not in `arenaBytes`.
    public var dynamicSteps: Int

    /// Multiplications with an addition in one run.
    public var multiplyAdds: Int { steps.reduce(0) { $0 + $1.multiplyAdds } }
}

/// Where the time of a run goes.
public struct Profile: Sendable {
    public var summary: PlanSummary
    /// Median seconds of each step of the summary.
    public var seconds: [Double]
    /// Median seconds of a whole run.
    public var totalSeconds: Double
    public var outputs: [String: Tensor]
}

extension Session {
    /// Plans a run for given input types without running it.
    /// - Throws: `RuntimeError`, which names the node or the input.
    public func summary(for inputs: [String: ValueType], outputs: [String]? = nil) throws -> PlanSummary {
        PlanSummary(try plan(for: inputs, outputs: outputs, context: planningContext))
    }

    /// Runs several times and takes the time of every step.
    /// - Parameter runs: at least 1; the first one is not counted when there are more.
    public func profile(_ inputs: [String: Tensor], outputs: [String]? = nil, runs: Int = 5) throws -> Profile {
        let context = planningContext
        let plan = try plan(for: inputs.mapValues(ValueType.init), outputs: outputs, context: context)
        var steps = [[Double]](repeating: [], count: plan.steps.count)
        var totals: [Double] = []
        var results: [String: Value] = [:]
        for run in 0..<max(1, runs) {
            let start = ContinuousClock.now
            results = try plan.run(inputs.mapValues { .tensor($0) }, context: context) { step, time in
                if run > 0 || runs <= 1 { steps[step].append(time.seconds) }
            }
            if run > 0 || runs <= 1 { totals.append((ContinuousClock.now - start).seconds) }
        }
        return Profile(
            summary: PlanSummary(plan), seconds: steps.map { median($0) }, totalSeconds: median(totals),
            outputs: try results.tensors())
    }
}

extension PlanSummary {
    init(_ plan: Plan) {
        steps = plan.steps.map { step in
            Step(
                name: step.node.displayName, operatorName: step.node.operatorName,
                kernel: step.operation.isView ? "view" : step.operation.kernelName, multiplyAdds: step.multiplyAdds,
                outputs: step.outputs.map { $0.flatMap { plan.places[$0].type?.description } ?? "?" })
        }
        arenaBytes = plan.arenaByteCount
        outputBytes = plan.externalByteCounts.reduce(0, +)
        constantBytes = plan.places.reduce(0) { total, place in
            if case .constant(let tensor) = place { total + tensor.byteCount } else { total }
        }
        constantBytes += plan.steps.reduce(0) { $0 + $1.operation.preparedByteCount }
        dynamicSteps = plan.steps.count { !$0.isStatic }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// The middle value; 0 when there is none.
private func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
