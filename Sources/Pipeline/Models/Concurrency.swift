import Runtime
import Synchronization

/// Calls `body` once for every index below `count`, on several threads. Sessions with as many threads share theirs.
///
/// - Parameter threads: the most threads; nil for as many as there are cores.
func forEachConcurrently(count: Int, threads: Int? = nil, _ body: @Sendable (Int) -> Void) {
    let pool = ThreadPool.shared(threads: threads ?? ThreadPool.coreCount)
    // Only what `body` throws is thrown, and it throws nothing.
    try? pool.parallelFor(count) { index in body(index) }
}

/// The results of `transform` for every index below `count`, in order, made on several threads at once.
///
/// After a failure no further index is begun.
/// - Parameter threads: the most threads; nil for as many as there are cores.
/// - Throws: the error of the lowest index that failed.
func mapConcurrently<Element: Sendable, Failure: Error>(
    count: Int, threads: Int? = nil, _ transform: @Sendable (Int) throws(Failure) -> Element
) throws(Failure) -> [Element] {
    let outcomes = Mutex<(elements: [Int: Element], failures: [Int: Failure])>(([:], [:]))
    forEachConcurrently(count: count, threads: threads) { index in
        guard outcomes.withLock({ $0.failures.isEmpty }) else { return }
        do throws(Failure) {
            let element = try transform(index)
            outcomes.withLock { $0.elements[index] = element }
        } catch {
            outcomes.withLock { $0.failures[index] = error }
        }
    }
    let (elements, failures) = outcomes.withLock { $0 }
    if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
    return (0..<count).compactMap { elements[$0] }
}

/// The rows of one buffer, each of which may be written by another thread.
struct ConcurrentRows<Element>: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<Element>
    private let width: Int

    init(_ buffer: UnsafeMutableBufferPointer<Element>, width: Int) {
        self.buffer = buffer
        self.width = width
    }

    subscript(row: Int) -> UnsafeMutableBufferPointer<Element> { self[row..<row + 1] }

    subscript(rows: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(rebasing: buffer[rows.lowerBound * width..<rows.upperBound * width])
    }
}

/// Counts from several threads.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// The count after this call.
    func increment() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
