import Testing

@testable import Runtime

/// Large memory that was let go of is handed out again, and never counts besides what is in use.
@Suite struct MemoryBudgetTests {
    private static let large = 5 << 20

    @Test func largeMemoryIsReused() throws {
        let budget = MemoryBudget(limit: nil)
        let first = try Array(repeating: 0, count: 3).map { _ in
            try address(of: budget.allocate(byteCount: Self.large))
        }
        #expect(Set(first).count == 1)
        let (one, other) = (try budget.allocate(byteCount: Self.large), try budget.allocate(byteCount: Self.large))
        withExtendedLifetime((one, other)) { #expect(address(of: one) != address(of: other)) }
    }

    @Test func spareMemoryMakesRoom() throws {
        let budget = MemoryBudget(limit: 2 * Self.large)
        _ = try budget.allocate(byteCount: Self.large)
        let small = try (0..<9).map { _ in try budget.allocate(byteCount: 1 << 20) }
        withExtendedLifetime(small) {
            #expect(small.count == 9)
            #expect(throws: RuntimeError.self) { try budget.allocate(byteCount: Self.large) }
        }
        #expect(budget.peak == 9 << 20)
    }

    private func address(of storage: TensorStorage) -> UnsafeMutableRawPointer? { storage.bytes.baseAddress }
}
