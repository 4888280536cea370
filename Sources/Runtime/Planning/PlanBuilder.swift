import ONNXLoader

/// Turns an optimised, lowered graph into a plan: numbers values, finds out who may share memory, and places the rest.
struct PlanBuilder {
    private let graph: OperatorGraph
    private let types: [String: ValueType]
    private let inputs: [String: ValueType]
    private let untypedInputs: Set<String>
    private let outputs: [String]
    private let context: RunContext

    private var numbers: [String: Int] = [:]
    private var names: [String] = []
    /// The buffer of each value: its own number, or the number of the value whose memory it shares.
    private var roots: [Int] = []
    private var lastUse: [Int] = []
    private var definition: [Int] = []

    init(
        _ graph: OperatorGraph, types: [String: ValueType], inputs: [String: ValueType],
        untypedInputs: Set<String> = [], outputs: [String], context: RunContext
    ) {
        self.graph = graph
        self.types = types
        self.inputs = inputs
        self.untypedInputs = untypedInputs
        self.outputs = outputs
        self.context = context
    }

    private enum Kind { case constant, input, tensor(ValueType), string(ValueType), dynamic }

    mutating func build() throws -> Plan {
        numberValues()
        let requested = Set(outputs.compactMap { numbers[$0] })
        let kinds = names.map(kind)
        let operations = try specializedOperators()
        findLastUses(requested)
        shareMemory(operations.map(\.operation), kinds: kinds)

        let externalRoots = Set(requested.map { roots[$0] })
        var buffers: [MemoryPlan.Buffer] = []
        var bufferOfRoot: [Int: Int] = [:]
        var externalOfRoot: [Int: Int] = [:]
        var externalByteCounts: [Int] = []
        for value in names.indices where roots[value] == value {
            guard case .tensor(let type) = kinds[value] else { continue }
            let bytes = try type.byteCount
            guard bytes <= context.budget.limit else {
                throw RuntimeError.nodeFailed(
                    graph.elements[definition[value]].node.displayName,
                    .memoryLimit(requested: bytes, limit: context.budget.limit))
            }
            if externalRoots.contains(value) {
                externalOfRoot[value] = externalByteCounts.count
                externalByteCounts.append(bytes)
            } else {
                bufferOfRoot[value] = buffers.count
                buffers.append(
                    .init(byteCount: bytes, lifetime: definition[value]...max(definition[value], lastUse[value])))
            }
        }
        var workspaceBuffers: [Int: Int] = [:]
        for (step, operation) in operations.enumerated() where operation.workspace > 0 {
            guard operation.workspace <= context.budget.limit else {
                throw RuntimeError.nodeFailed(
                    graph.elements[step].node.displayName,
                    .memoryLimit(requested: operation.workspace, limit: context.budget.limit))
            }
            workspaceBuffers[step] = buffers.count
            buffers.append(.init(byteCount: operation.workspace, lifetime: step...step))
        }
        let memory = MemoryPlan(buffers)
        let read = valuesRead(operations).union(requested)
        let places = names.indices.map { value -> Plan.Place in
            switch kinds[value] {
            // What only kernels have taken over is let go.
            case .constant: return read.contains(value) ? .constant(graph.constants[names[value]]!) : .dynamic
            case .input: return .input(names[value])
            case .dynamic, .string: return .dynamic
            case .tensor(let type):
                let producer = graph.elements[definition[value]]
                if producer.operation.isView, producer.node.outputs.first == names[value] { return .view(type) }
                if let external = externalOfRoot[roots[value]] { return .external(type, buffer: external) }
                return .arena(type, offset: memory.offsets[bufferOfRoot[roots[value]]!])
            }
        }
        return Plan(
            steps: steps(operations, kinds: kinds, requested: requested) { step in
                workspaceBuffers[step].map { memory.offsets[$0] } ?? 0
            },
            places: places, outputs: outputs.compactMap { name in numbers[name].map { (name, $0) } },
            externalByteCounts: externalByteCounts, arenaByteCount: memory.byteCount)
    }

    private mutating func numberValues() {
        func add(_ name: String, step: Int) {
            guard numbers[name] == nil else { return }
            numbers[name] = names.count
            names.append(name)
            definition.append(step)
        }
        for (step, element) in graph.elements.enumerated() {
            for name in element.inputs { add(name, step: step) }
            for name in element.outputs { add(name, step: step) }
        }
        for name in outputs { add(name, step: 0) }
        roots = Array(names.indices)
        lastUse = Array(repeating: 0, count: names.count)
    }

    private func kind(_ name: String) -> Kind {
        if graph.constants[name] != nil { return .constant }
        if inputs[name] != nil || untypedInputs.contains(name) { return .input }
        guard let type = types[name] else { return .dynamic }
        return type.elementType == .string ? .string(type) : .tensor(type)
    }

    private struct Specialized {
        var operation: any Operator
        var isStatic: Bool
        var workspace: Int
        var multiplyAdds: Int
    }

    private func specializedOperators() throws -> [Specialized] {
        try graph.elements.map { element in
            let outputTypes = element.node.outputs.map { types[$0] }
            let infos = element.node.inputs.map { name -> ValueInfo? in
                graph.constants[name].map { ValueInfo($0) } ?? (types[name] ?? inputs[name]).map { ValueInfo($0) }
            }
            let isStatic =
                zip(element.node.inputs, infos).allSatisfy { $0.isEmpty || $1 != nil }
                && zip(element.node.outputs, outputTypes).allSatisfy {
                    $0.isEmpty || ($1 != nil && $1!.elementType != .string)
                }
            guard isStatic else {
                return Specialized(operation: element.operation, isStatic: false, workspace: 0, multiplyAdds: 0)
            }
            do {
                let all = try element.operation.types(of: infos, arity: element.node.outputs.count)
                let operation = try element.operation.specialized(
                    for: infos, outputs: all, context: context)
                return Specialized(
                    operation: operation, isStatic: true,
                    workspace: try operation.workspaceByteCount(
                        inputs: infos, outputs: all, threads: context.pool.threads),
                    multiplyAdds: operation.multiplyAdds(inputs: infos, outputs: all))
            } catch {
                throw RuntimeError.failure(error, in: element.node, inputs: infos.map { $0?.type })
            }
        }
    }

    /// Values that some step reads in a run.
    private func valuesRead(_ operations: [Specialized]) -> Set<Int> {
        var read: Set<Int> = []
        for (element, specialized) in zip(graph.elements, operations) {
            for (index, name) in element.node.inputs.enumerated()
            where !specialized.operation.preparedInputs.contains(index) {
                if let number = numbers[name] { read.insert(number) }
            }
        }
        return read
    }

    private mutating func findLastUses(_ requested: Set<Int>) {
        for (step, element) in graph.elements.enumerated() {
            for name in element.inputs + element.outputs { lastUse[numbers[name]!] = step }
        }
        for value in requested { lastUse[value] = graph.elements.count }
    }

    /// Lets views share their input's memory, and operators overwrite inputs that nobody else needs.
    private mutating func shareMemory(_ operations: [any Operator], kinds: [Kind]) {
        // A buffer's last use is the last of all its values': views must be merged before anything is overwritten.
        for (step, element) in graph.elements.enumerated() where operations[step].isView {
            if let input = element.node.inputs.first.flatMap({ numbers[$0] }),
                let output = element.node.outputs.first.flatMap({ numbers[$0] })
            {
                mergeBuffer(of: output, into: roots[input])
            }
        }
        for (step, element) in graph.elements.enumerated() where !operations[step].isView {
            let inputs = element.node.inputs.map { numbers[$0] }
            guard let output = element.node.outputs.first.flatMap({ numbers[$0] }),
                case .tensor(let type) = kinds[output]
            else { continue }
            let target = operations[step].inPlaceInputs.first { index in
                guard index < inputs.count, let input = inputs[index], case .tensor(let inputType) = kinds[input],
                    case .tensor = kinds[roots[input]], inputType.shape == type.shape,
                    inputType.elementType.bitWidth == type.elementType.bitWidth
                else { return false }
                let sharers = inputs.filter { $0.map { roots[$0] } == roots[input] }
                return lastUse[roots[input]] == step && sharers.count == 1
            }
            if let target, let input = inputs[target] { mergeBuffer(of: output, into: roots[input]) }
        }
    }

    /// All values of `value`'s buffer move into `root`'s.
    private mutating func mergeBuffer(of value: Int, into root: Int) {
        let old = roots[value]
        guard old != root else { return }
        for index in roots.indices where roots[index] == old { roots[index] = root }
        lastUse[root] = max(lastUse[root], lastUse[old])
        definition[root] = min(definition[root], definition[old])
    }

    private func steps(
        _ operations: [Specialized], kinds: [Kind], requested: Set<Int>, workspaceOffset: (Int) -> Int
    ) -> [Plan.PlannedStep] {
        var lastReader: [Int: Int] = [:]
        for (step, element) in graph.elements.enumerated() {
            for name in element.inputs + element.outputs { lastReader[numbers[name]!] = step }
        }
        return graph.elements.enumerated().map { step, element in
            let touched = Set((element.inputs + element.outputs).compactMap { numbers[$0] })
            let releases = touched.filter { value in
                guard lastReader[value] == step, !requested.contains(value) else { return false }
                if case .constant = kinds[value] { return false }
                return true
            }
            return Plan.PlannedStep(
                node: element.node, operation: operations[step].operation,
                inputs: element.node.inputs.enumerated().map { index, name in
                    operations[step].operation.preparedInputs.contains(index) ? nil : numbers[name]
                }, outputs: element.node.outputs.map { numbers[$0] },
                isStatic: operations[step].isStatic, workspaceOffset: workspaceOffset(step),
                workspaceByteCount: operations[step].workspace, releases: releases.sorted(),
                multiplyAdds: operations[step].multiplyAdds)
        }
    }
}
