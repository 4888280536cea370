import Foundation

/// What classifiers and regressors of `ai.onnx.ml` do to the scores of a sample.
enum PostTransform: String, CaseIterable, Sendable {
    case none = "NONE", softmax = "SOFTMAX", logistic = "LOGISTIC"
    /// Softmax over the scores that are not 0.
    case softmaxOfNonzero = "SOFTMAX_ZERO"
    case probit = "PROBIT"

    /// By the number that TreeEnsemble uses.
    init?(number: Int) {
        let all: [PostTransform] = [.none, .softmax, .logistic, .softmaxOfNonzero, .probit]
        guard all.indices.contains(number) else { return nil }
        self = all[number]
    }

    func apply(_ scores: [Double]) -> [Double] {
        switch self {
        case .none: return scores
        case .logistic: return scores.map { 1 / (1 + exp(-$0)) }
        case .softmax, .softmaxOfNonzero:
            let maximum = scores.reduce(-.infinity, max)
            let powers = scores.map { self == .softmaxOfNonzero && abs($0) <= 1e-7 ? 0 : exp($0 - maximum) }
            let sum = powers.reduce(0, +)
            return sum == 0 ? powers : powers.map { $0 / sum }
        case .probit: return scores.map { 2.0.squareRoot() * inverseErrorFunction(2 * $0 - 1) }
        }
    }

    /// Winitzki's approximation, which the other runtimes use too.
    private func inverseErrorFunction(_ x: Double) -> Double {
        let logarithm = log((1 - x) * (1 + x))
        let first = 2 / (.pi * 0.147) + 0.5 * logarithm
        let root = (first * first - logarithm / 0.147).squareRoot()
        return (x < 0 ? -1 : 1) * (root - first).squareRoot()
    }
}
