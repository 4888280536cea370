import ONNXLoader

/// One operator at work: its inputs, its outputs, and the means to compute.
struct Step {
    let name: String
    let operatorName: String
    private let inputs: [Value?]
    private(set) var outputs: [Value?]
    /// How many outputs the node has.
    let arity: Int
    let context: RunContext
    /// Scratch memory as announced by `workspaceByteCount`.
    let workspace: TensorStorage?
    let workspaceOffset: Int

    init(
        name: String, operatorName: String, inputs: [Value?], outputs: [Value?], arity: Int, context: RunContext,
        workspace: TensorStorage? = nil, workspaceOffset: Int = 0
    ) {
        self.name = name
        self.operatorName = operatorName
        self.inputs = inputs
        self.outputs = outputs
        self.arity = arity
        self.context = context
        self.workspace = workspace
        self.workspaceOffset = workspaceOffset
    }

    var inputCount: Int { inputs.count }

    /// An optional input.
    func optional(_ index: Int) -> Tensor? {
        guard index < inputs.count, case .tensor(let tensor) = inputs[index] else { return nil }
        return tensor
    }

    /// A required input.
    func input(_ index: Int) throws -> Tensor {
        guard let tensor = optional(index) else { throw OperatorError("input \(index) is required to be a tensor") }
        return tensor
    }

    /// An input of any kind; nil when the node has none there.
    func value(_ index: Int) -> Value? { index < inputs.count ? inputs[index] : nil }

    /// A required input that is a sequence.
    func sequence(_ index: Int) throws -> [Value] {
        guard case .sequence(let elements) = value(index) else {
            throw OperatorError("input \(index) is \(value(index)?.kind ?? "absent"), not a sequence")
        }
        return elements
    }

    func elements<Element: TensorElement>(_ index: Int, of type: Element.Type = Element.self) throws -> Elements<
        Element
    > {
        try input(index).elements(of: type)
    }

    /// Whether somebody wants this output.
    func wants(_ index: Int) -> Bool { index < outputs.count && outputs[index] != nil }

    /// The memory of an output, uninitialised or an in-place input's.
    func output(_ index: Int) throws -> Tensor {
        guard index < outputs.count, case .tensor(let tensor) = outputs[index] else {
            throw OperatorError("output \(index) was not allocated")
        }
        return tensor
    }

    func mutableElements<Element: TensorElement>(
        _ index: Int, of type: Element.Type = Element.self
    ) throws -> MutableElements<Element> {
        try output(index).uncheckedMutableElements(of: type)
    }

    /// Copies elements of an input, of any type, to an output from an index on.
    func copy(_ source: Tensor, _ range: Range<Int>, to index: Int, at start: Int) throws {
        let target = try output(index)
        guard source.elementType == target.elementType, range.lowerBound >= 0, range.upperBound <= source.count,
            start >= 0, range.count <= target.count - start
        else {
            throw OperatorError("elements \(range) of \(ValueType(source)) do not fit \(ValueType(target)) at \(start)")
        }
        guard let bits = source.elementType.bitWidth else {
            target.storage.strings.replaceSubrange(start..<start + range.count, with: source.strings[range])
            return
        }
        guard bits >= 8 else { throw OperatorError("\(source.elementType.name) is stored, not moved") }
        let width = bits / 8
        source.withUnsafeBytes { bytes in
            guard !range.isEmpty, let base = bytes.baseAddress else { return }
            (target.storage.bytes.baseAddress! + target.byteOffset + start * width).copyMemory(
                from: base + range.lowerBound * width, byteCount: range.count * width)
        }
    }

    /// Memory for an output whose type was not known before.
    mutating func allocate(_ index: Int, _ type: ValueType) throws -> Tensor {
        let tensor = try context.budget.allocate(type)
        set(index, .tensor(tensor))
        return tensor
    }

    /// Gives a value that already exists as an output.
    mutating func set(_ index: Int, _ value: Value) {
        if index < outputs.count { outputs[index] = value }
    }

    /// Scratch memory as announced by `workspaceByteCount`, at a multiple of 64 bytes.
    func scratch<Element: TensorElement>(of type: Element.Type, count: Int) throws -> MutableElements<Element> {
        guard let workspace, count * MemoryLayout<Element>.stride <= workspace.bytes.count - workspaceOffset else {
            throw OperatorError("\(count) elements of scratch memory were not announced")
        }
        return MutableElements(base: workspace.bytes.baseAddress! + workspaceOffset, count: count)
    }

    /// Splits `0..<count` into ranges of at most `grain` and works on them in parallel.
    ///
    /// The ranges depend on `count` and `grain` only, so that results are the same for any number of threads.
    func parallel(_ count: Int, grain: Int, _ body: @Sendable (Range<Int>) throws -> Void) throws {
        let grain = max(1, grain)
        let blocks = (count + grain - 1) / grain
        try context.pool.parallelFor(blocks) { block in
            try body(block * grain..<min(count, (block + 1) * grain))
        }
    }

    /// Stops a long step between its parts.
    /// - Throws: `RuntimeError.deadlineExceeded` or `.cancelled`.
    func checkpoint() throws { try context.checkpoint() }
}

/// What a run gives its steps.
struct RunContext: Sendable {
    let pool: ThreadPool
    let budget: MemoryBudget
    let deadline: ContinuousClock.Instant?
    let cancellation: Cancellation?
    let weights: PreparedWeights

    init(
        pool: ThreadPool, budget: MemoryBudget, weights: PreparedWeights = PreparedWeights(),
        deadline: ContinuousClock.Instant? = nil, cancellation: Cancellation? = nil
    ) {
        self.pool = pool
        self.budget = budget
        self.weights = weights
        self.deadline = deadline
        self.cancellation = cancellation
    }

    func checkpoint() throws {
        if let cancellation, cancellation.isCancelled { throw RuntimeError.cancelled }
        if let deadline, ContinuousClock.now > deadline { throw RuntimeError.deadlineExceeded }
    }
}

extension Tensor {
    /// Write access without the copy on write: for a step's outputs only, whose memory is the step's.
    func uncheckedMutableElements<Element: TensorElement>(
        of type: Element.Type = Element.self
    ) throws -> MutableElements<Element> {
        guard Element.elementType == elementType else {
            throw TensorError.wrongElementType(elementType, wanted: Element.elementType)
        }
        return MutableElements(base: storage.bytes.baseAddress! + byteOffset, count: count)
    }
}
