import Foundation
import ONNXLoader
import Synchronization

/// Hands out memory up to a limit, so that no number in a model or an input can exhaust the machine.
final class MemoryBudget: Sendable {
    /// Bytes that may be in use at once.
    let limit: Int
    private let used = Atomic(0)
    private let highest = Atomic(0)
    private let spare = Mutex(SpareMemory())

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
        let memory =
            spare.withLock { $0.take(byteCount: byteCount, room: limit - total) }
            ?? OwnedMemory(bytes: TensorStorage.allocate(byteCount: byteCount))
        return TensorStorage(taking: memory.bytes) { [self] bytes in
            let memory = OwnedMemory(bytes: bytes)
            spare.withLock { $0.put(memory) }
            used.wrappingSubtract(byteCount, ordering: .relaxed)
        }
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

/// Memory that one owner at a time has.
private struct OwnedMemory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
}

/// One large piece of memory that nobody uses: a run's large output, once its caller has let go of it, is the next run's.
/// The system would take as long to clear new pages as it takes to write what they hold.
private struct SpareMemory: ~Copyable {
    private var memory: OwnedMemory?

    /// Memory of just this size. A piece of another size makes room for a large one, and for what would not fit besides it.
    mutating func take(byteCount: Int, room: Int) -> OwnedMemory? {
        guard let found = memory, byteCount >= TensorStorage.hugeByteCount || found.bytes.count > room else {
            return nil
        }
        memory = nil
        if found.bytes.count == byteCount { return found }
        found.bytes.deallocate()
        return nil
    }

    /// Keeps the larger one of two large pieces.
    mutating func put(_ other: OwnedMemory) {
        guard other.bytes.count >= TensorStorage.hugeByteCount, other.bytes.count > memory?.bytes.count ?? 0 else {
            return other.bytes.deallocate()
        }
        memory?.bytes.deallocate()
        memory = other
    }

    deinit { memory?.bytes.deallocate() }
}
