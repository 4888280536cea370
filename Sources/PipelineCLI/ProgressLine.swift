import Foundation
import Pipeline
import Synchronization

/// One line on a terminal that says how far the work is; nothing where standard error is no terminal.
final class ProgressLine: Sendable {
    private struct State {
        var stage: Analyzer.Stage?
        var started = ContinuousClock.now
        var shown = ContinuousClock.now - .seconds(1)
        var isVisible = false
    }

    private let count: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    init(count: Int) { self.count = count }

    /// Shows a stage of one image: at once when there are several images, else when it takes longer than a second.
    func show(index: Int, image: String, stage: Analyzer.Stage, share: Double) {
        guard isTerminal else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            if state.stage != stage {
                state.stage = stage
                state.started = now
            }
            guard now - state.shown > .milliseconds(100), count > 1 || now - state.started > .seconds(1) else { return }
            state.shown = now
            state.isVisible = true
            let position = count > 1 ? "[\(index + 1)/\(count)] " : ""
            write("\r\u{1b}[2K\(position)\(image): \(stage.rawValue) \(Int(share * 100)) %")
        }
    }

    func clear() {
        state.withLock { state in
            if state.isVisible { write("\r\u{1b}[2K") }
            state.isVisible = false
        }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
