import CONNX
import Foundation

extension Model {
    /// Writes a standard ONNX file. Tensors of 64 bytes or more begin at multiples of 64 in it.
    ///
    /// The file appears under its name when it is complete, so that the model may be written over the file that it was
    /// opened from. When the tensors together have more than `inlineLimit` bytes, the initializers among them go to a
    /// second file beside the first, named like it with `.data` appended: protobuf ends at 2 GB.
    ///
    /// The IR version is raised where the model uses what its own version does not have.
    /// - Throws: `LoaderError.unwritable`.
    public func write(to url: URL, inlineLimit: Int = 1_900_000_000) throws {
        do {
            let file = try ReplacementFile(url.path)
            let externalData =
                payloadBytes > inlineLimit ? try ExternalDataWriter(ReplacementFile(file.path + ".data")) : nil
            let builder = try MessageBuilder.model()
            try ModelWriter(externalData: externalData).write(self, to: builder)
            try withExtendedLifetime(self) {
                var failure = connx_failure()
                guard connx_write(builder.document.pointer, file.descriptor, &failure) else {
                    throw ReplacementFile.Failure(writing: failure)
                }
            }
            try externalData?.file.commit()
            try file.commit()
        } catch let failure as ReplacementFile.Failure {
            throw LoaderError.unwritable(file: url.path, reason: failure.reason)
        } catch is MessageBuilder.OutOfMemory {
            throw LoaderError.unwritable(file: url.path, reason: "there is not enough memory for its structure")
        }
    }

    /// Bytes of all tensors together.
    private var payloadBytes: Int {
        graph.payloadBytes + functions.reduce(0) { $0 + $1.nodes.payloadBytes }
    }
}

extension Graph {
    fileprivate var payloadBytes: Int {
        initializers.values.reduce(nodes.payloadBytes) { $0 + $1.byteCount }
    }
}

extension [Node] {
    fileprivate var payloadBytes: Int {
        var bytes = 0
        for node in self {
            for attribute in node.attributes.values {
                switch attribute {
                case .tensor(let tensor): bytes += tensor.byteCount
                case .tensors(let tensors): bytes += tensors.reduce(0) { $0 + $1.byteCount }
                case .graph(let graph): bytes += graph.payloadBytes
                case .graphs(let graphs): bytes += graphs.reduce(0) { $0 + $1.payloadBytes }
                default: break
                }
            }
        }
        return bytes
    }
}

extension ConstantTensor {
    fileprivate var byteCount: Int {
        switch payload {
        case .bytes(let region): region.count
        case .strings(let strings): strings.reduce(0) { $0 + $1.count }
        }
    }
}

extension ReplacementFile.Failure {
    fileprivate init(writing failure: connx_failure) {
        switch failure.status {
        case CONNX_WRITE_FAILED: self.init(errno: failure.systemError)
        case CONNX_TOO_LARGE:
            self.init(reason: "the model has more than 2 GB even with its initializers in a second file")
        default: self.init(reason: "there is not enough memory for its structure")
        }
    }
}
