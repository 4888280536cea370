import Foundation
import Runtime
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
    /// Counts how often each index was handed out.
    private final class Tally: Sendable {
        private let counts: Mutex<[Int]>
        init(_ count: Int) { counts = Mutex(Array(repeating: 0, count: count)) }
        func add(_ index: Int) { counts.withLock { $0[index] += 1 } }
        var isOneEach: Bool { counts.withLock { $0.allSatisfy { $0 == 1 } } }
    }

    @Test(arguments: [1, 2, 5])
    func everyIndexIsHandedOutOnce(threads: Int) throws {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 2, 7, 1000] {
            let tally = Tally(count)
            try pool.parallelFor(count) { tally.add($0) }
            #expect(tally.isOneEach)
        }
    }

    /// Short loops in a row, with pauses in which workers park: none is lost, none hangs.
    @Test func loopsAfterPausesOfAnyLength() throws {
        let pool = ThreadPool(threads: 3)
        for round in 0..<400 {
            let tally = Tally(6)
            try pool.parallelFor(6) { tally.add($0) }
            #expect(tally.isOneEach)
            if round % 8 == 0 { usleep(UInt32(round)) }
        }
    }

    @Test func loopsInsideLoops() throws {
        let pool = ThreadPool(threads: 3)
        let tally = Tally(40 * 30)
        try pool.parallelFor(40) { outer in
            try pool.parallelFor(30) { tally.add(outer * 30 + $0) }
        }
        #expect(tally.isOneEach)
    }

    @Test func loopsOfSeveralCallersAtOnce() async throws {
        let pool = ThreadPool(threads: 3)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<100 {
                        let tally = Tally(50)
                        try pool.parallelFor(50) { tally.add($0) }
                        guard tally.isOneEach else { return false }
                    }
                    return true
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    private struct Stop: Error {}

    @Test(arguments: [1, 3])
    func anErrorEndsItsLoopAndNoOther(threads: Int) throws {
        let pool = ThreadPool(threads: threads)
        let started = Atomic(0)
        #expect(throws: Stop.self) {
            try pool.parallelFor(1_000_000) { index in
                started.wrappingAdd(1, ordering: .relaxed)
                if index == 5 { throw Stop() }
            }
        }
        #expect(started.load(ordering: .relaxed) < 1_000_000)
        let tally = Tally(20)
        try pool.parallelFor(20) { tally.add($0) }
        #expect(tally.isOneEach)
    }
}
