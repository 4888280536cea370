/// Tensors of a state dictionary in PyTorch's zip layout (version 1.6 and later), read by `PickleMachine`.
///
/// Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
struct PyTorchCheckpoint {
    private let zip: ZipReader
    private let entries: [String: Int]
    private let prefix: String
    private let limits: ArchiveLimits
    private let file: String

    /// Whether the archive holds PyTorch's pickle.
    static func recognises(_ zip: ZipReader) -> Bool {
        zip.names.contains { $0.hasSuffix("/data.pkl") }
    }

    init(_ zip: ZipReader, file: String, limits: ArchiveLimits) throws {
        let pickles = zip.names.filter { $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1 else { throw ArchiveError(file: file, problem: .ambiguous(pickles)) }
        let prefix = String(pickles[0].dropLast("data.pkl".utf8.count))
        guard !zip.names.contains(where: { $0 == prefix + "constants.pkl" || $0.hasPrefix(prefix + "code/") }) else {
            throw ArchiveError(file: file, problem: .torchScript)
        }
        entries = Dictionary(uniqueKeysWithValues: zip.names.enumerated().map { ($0.element, $0.offset) })
        self.zip = zip
        self.prefix = prefix
        self.limits = limits
        self.file = file
    }

    /// The tensors of the state dictionary, by name, and remarks on where it was found and what was left out.
    func read() throws -> (tensors: [String: ConstantTensor], notes: [String]) {
        var budget = ByteBudget(limits)
        let pickle = try bytes(of: "data.pkl", limit: limits.headerBytes, budget: &budget)
        let (machine, root) = try naming(file, prefix + "data.pkl") {
            try pickle.withUnsafeBytes { bytes in
                var machine = PickleMachine(bytes, limits: limits)
                let root = try machine.run()
                return (machine, root)
            }
        }
        var search = StateDictionarySearch(machine: machine, limits: limits)
        try naming(file, prefix + "data.pkl") { try search.run(root) }

        let isBigEndian = try isBigEndian(&budget)
        var storages: [String: ByteRegion] = [:]
        var tensors: [String: ConstantTensor] = [:]
        for (name, index) in search.tensors {
            let tensor = machine.tensors[index]
            let storage = machine.storages[tensor.storage]
            if storages[storage.key] == nil {
                storages[storage.key] = try bytes(of: "data/" + storage.key, budget: &budget)
            }
            guard let region = storages[storage.key] else { continue }
            tensors[name] = try naming(file, prefix + "data/" + storage.key) {
                try materialise(tensor, in: storage, region, isBigEndian: isBigEndian, budget: &budget)
            }
        }
        return (tensors, search.notes)
    }

    private func materialise(
        _ tensor: PickleTensor, in storage: PickleStorage, _ region: ByteRegion, isBigEndian: Bool,
        budget: inout ByteBudget
    ) throws -> ConstantTensor {
        let expected = storage.elementType.map { $0.byteCount(of: storage.count) } ?? storage.count
        guard let expected, expected == region.count else {
            throw ArchiveError.Problem.payloadMismatch(expected: expected ?? .max, found: region.count)
        }
        guard let size = tensor.elementType.byteCount(of: 1) else {
            throw ArchiveError.Problem.unsupportedType(tensor.elementType.name)
        }
        var bytes = try ElementLayout.contiguous(
            region, size: size, offset: tensor.offset, shape: tensor.shape, strides: tensor.strides, budget: &budget)
        let unit = tensor.elementType == .complex64 || tensor.elementType == .complex128 ? size / 2 : size
        if isBigEndian, unit > 1 { bytes = try ElementLayout.swapped(bytes, width: unit, budget: &budget) }
        if tensor.elementType == .bool { bytes = try ElementLayout.booleans(bytes, budget: &budget) }
        return try ConstantTensor(elementType: tensor.elementType, shape: tensor.shape, payload: .bytes(bytes))
    }

    private func isBigEndian(_ budget: inout ByteBudget) throws -> Bool {
        guard entries[prefix + "byteorder"] != nil else { return false }
        let order = try bytes(of: "byteorder", limit: 64, budget: &budget)
        return order.withUnsafeBytes { $0.elementsEqual("big".utf8) }
    }

    private func bytes(of name: String, limit: Int = .max, budget: inout ByteBudget) throws -> ByteRegion {
        guard let index = entries[prefix + name] else {
            throw ArchiveError(file: file, entry: prefix + name, problem: .malformed("the archive lacks this entry"))
        }
        return try naming(file, prefix + name) { try zip.read(index, limit: limit, budget: &budget) }
    }
}

/// Finds the tensors of a state dictionary in what a pickle holds.
///
/// A checkpoint's `state_dict`, `model_state_dict` or `model` is descended into; what lies beside it (an epoch, an
/// optimizer's state) is left out. Dictionaries and lists inside are joined with dots, plain values are left out.
private struct StateDictionarySearch {
    private static let containers = ["state_dict", "model_state_dict", "model"]

    let machine: PickleMachine
    let limits: ArchiveLimits
    private(set) var tensors: [String: Int] = [:]
    private(set) var notes: [String] = []
    private var visits = 0

    init(machine: PickleMachine, limits: ArchiveLimits) {
        self.machine = machine
        self.limits = limits
    }

    mutating func run(_ root: PickleValue) throws {
        var root = root
        for _ in 0..<limits.depth {
            guard case .dictionary(let index) = root else {
                throw ArchiveError.Problem.noTensors("the pickle's top is no dictionary")
            }
            let items = try named(index)
            var found: [String] = []
            for name in Self.containers {
                if case .dictionary(let inner) = items[name], !machine.dictionaries[inner].isEmpty {
                    found.append(name)
                }
            }
            guard let name = found.first else { break }
            guard found.count == 1 else { throw ArchiveError.Problem.ambiguous(found.map { "'\($0)'" }) }
            let others = items.keys.filter { $0 != name }.sorted()
            notes.append(
                "the state dictionary is the checkpoint's '\(name)'"
                    + (others.isEmpty ? "" : "; left out: \(others.map(quoted).joined(separator: ", "))"))
            root = items[name] ?? .none
        }
        try collect(root, prefix: "", depth: 0)
        guard !tensors.isEmpty else { throw ArchiveError.Problem.noTensors("the dictionaries hold plain values only") }
    }

    /// A dictionary's items by name; a later item of the same name replaces an earlier one, as in Python.
    private func named(_ dictionary: Int) throws -> [String: PickleValue] {
        var items: [String: PickleValue] = [:]
        for (key, value) in machine.dictionaries[dictionary] {
            switch key {
            case .text(let name): items[name] = value
            case .integer(let number): items[String(number)] = value
            default: continue
            }
        }
        return items
    }

    private mutating func collect(_ value: PickleValue, prefix: String, depth: Int) throws {
        visits += 1
        guard visits <= limits.pickleObjects, depth <= limits.depth else {
            throw depth > limits.depth
                ? ArchiveError.Problem.exceedsLimit("dictionaries inside dictionaries", limits.depth)
                : ArchiveError.Problem.exceedsLimit("values in the state dictionary", limits.pickleObjects)
        }
        let separator = prefix.isEmpty ? "" : "."
        switch value {
        case .tensor(let index):
            guard prefix.utf8.count <= 4096 else {
                throw ArchiveError.Problem.exceedsLimit("bytes in a tensor's name", 4096)
            }
            guard tensors.updateValue(index, forKey: prefix) == nil else {
                throw ArchiveError.Problem.duplicateName(prefix)
            }
            guard tensors.count <= limits.entries else {
                throw ArchiveError.Problem.exceedsLimit("tensors", limits.entries)
            }
        case .dictionary(let index):
            for (name, item) in try named(index) {
                try collect(item, prefix: prefix + separator + name, depth: depth + 1)
            }
        case .list(let index), .tuple(let index):
            let items: [PickleValue]
            if case .list = value { items = machine.lists[index] } else { items = machine.tuples[index] }
            for (number, item) in items.enumerated() {
                try collect(item, prefix: prefix + separator + String(number), depth: depth + 1)
            }
        default:
            return
        }
    }
}
