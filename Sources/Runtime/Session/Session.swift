import Foundation
import ONNXLoader
import Synchronization

/// A model ready to run. Safe to use from several threads at once; results are bit-identical for any number of threads.
public final class Session: Sendable {
    /// The model as loaded: its metadata, inputs and outputs.
    public let model: Model
    public let options: Options
    private let graph: OperatorGraph
    /// Inputs that a run must be given: the graph's, without those that have an initializer.
    private let requiredInputs: [ValueDeclaration]
    private let valueNames: Set<String>
    private let pool: ThreadPool
    private let budget: MemoryBudget
    private let weights = PreparedWeights()
    private let plans = Mutex(PlanCache())

    public struct Options: Sendable {
        /// Threads that one run may use; nil for one per core.
        public var threads: Int?
        /// Bytes that activations, folded constants and weights packed for kernels may occupy together in one session; nil
        /// for the machine's memory.
        public var memoryLimit: Int?

        public init(threads: Int? = nil, memoryLimit: Int? = nil) {
            self.threads = threads
            self.memoryLimit = memoryLimit
        }
    }

    /// Prepares a model for running.
    /// - Throws: `RuntimeError.unsupported` with all operators that are missing, or another problem of the graph.
    public init(_ model: Model, options: Options = Options()) throws {
        self.model = model
        self.options = options
        graph = try OperatorGraph(model)
        requiredInputs = model.graph.inputs.filter { model.graph.initializers[$0.name] == nil }
        valueNames = Set(graph.elements.flatMap(\.outputs) + graph.constants.keys + model.graph.inputs.map(\.name))
        pool = .shared(threads: options.threads ?? ThreadPool.coreCount)
        budget = MemoryBudget(limit: options.memoryLimit)
        BLAS.useCallingThreadOnly()
    }

    /// Opens an ONNX file and prepares it for running.
    /// - Throws: `LoaderError` for the file, `RuntimeError` for the graph.
    public convenience init(contentsOf url: URL, options: Options = Options()) throws {
        try self.init(Model(contentsOf: url), options: options)
    }

    /// The graph's inputs that have no initializer.
    public var inputs: [ValueDeclaration] { requiredInputs }

    /// The graph's outputs.
    public var outputs: [ValueDeclaration] { model.graph.outputs }

    /// Runs the graph.
    ///
    /// - Parameters:
    ///   - inputs: one tensor for every graph input without an initializer, by name; one with an initializer may be
    ///     given too and then replaces it.
    ///   - outputs: names of any values of the graph as loaded; nil for the graph's outputs. Only what these need is
    ///     computed, and only inputs that they need must be given.
    ///   - deadline: when to give up.
    ///   - cancellation: lets another thread stop the run.
    /// - Throws: `RuntimeError`, which names the node or the input.
    public func run(
        _ inputs: [String: Tensor], outputs: [String]? = nil, deadline: ContinuousClock.Instant? = nil,
        cancellation: Cancellation? = nil
    ) throws -> [String: Tensor] {
        try run(
            values: inputs.mapValues { .tensor($0) }, outputs: outputs, deadline: deadline, cancellation: cancellation
        ).tensors()
    }

    /// Runs a graph whose inputs or outputs are sequences or optionals; otherwise like `run(_:outputs:)`.
    public func run(
        values: [String: Value], outputs: [String]? = nil, deadline: ContinuousClock.Instant? = nil,
        cancellation: Cancellation? = nil
    ) throws -> [String: Value] {
        let context = runContext(deadline: deadline, cancellation: cancellation)
        let key = Plan.Key(values, outputs: outputs ?? model.graph.outputs.map(\.name))
        return try plan(for: key, context: context).run(values, context: context)
    }

    func runContext(deadline: ContinuousClock.Instant?, cancellation: Cancellation?) -> RunContext {
        RunContext(
            pool: pool, budget: budget, weights: weights, deadline: deadline, cancellation: cancellation)
    }

    /// The value that the file gives a name; nil for an input or a computed value.
    func initializer(named name: String) -> Tensor? { graph.constants[name] }

    /// The most bytes that activations, folded constants and packed weights have occupied together.
    public var peakByteCount: Int { budget.peak }

    /// The plan for given input types, from the cache or newly made.
    func plan(for types: [String: ValueType], outputs: [String]?, context: RunContext) throws -> Plan {
        try plan(for: Plan.Key(inputs: types, outputs: outputs ?? model.graph.outputs.map(\.name)), context: context)
    }

    func plan(for key: Plan.Key, context: RunContext) throws -> Plan {
        if let plan = plans.withLock({ $0[key] }) { return plan }
        try check(key)
        let plan = try Plan.compile(graph, key: key, context: context)
        plans.withLock { $0.insert(plan, for: key) }
        return plan
    }

    /// A context without deadline, for planning alone.
    var planningContext: RunContext { RunContext(pool: pool, budget: budget, weights: weights) }

    private func check(_ key: Plan.Key) throws {
        let wanted = key.outputs + (key.gradient.map { [$0.output] + $0.targets } ?? [])
        for name in wanted where !valueNames.contains(name) { throw RuntimeError.unknownValue(name) }
        for (name, type) in key.inputs where !(key.gradient?.addsInput(name, to: graph) ?? false) {
            guard let declaration = model.graph.inputs.first(where: { $0.name == name }) else {
                throw RuntimeError.unknownValue(name)
            }
            guard declaration.kind.accepts(type) else {
                throw RuntimeError.wrongInput(name, expected: declaration.kind, actual: type)
            }
        }
        for name in key.untypedInputs {
            guard let declaration = model.graph.inputs.first(where: { $0.name == name }) else {
                throw RuntimeError.unknownValue(name)
            }
            if case .tensor = declaration.kind { throw RuntimeError.missingInput(name, declaration.kind) }
        }
        var needed = graph
        needed.prune(keeping: wanted)
        let used = Set(needed.elements.flatMap(\.inputs) + wanted)
        for input in requiredInputs
        where key.inputs[input.name] == nil && !key.untypedInputs.contains(input.name) && used.contains(input.name) {
            throw RuntimeError.missingInput(input.name, input.kind)
        }
    }
}

extension ValueDeclaration.Kind {
    /// Whether a tensor of this type is of this kind; undeclared sizes accept any.
    fileprivate func accepts(_ type: ValueType) -> Bool {
        switch self {
        case .tensor(let elementType, let shape):
            guard elementType == type.elementType else { return false }
            guard let shape else { return true }
            return shape.count == type.shape.count
                && zip(shape, type.shape).allSatisfy { dimension, size in
                    if case .fixed(let fixed) = dimension { fixed == size } else { true }
                }
        case .undeclared: return true
        case .optional(let kind): return kind.accepts(type)
        default: return false
        }
    }
}

extension [String: Value] {
    /// - Throws: `RuntimeError.notATensor` for any other value.
    func tensors() throws -> [String: Tensor] {
        try reduce(into: [:]) { tensors, entry in
            guard let tensor = entry.value.tensor else {
                throw RuntimeError.notATensor(entry.key, kind: entry.value.kind)
            }
            tensors[entry.key] = tensor
        }
    }
}
