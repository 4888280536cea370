import ONNXLoader
import Synchronization

/// A graph compiled for given input types and requested values: every type that can be known is known, every kernel is
/// chosen, and one arena holds what lives between steps.
final class Plan: Sendable {
    struct Key: Hashable, Sendable {
        var inputs: [String: ValueType]
        var outputs: [String]
        /// Inputs that are sequences or empty optionals.
        var untypedInputs: Set<String> = []
        /// Gradients to compute besides.
        var gradient: GradientRequest?
    }

    /// Where a value lives.
    enum Place: Sendable {
        case constant(Tensor)
        case input(String)
        case arena(ValueType, offset: Int)
        /// Memory of its own, which the caller keeps; values of one index share it.
        case external(ValueType, buffer: Int)
        /// The elements of another value under another shape.
        case view(ValueType)
        /// Known when it is computed only.
        case dynamic
    }

    struct PlannedStep: Sendable {
        let node: Node
        let operation: any Operator
        /// Value numbers; nil where an optional input or output is absent.
        let inputs: [Int?]
        let outputs: [Int?]
        let isStatic: Bool
        let workspaceOffset: Int
        let workspaceByteCount: Int
        /// Values that nobody needs after this step.
        let releases: [Int]
        let multiplyAdds: Int
    }

    let steps: [PlannedStep]
    let places: [Place]
    let outputs: [(name: String, value: Int)]
    let externalByteCounts: [Int]
    let arenaByteCount: Int
    /// Arenas between runs, so that memory is not handed back and fetched again for each.
    private let idleArenas = Mutex<[TensorStorage]>([])

    init(
        steps: [PlannedStep], places: [Place], outputs: [(name: String, value: Int)], externalByteCounts: [Int],
        arenaByteCount: Int
    ) {
        self.steps = steps
        self.places = places
        self.outputs = outputs
        self.externalByteCounts = externalByteCounts
        self.arenaByteCount = arenaByteCount
    }

    /// Runs the steps in order.
    /// - Parameter observe: called after each step with its number and its time, for a profile.
    func run(
        _ inputs: [String: Value], context: RunContext,
        observe: ((Int, Duration) -> Void)? = nil
    ) throws -> [String: Value] {
        let arena = try takeArena(context)
        defer { idleArenas.withLock { $0.append(arena) } }
        let externals = try externalByteCounts.map { try context.budget.allocate(byteCount: $0) }
        var values = try places.map { place -> Value? in
            switch place {
            case .constant(let tensor): .tensor(tensor)
            case .input(let name): try inputs[name] ?? unknown(name)
            case .arena(let type, let offset): .tensor(Tensor(type, storage: arena, byteOffset: offset))
            case .external(let type, let buffer): .tensor(Tensor(type, storage: externals[buffer]))
            case .view, .dynamic: nil
            }
        }
        for (number, step) in steps.enumerated() {
            try context.checkpoint()
            let start = observe == nil ? nil : ContinuousClock.now
            do {
                try run(step, &values, arena: arena, context: context)
            } catch {
                throw RuntimeError.failure(
                    error, in: step.node,
                    inputs: step.inputs.map { index in
                        guard let index, case .tensor(let tensor) = values[index] else { return nil }
                        return ValueType(tensor)
                    })
            }
            for value in step.releases { values[value] = nil }
            if let start { observe?(number, ContinuousClock.now - start) }
        }
        var results: [String: Value] = [:]
        for (name, value) in outputs {
            guard let value = values[value] else { throw RuntimeError.unknownValue(name) }
            results[name] = value.detached(from: arena)
        }
        return results
    }

    private func unknown(_ name: String) throws -> Value {
        throw RuntimeError.missingInput(name, .undeclared)
    }

    private func run(
        _ step: PlannedStep, _ values: inout [Value?], arena: TensorStorage, context: RunContext
    ) throws {
        let inputs = step.inputs.map { $0.flatMap { values[$0] } }
        var outputs = step.outputs.map { $0.flatMap { values[$0] } }
        var types: [ValueType]?
        if !step.isStatic, inputs.allSatisfy({ $0 == nil || $0?.tensor != nil }) {
            let infos = inputs.map { value in value?.tensor.map { ValueInfo($0) } }
            do {
                types = try step.operation.types(of: infos, arity: step.outputs.count)
            } catch is DataDependentTypes {}
            if let types, !step.operation.isView {
                for (index, type) in types.enumerated() where index < outputs.count && step.outputs[index] != nil {
                    outputs[index] = .tensor(try context.budget.allocate(type))
                }
            }
        }
        if step.operation.isView, let value = inputs.first ?? nil, let target = step.outputs.first ?? nil {
            guard case .tensor(let input) = value else {
                values[target] = value
                return
            }
            guard let shape = types?.first?.shape ?? places[target].type?.shape else {
                throw OperatorError("the shape of a view is not known")
            }
            values[target] = .tensor(try input.reshaped(to: shape))
            return
        }
        var workspace: TensorStorage? = arena
        if !step.isStatic {
            let infos = inputs.map { value in value?.tensor.map { ValueInfo($0) } }
            let bytes = try step.operation.workspaceByteCount(
                inputs: infos, outputs: types ?? [], threads: context.pool.threads)
            workspace = bytes > 0 ? try context.budget.allocate(byteCount: bytes) : nil
        }
        var running = Step(
            name: step.node.displayName, operatorName: step.node.operatorName, inputs: inputs, outputs: outputs,
            arity: step.outputs.count, context: context, workspace: workspace, workspaceOffset: step.workspaceOffset)
        try step.operation.run(&running)
        for (index, value) in step.outputs.enumerated() {
            guard let value else { continue }
            values[value] = step.isStatic ? running.outputs[index] : running.outputs[index]?.detached(from: arena)
        }
    }

    private func takeArena(_ context: RunContext) throws -> TensorStorage {
        try idleArenas.withLock { $0.popLast() } ?? context.budget.allocate(byteCount: arenaByteCount)
    }
}

extension Plan.Place {
    /// The type, when it is known before a run.
    var type: ValueType? {
        switch self {
        case .constant(let tensor): ValueType(tensor)
        case .arena(let type, _), .external(let type, _), .view(let type): type
        case .input, .dynamic: nil
        }
    }
}

extension Value {
    /// The value in memory that does not go away with an arena, or another step's use of it.
    fileprivate func detached(from arena: TensorStorage) -> Value {
        switch self {
        case .tensor(let tensor): tensor.storage === arena ? .tensor(tensor.copied()) : self
        case .sequence(let elements): .sequence(elements.map { $0.detached(from: arena) })
        case .absent: self
        }
    }
}

extension Tensor {
    init(_ type: ValueType, storage: TensorStorage, byteOffset: Int = 0) {
        self.init(elementType: type.elementType, shape: type.shape, storage: storage, byteOffset: byteOffset)
    }
}
