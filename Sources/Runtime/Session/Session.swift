import Foundation
import ONNXLoader

/// A model ready to run. Safe to use from several threads at once; results are bit-identical for any number of threads.
public final class Session: Sendable {
    /// The model as loaded: its metadata, inputs and outputs.
    public let model: Model
    public let options: Options

    public struct Options: Sendable {
        /// Threads that one run may use; nil for one per core.
        public var threads: Int?
        /// Bytes that activations and constants of one session may occupy together; nil for no limit.
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
    }

    /// Opens an ONNX file and prepares it for running.
    public convenience init(contentsOf url: URL, options: Options = Options()) throws {
        try self.init(Model(), options: options)
    }

    /// Runs the graph.
    ///
    /// - Parameters:
    ///   - inputs: one tensor for every graph input without an initializer, by name.
    ///   - outputs: names of any values of the graph as loaded; nil for the graph's outputs. Only what these need is computed.
    ///   - deadline: when to give up.
    /// - Throws: `RuntimeError`, which names the node.
    public func run(
        _ inputs: [String: Tensor], outputs: [String]? = nil, deadline: ContinuousClock.Instant? = nil,
        cancellation: Cancellation? = nil
    ) throws -> [String: Tensor] {
        [:]
    }
}
