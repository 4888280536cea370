import Runtime
import Synchronization

/// Measures for how long networks ran: the time during which at least one run was under way.
public final class NetworkClock: Sendable {
    private struct State {
        var running = 0
        var started = ContinuousClock.now
        var total = Duration.zero
    }

    private let state = Mutex(State())

    public init() {}

    /// Seconds up to now.
    public var seconds: Double {
        state.withLock { state in
            (state.running > 0 ? state.total + (ContinuousClock.now - state.started) : state.total).seconds
        }
    }

    /// Counts the time that `body` takes, once where several overlap.
    public func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { state in
            if state.running == 0 { state.started = .now }
            state.running += 1
        }
        defer {
            state.withLock { state in
                state.running -= 1
                if state.running == 0 { state.total += ContinuousClock.now - state.started }
            }
        }
        return try body()
    }
}

/// A network whose runs a clock measures.
public struct TimedInference: Inference {
    public let inference: any Inference
    public let clock: NetworkClock

    public init(_ inference: any Inference, _ clock: NetworkClock) {
        self.inference = inference
        self.clock = clock
    }

    public func run(_ inputs: [String: Tensor], outputs: [String]?) throws -> [String: Tensor] {
        try clock.measure { try inference.run(inputs, outputs: outputs) }
    }

    public func gradient(
        of output: String, at seed: GradientSeed, withRespectTo targets: [String], inputs: [String: Tensor],
        outputs: [String]
    ) throws -> Gradients {
        try clock.measure {
            try inference.gradient(
                of: output, at: seed, withRespectTo: targets, inputs: inputs, outputs: outputs)
        }
    }
}

extension Duration {
    /// This duration in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
