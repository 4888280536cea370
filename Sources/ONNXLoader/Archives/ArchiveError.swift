/// Why a file of arrays or weights could not be read or written: the file, the entry in it, and the problem.
public struct ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// The operating system's reason.
        case inaccessible(String)
        case unrecognised
        /// libzip's reason.
        case damagedZip(String)
        case unsupportedCompression(Int)
        case badEntryName
        case duplicateName(String)
        /// What a header or a record says that cannot be.
        case malformed(String)
        case unsupportedType(String)
        case payloadMismatch(expected: Int, found: Int)
        case exceedsLimit(String, Int)
        case noTensors(String)
        /// A pickle names something other than tensors and state dictionaries.
        case refusedName(String)
        case refusedOpcode(String, offset: Int)
        case legacyPyTorch
        case torchScript
        case ambiguous([String])
    }

    public var file: String
    public var entry: String?
    public var problem: Problem

    public init(file: String, entry: String? = nil, problem: Problem) {
        self.file = file
        self.entry = entry
        self.problem = problem
    }

    public var description: String {
        (entry.map { "\(file), entry \(quoted($0)): " } ?? "\(file): ") + problem.description
    }
}

extension ArchiveError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inaccessible(let reason):
            reason
        case .unrecognised:
            "not a file of arrays or weights; known are .npz, .npy, .safetensors, PyTorch .pt/.pth and .onnx"
        case .damagedZip(let reason):
            "the zip archive is damaged: \(reason)"
        case .unsupportedCompression(let method):
            "compressed by zip method \(method); only stored and deflated entries are read"
        case .badEntryName:
            "an entry of the zip archive has no readable name"
        case .duplicateName(let name):
            "\(quoted(name)) occurs twice"
        case .malformed(let what):
            what
        case .unsupportedType(let type):
            "elements of type \(type) are not supported"
        case .payloadMismatch(let expected, let found):
            "\(expected) bytes of elements are declared, \(found) are present"
        case .exceedsLimit(let what, let limit):
            "more than \(limit) \(what); raise the limit if the file is to be trusted"
        case .noTensors(let what):
            "no tensors found: \(what)"
        case .refusedName(let name):
            "refused: the pickle names \(quoted(name)); only tensors, plain values and state dictionaries are read, so save "
                + "the state dictionary alone: torch.save(model.state_dict(), \"weights.pth\")"
        case .refusedOpcode(let name, let offset):
            "refused: the pickle opcode \(name) at byte \(offset) is not needed for tensors and state dictionaries"
        case .legacyPyTorch:
            "PyTorch's format from before version 1.6, or a bare pickle; convert it where it is trusted: "
                + "torch.save(torch.load(\"old.pth\", weights_only=True), \"new.pth\")"
        case .torchScript:
            "a TorchScript program, not a state dictionary; save one where it is trusted: "
                + "torch.save(torch.jit.load(\"model.pt\").state_dict(), \"weights.pth\")"
        case .ambiguous(let names):
            "several state dictionaries: \(names.joined(separator: ", ")); save the wanted one alone"
        }
    }
}
