import Foundation
import ONNXLoader
import Synchronization

/// Hands out memory up to a limit, so that no number in a model or an input can exhaust the machine.
final class MemoryBudget: Sendable {
    /// Bytes that may be in use at once.
    let limit: Int
    private let used = Atomic(0)
    private let highest = Atomic(0)

    /// - Parameter limit: nil for the machine's physical memory.
    init(limit: Int?) {
        self.limit = limit ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    }

    /// The most bytes that were in use at once.
    var peak: Int { highest.load(ordering: .relaxed) }

    /// Uninitialised memory that is given back when its last reference goes.
    /// - Throws: `RuntimeError.memoryLimit`.
    func allocate(byteCount: Int) throws -> TensorStorage {
        let total = used.wrappingAdd(byteCount, ordering: .relaxed).newValue
        guard byteCount >= 0, total >= 0, total <= limit else {
            used.wrappingSubtract(byteCount, ordering: .relaxed)
            throw RuntimeError.memoryLimit(requested: byteCount, limit: limit)
        }
        highest.max(total, ordering: .relaxed)
        return TensorStorage(byteCount: byteCount) { [self] in used.wrappingSubtract(byteCount, ordering: .relaxed) }
    }

    /// Counts memory that Swift's own collections take until `body` returns.
    /// - Throws: `RuntimeError.memoryLimit`.
    func withReservation<Result>(byteCount: Int, _ body: () throws -> Result) throws -> Result {
        let total = used.wrappingAdd(byteCount, ordering: .relaxed).newValue
        defer { used.wrappingSubtract(byteCount, ordering: .relaxed) }
        guard byteCount >= 0, total >= 0, total <= limit else {
            throw RuntimeError.memoryLimit(requested: byteCount, limit: limit)
        }
        highest.max(total, ordering: .relaxed)
        return try body()
    }

    /// An uninitialised tensor.
    /// - Throws: `RuntimeError.memoryLimit`, or `TensorError.badShape`.
    func allocate(_ type: ValueType) throws -> Tensor {
        guard type.elementType != .string else {
            let count = try elementCount(of: type.shape)
            // A Swift string takes 16 bytes even when it is empty.
            let (byteCount, overflow) = count.multipliedReportingOverflow(by: 16)
            guard !overflow, byteCount <= limit else {
                throw RuntimeError.memoryLimit(requested: count, limit: limit)
            }
            return try Tensor(strings: Array(repeating: "", count: count), shape: type.shape)
        }
        return Tensor(
            elementType: type.elementType, shape: type.shape, storage: try allocate(byteCount: try type.byteCount))
    }
}
