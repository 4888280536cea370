import Foundation
import Synchronization

/// Threads that share loops out among themselves. They park when there is nothing to do.
///
/// Before it parks, a thread looks for the next loop a short while, giving its core to whoever else wants it: one step of a
/// graph follows the other, and to wake a parked thread takes longer than many a step.
///
/// Loops from several threads, and loops inside loops, share the same workers: the caller always works on its own loop,
/// so none waits for another to start.
public final class ThreadPool: @unchecked Sendable {
    /// Threads that work on a loop, the caller's included.
    public let threads: Int
    private let queue = LoopQueue()

    /// - Parameter threads: at least 1; 1 runs every loop on its caller's thread.
    public init(threads: Int) {
        self.threads = max(1, threads)
        for _ in 1..<max(1, threads) {
            let thread = Thread { [queue] in queue.serve() }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    deinit { queue.stop() }

    /// The number of cores that this process may use.
    public static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// A pool with this many threads, shared by everyone who asks for the same number at the same time.
    public static func shared(threads: Int) -> ThreadPool {
        sharedPools.withLock { pools in
            if let pool = pools[threads]?.pool { return pool }
            let pool = ThreadPool(threads: threads)
            pools[threads] = WeakPool(pool: pool)
            return pool
        }
    }

    private struct WeakPool { weak var pool: ThreadPool? }
    private static let sharedPools = Mutex<[Int: WeakPool]>([:])

    /// Calls `body` once for every index in `0..<count`, on several threads, in no particular order.
    ///
    /// For results that do not depend on the number of threads, what an index means must not depend on it either.
    /// - Throws: an error that `body` threw; indices not yet started are then skipped.
    public func parallelFor(_ count: Int, _ body: @Sendable (Int) throws -> Void) throws {
        guard count > 1, threads > 1 else {
            for index in 0..<max(0, count) { try body(index) }
            return
        }
        try withoutActuallyEscaping(body) { body in
            let loop = Loop(count: count, body: body)
            queue.add(loop)
            loop.work()
            queue.remove(loop)
            try loop.waitUntilDone()
        }
    }
}

/// The loops that have indices left to hand out, and the workers' parking place.
private final class LoopQueue: @unchecked Sendable {
    private let changed = Condition()
    /// Guarded by `changed`.
    private var loops: [Loop] = []
    /// Counts the loops that were added; changed under `changed`, as is `isStopped`.
    private let version = Atomic(0)
    private let isStopped = Atomic(false)

    func add(_ loop: Loop) {
        changed.withLock {
            loops.append(loop)
            version.wrappingAdd(1, ordering: .releasing)
        }
        changed.broadcast()
    }

    func remove(_ loop: Loop) {
        changed.withLock { loops.removeAll { $0 === loop } }
    }

    func stop() {
        changed.withLock { isStopped.store(true, ordering: .releasing) }
        changed.broadcast()
    }

    /// A worker's life: takes part in loops until `stop()`.
    func serve() {
        var seen = 0
        while !isStopped.load(ordering: .acquiring) {
            if let loop = next(&seen) {
                loop.work()
                loop.leave()
            }
            Patience.wait(until: { version.load(ordering: .acquiring) != seen })
        }
    }

    /// A loop to take part in. Parks when none was added since the last look; nil when those that were are done already.
    /// - Parameter seen: the version at the last look.
    private func next(_ seen: inout Int) -> Loop? {
        changed.withLock {
            while true {
                let current = version.load(ordering: .relaxed)
                if let loop = loops.first(where: { $0.join() }) {
                    seen = current
                    return loop
                }
                guard seen == current, !isStopped.load(ordering: .relaxed) else {
                    seen = current
                    return nil
                }
                changed.wait()
            }
        }
    }
}

/// One call of `parallelFor`.
private final class Loop: @unchecked Sendable {
    private let count: Int
    /// Let go of when the loop is done: a worker may hold on to the loop a moment longer than its caller.
    private var body: (@Sendable (Int) throws -> Void)?
    private let next = Atomic(0)
    private let finished = Condition()
    /// Workers inside the loop, besides the caller. They enter while the queue holds the loop, and leave under `finished`.
    private let guests = Atomic(0)
    /// Guarded by `finished`.
    private var failure: (any Error)?

    init(count: Int, body: @escaping @Sendable (Int) throws -> Void) {
        self.count = count
        self.body = body
    }

    /// Enters the loop unless all of its indices are handed out.
    func join() -> Bool {
        guard next.load(ordering: .relaxed) < count else { return false }
        guests.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    func leave() {
        finished.withLock { _ = guests.wrappingSubtract(1, ordering: .releasing) }
        finished.signal()
    }

    func work() {
        guard let body else { return }
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            do {
                try body(index)
            } catch {
                next.store(count, ordering: .relaxed)
                finished.withLock { failure = failure ?? error }
            }
        }
    }

    func waitUntilDone() throws {
        Patience.wait(until: { guests.load(ordering: .acquiring) == 0 })
        finished.lock()
        while guests.load(ordering: .acquiring) > 0 { finished.wait() }
        let failure = failure
        finished.unlock()
        body = nil
        if let failure { throw failure }
    }
}

/// How long a thread looks again and again before it parks.
private enum Patience {
    /// About twice the time that it takes to wake a parked thread.
    private static let limit = Duration.microseconds(100)

    /// Returns when the condition holds, or after a while.
    static func wait(until condition: () -> Bool) {
        guard !condition() else { return }
        let end = ContinuousClock.now + limit
        repeat { sched_yield() } while !condition() && ContinuousClock.now < end
    }
}

/// A mutex with a condition variable.
private final class Condition: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }
    func signal() { pthread_cond_signal(condition) }
    func broadcast() { pthread_cond_broadcast(condition) }

    func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}
