import Foundation

/// The tensors of a file, by name: `.npz`, `.npy`, `.safetensors`, PyTorch's `.pt`/`.pth`, or another model's `.onnx`.
public struct TensorArchive: Sendable {
    public enum Format: String, Sendable, Hashable {
        case numpy = "NumPy"
        case safetensors
        case pytorch = "PyTorch"
        case onnx = "ONNX"
    }

    public var format: Format
    /// A single `.npy` array has the empty name.
    public var tensors: [String: ConstantTensor]
    /// Where the tensors were found in the file, and what of it was left out.
    public var notes: [String]
    /// The graph that the tensors are the initializers of, for an `.onnx` file.
    public var graph: Graph?

    public init(
        format: Format, tensors: [String: ConstantTensor], notes: [String] = [], graph: Graph? = nil
    ) {
        self.format = format
        self.tensors = tensors
        self.notes = notes
        self.graph = graph
    }

    /// Reads a file, recognised by its content and not by its name. Nothing in it is run.
    /// - Throws: `ArchiveError`, or `LoaderError` for an `.onnx` file.
    public init(contentsOf url: URL, limits: ArchiveLimits = ArchiveLimits()) throws {
        let file = try MappedFile.open(url.path)
        let bytes = ByteRegion(owner: file, bytes: file.bytes)
        if let archive = try Self.archive(bytes, file: url.path, limits: limits) {
            self = archive
        } else {
            let graph = try Self.model(at: url).graph
            self.init(format: .onnx, tensors: graph.initializers, graph: graph)
        }
    }

    /// Reads every format but ONNX; nil when the bytes are none of them.
    static func archive(_ bytes: ByteRegion, file: String, limits: ArchiveLimits) throws -> TensorArchive? {
        guard bytes.count > 0 else { throw LoaderError.emptyFile(file: file) }
        let start = bytes.withUnsafeBytes { Array($0.prefix(16)) }
        if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) || start.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
            let zip = try naming(file) { try ZipReader(bytes, limits: limits) }
            if PyTorchCheckpoint.recognises(zip) {
                let (tensors, notes) = try PyTorchCheckpoint(zip, file: file, limits: limits).read()
                return TensorArchive(format: .pytorch, tensors: tensors, notes: notes)
            }
            return TensorArchive(format: .numpy, tensors: try NumPyArchive.read(zip, file: file, limits: limits))
        }
        if start.starts(with: NumPyHeader.magic) {
            var budget = ByteBudget(limits)
            let array = try naming(file) { try NumPyArray.read(bytes, limits: limits, budget: &budget) }
            return TensorArchive(format: .numpy, tensors: ["": array])
        }
        if bytes.withUnsafeBytes(SafetensorsFile.recognises) {
            let tensors = try naming(file) { try SafetensorsFile.read(bytes, limits: limits) }
            return TensorArchive(format: .safetensors, tensors: tensors)
        }
        if start.count > 2, start[0] == 0x80, (2...5).contains(start[1]) {
            throw ArchiveError(file: file, problem: .legacyPyTorch)
        }
        return nil
    }

    private static func model(at url: URL) throws -> Model {
        do {
            return try Model(contentsOf: url)
        } catch LoaderError.notONNX, LoaderError.malformed {
            throw ArchiveError(file: url.path, problem: .unrecognised)
        }
    }
}
