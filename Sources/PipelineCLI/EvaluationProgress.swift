import Foundation
import Pipeline
import Synchronization

/// One line on a terminal that says how far an evaluation is, and about how long it will take.
final class EvaluationProgress: Sendable {
    private struct State {
        let start = ContinuousClock.now
        var first: Int?
        var shown = ContinuousClock.now - .seconds(1)
        var isVisible = false
    }

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    func show(_ progress: Evaluation.Progress) {
        guard isTerminal else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            let first = state.first ?? progress.index
            state.first = first
            guard now - state.shown > .milliseconds(100) else { return }
            state.shown = now
            state.isVisible = true
            var line = "[\(progress.index + 1)/\(progress.count)] \(progress.image): \(progress.stage)"
            if progress.share > 0 { line += " \(Int(progress.share * 100)) %" }
            if progress.index > first {
                let left =
                    (now - state.start) * Double(progress.count - progress.index) / Double(progress.index - first)
                line += ", \(left.components.seconds / 60) min \(left.components.seconds % 60) s left"
            }
            FileHandle.standardError.write(Data("\r\u{1b}[2K\(line)".utf8))
        }
    }

    func clear() {
        state.withLock { state in
            if state.isVisible { FileHandle.standardError.write(Data("\r\u{1b}[2K".utf8)) }
            state.isVisible = false
        }
    }
}
