import Synchronization

/// The seconds between entering a stage and entering the next, from any thread.
final class StageClock: Sendable {
    private struct State {
        var seconds: [String: Double] = [:]
        var stage: String?
        var start = ContinuousClock.now

        mutating func enter(_ next: String?) {
            let now = ContinuousClock.now
            if let stage { seconds[stage, default: 0] += (now - start).seconds }
            stage = next
            start = now
        }
    }

    private let state = Mutex(State())

    func enter(_ stage: String) {
        state.withLock { if $0.stage != stage { $0.enter(stage) } }
    }

    /// Counts the time of `body` for a stage of its own.
    func during(_ stage: String, _ body: () throws -> Void) rethrows {
        let outer = state.withLock { state in
            let outer = state.stage
            state.enter(stage)
            return outer
        }
        defer { state.withLock { $0.enter(outer) } }
        try body()
    }

    /// Ends the last stage.
    func finish() -> [String: Double] {
        state.withLock { state in
            state.enter(nil)
            return state.seconds
        }
    }
}
