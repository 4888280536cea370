/// A pickle virtual machine that builds plain values, lists, tuples, dictionaries, and descriptions of tensors. It calls
/// nothing: names outside a fixed list are refused, and the few calls on that list are acted out on descriptions.
///
/// Every object costs at least a byte of the pickle, and `ArchiveLimits` bounds bytes, objects, stack and memo.
struct PickleMachine {
    private(set) var lists: [[PickleValue]] = []
    private(set) var tuples: [[PickleValue]] = []
    private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    private(set) var storages: [PickleStorage] = []
    private(set) var tensors: [PickleTensor] = []

    private var reader: PickleReader
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    private var objects = 0
    private let limits: ArchiveLimits

    init(_ bytes: UnsafeRawBufferPointer, limits: ArchiveLimits) {
        reader = PickleReader(bytes)
        self.limits = limits
    }

    /// Runs to STOP and gives the value on top.
    /// - Throws: `ArchiveError.Problem`.
    mutating func run() throws -> PickleValue {
        while true {
            let offset = reader.position
            let code = try reader.byte()
            guard let opcode = PickleOpcode(rawValue: code) else {
                throw ArchiveError.Problem.refusedOpcode(PickleOpcode.refusedName(code), offset: offset)
            }
            if opcode == .stop { return try pop() }
            try execute(opcode)
            guard stack.count <= limits.pickleObjects, marks.count <= limits.pickleObjects else {
                throw ArchiveError.Problem.exceedsLimit("values on the pickle's stack", limits.pickleObjects)
            }
        }
    }

    private mutating func execute(_ opcode: PickleOpcode) throws {
        switch opcode {
        case .stop: break
        case .proto:
            let version = try reader.byte()
            guard (2...5).contains(version) else {
                throw ArchiveError.Problem.malformed("pickle protocol \(version) is not read; 2 to 5 are")
            }
        case .frame: _ = try reader.length(8)
        case .mark: marks.append(stack.count)
        case .pop:
            if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
        case .popMark: _ = try popToMark()
        case .duplicate: stack.append(try top())

        case .none: stack.append(.none)
        case .newTrue: stack.append(.boolean(true))
        case .newFalse: stack.append(.boolean(false))
        case .binInt: stack.append(.integer(Int64(Int32(truncatingIfNeeded: try reader.unsigned(4)))))
        case .binInt1: stack.append(.integer(Int64(try reader.unsigned(1))))
        case .binInt2: stack.append(.integer(Int64(try reader.unsigned(2))))
        case .long1: stack.append(try reader.long(try reader.length(1)))
        case .long4: stack.append(try reader.long(try reader.length(4)))
        case .binFloat: stack.append(.real(Double(bitPattern: try reader.unsigned(8).byteSwapped)))
        case .shortBinString, .shortBinUnicode: stack.append(.text(try reader.text(try reader.length(1))))
        case .binString, .binUnicode: stack.append(.text(try reader.text(try reader.length(4))))
        case .binUnicode8: stack.append(.text(try reader.text(try reader.length(8))))
        case .shortBinBytes: try pushBytes(1)
        case .binBytes: try pushBytes(4)
        case .binBytes8, .byteArray8: try pushBytes(8)

        case .emptyList: stack.append(try newList([]))
        case .list: stack.append(try newList(try popToMark()))
        case .append: try append([try pop()])
        case .appends: try append(try popToMark())
        case .emptyTuple: stack.append(try newTuple([]))
        case .tuple1: stack.append(try newTuple(try pop(count: 1)))
        case .tuple2: stack.append(try newTuple(try pop(count: 2)))
        case .tuple3: stack.append(try newTuple(try pop(count: 3)))
        case .tuple: stack.append(try newTuple(try popToMark()))
        case .emptyDictionary: stack.append(try newDictionary([]))
        case .dictionary: stack.append(try newDictionary(try popToMark()))
        case .setItem: try setItems(try pop(count: 2))
        case .setItems: try setItems(try popToMark())

        case .binPut: try remember(UInt32(try reader.byte()))
        case .longBinPut: try remember(UInt32(truncatingIfNeeded: try reader.unsigned(4)))
        case .memoize: try remember(UInt32(truncatingIfNeeded: memo.count))
        case .binGet: stack.append(try recall(UInt32(try reader.byte())))
        case .longBinGet: stack.append(try recall(UInt32(truncatingIfNeeded: try reader.unsigned(4))))

        case .global: stack.append(.name(try PickleName(module: try reader.line(), name: try reader.line())))
        case .stackGlobal:
            let path = try pop(count: 2)
            guard case .text(let module) = path[0], case .text(let name) = path[1] else {
                throw ArchiveError.Problem.malformed("a name in the pickle is not text")
            }
            stack.append(.name(try PickleName(module: module, name: name)))
        case .binPersistentID: stack.append(try persistentStorage(try pop()))
        case .reduce:
            let call = try pop(count: 2)
            stack.append(try act(call[0], arguments: try elements(of: call[1])))
        case .build:
            // Attributes set on an ordered dictionary, such as a state dictionary's versions, hold no tensors.
            _ = try pop()
            guard case .dictionary = try top() else {
                throw ArchiveError.Problem.malformed("the pickle sets the state of something that is no dictionary")
            }
        }
    }

    // MARK: Stack and memo

    private func top() throws -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw underflow }
        return value
    }

    private mutating func pop() throws -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func pop(count: Int) throws -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw underflow }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast(), mark <= stack.count else { throw underflow }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private var underflow: ArchiveError.Problem { .malformed("the pickle takes more values than it made") }

    private mutating func pushBytes(_ width: Int) throws {
        try reader.skip(try reader.length(width))
        stack.append(.bytes)
    }

    private mutating func remember(_ key: UInt32) throws {
        memo[key] = try top()
        guard memo.count <= limits.pickleObjects else {
            throw ArchiveError.Problem.exceedsLimit("memo slots in the pickle", limits.pickleObjects)
        }
    }

    private func recall(_ key: UInt32) throws -> PickleValue {
        guard let value = memo[key] else {
            throw ArchiveError.Problem.malformed("the pickle recalls the memo slot \(key), which is empty")
        }
        return value
    }

    // MARK: Objects

    private mutating func count() throws {
        objects += 1
        guard objects <= limits.pickleObjects else {
            throw ArchiveError.Problem.exceedsLimit("objects in the pickle", limits.pickleObjects)
        }
    }

    private mutating func newList(_ values: [PickleValue]) throws -> PickleValue {
        try count()
        lists.append(values)
        return .list(lists.count - 1)
    }

    private mutating func newTuple(_ values: [PickleValue]) throws -> PickleValue {
        try count()
        tuples.append(values)
        return .tuple(tuples.count - 1)
    }

    private mutating func newDictionary(_ values: [PickleValue]) throws -> PickleValue {
        try count()
        dictionaries.append(try pairs(values))
        return .dictionary(dictionaries.count - 1)
    }

    private mutating func append(_ values: [PickleValue]) throws {
        guard case .list(let list) = try top() else {
            throw ArchiveError.Problem.malformed("the pickle appends to something that is no list")
        }
        lists[list] += values
    }

    private mutating func setItems(_ values: [PickleValue]) throws {
        guard case .dictionary(let dictionary) = try top() else {
            throw ArchiveError.Problem.malformed("the pickle sets items of something that is no dictionary")
        }
        dictionaries[dictionary] += try pairs(values)
    }

    private func pairs(_ values: [PickleValue]) throws -> [(key: PickleValue, value: PickleValue)] {
        guard values.count % 2 == 0 else {
            throw ArchiveError.Problem.malformed("a dictionary in the pickle has a key without a value")
        }
        return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
    }

    func elements(of value: PickleValue) throws -> [PickleValue] {
        switch value {
        case .tuple(let index): tuples[index]
        case .list(let index): lists[index]
        default: throw ArchiveError.Problem.malformed("the pickle has a single value where a tuple belongs")
        }
    }

    // MARK: Tensors

    /// `("storage", class, key, location, count)`.
    private mutating func persistentStorage(_ value: PickleValue) throws -> PickleValue {
        let parts = try elements(of: value)
        guard parts.count >= 5, case .text("storage") = parts[0], case .name(.storage(let type)) = parts[1],
            case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
        else { throw ArchiveError.Problem.malformed("the pickle refers to something that is no tensor storage") }
        try self.count()
        storages.append(PickleStorage(key: key, elementType: type, count: Int(count)))
        return .storage(storages.count - 1)
    }

    private mutating func act(_ callee: PickleValue, arguments: [PickleValue]) throws -> PickleValue {
        guard case .name(let name) = callee else {
            throw ArchiveError.Problem.malformed("the pickle calls something that has no name")
        }
        switch name {
        case .orderedDictionary:
            // The items may be shared with other calls, so that each copy of one counts as an object.
            var pairs: [PickleValue] = []
            for item in try arguments.first.map({ try elements(of: $0) }) ?? [] {
                try count()
                let pair = try elements(of: item)
                guard pair.count == 2 else {
                    throw ArchiveError.Problem.malformed("a dictionary in the pickle has a key without a value")
                }
                pairs += pair
            }
            return try newDictionary(pairs)
        case .rebuildTensor, .rebuildTensorV2, .rebuildTensorV3:
            return try tensor(name, arguments)
        case .rebuildParameter, .rebuildParameterWithState:
            guard case .tensor = arguments.first else {
                throw ArchiveError.Problem.malformed("a parameter in the pickle holds no tensor")
            }
            return arguments[0]
        case .size:
            guard arguments.count == 1 else {
                throw ArchiveError.Problem.malformed("the pickle calls torch.Size with \(arguments.count) arguments")
            }
            return arguments[0]
        case .device:
            return .opaque
        case .storage, .elementType:
            throw ArchiveError.Problem.malformed("the pickle calls a \(name.path), which holds no function")
        }
    }

    /// `(storage, offset, shape, strides, requires_grad, hooks, dtype)`, the last in version 3 only.
    private mutating func tensor(_ name: PickleName, _ arguments: [PickleValue]) throws -> PickleValue {
        guard arguments.count >= (name == .rebuildTensorV3 ? 7 : 4), case .storage(let index) = arguments[0],
            case .integer(let offset) = arguments[1]
        else { throw ArchiveError.Problem.malformed("the pickle builds a tensor from the wrong values") }
        let elementType: ElementType
        switch (name, storages[index].elementType) {
        case (.rebuildTensorV3, _):
            guard case .name(.elementType(let type)) = arguments[6] else {
                throw ArchiveError.Problem.malformed("the pickle builds a tensor without an element type")
            }
            elementType = type
        case (_, let type?):
            elementType = type
        default:
            throw ArchiveError.Problem.malformed("the pickle builds a tensor of untyped bytes")
        }
        let shape = try integers(arguments[2])
        let strides = try integers(arguments[3])
        try count()
        tensors.append(
            PickleTensor(
                storage: index, elementType: elementType, offset: Int(offset), shape: shape, strides: strides))
        return .tensor(tensors.count - 1)
    }

    private func integers(_ value: PickleValue) throws -> [Int] {
        let elements = try elements(of: value)
        guard elements.count <= 64 else {
            throw ArchiveError.Problem.malformed("a tensor in the pickle has \(elements.count) dimensions")
        }
        return try elements.map { element in
            guard case .integer(let integer) = element else {
                throw ArchiveError.Problem.malformed("a shape in the pickle holds something that is no integer")
            }
            return Int(integer)
        }
    }
}
