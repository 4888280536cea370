/// How a step's scratch memory of binary32 numbers is divided: into parts that all of its tasks share, then for each thread
/// a slot, divided once more. Every part begins at a multiple of 16 elements.
struct ScratchLayout: Sendable {
    private var sharedCount = 0
    private var slotCount = 0

    /// A part of the shared memory.
    /// - Throws: `OperatorError` when sizes overflow, as do all of these.
    mutating func share(_ count: Int) throws -> Range<Int> { try Self.take(count, &sharedCount) }

    /// A part of every slot.
    mutating func slot(_ count: Int) throws -> Range<Int> { try Self.take(count, &slotCount) }

    private static func take(_ count: Int, _ next: inout Int) throws -> Range<Int> {
        let start = next
        next = try next.adding(count).adding(15) & ~15
        return start..<start + count
    }

    /// What is to be announced as the workspace.
    func byteCount(threads: Int) throws -> Int {
        try slotCount.multiplied(by: threads).adding(sharedCount).multiplied(by: MemoryLayout<Float>.stride)
    }

    /// The shared memory, and the slots.
    func memory(of step: Step) throws -> (shared: MutableElements<Float>, slots: ScratchSlots<Float>) {
        let memory = try step.scratch(of: Float.self, count: sharedCount + slotCount * step.context.pool.threads)
        return (memory.prefix(sharedCount), ScratchSlots(memory.dropFirst(sharedCount), slotCount: slotCount))
    }
}
