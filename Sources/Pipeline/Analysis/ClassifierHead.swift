import ONNXLoader
import Runtime
import Synchronization

/// Where one view's logit and activation map come from.
struct ClassifierHead: Sendable {
    /// Which logit is explained.
    enum Score: Sendable, Hashable {
        /// The manipulated class of a detector: its only logit, or of two the manipulated one's less the other's.
        case manipulation(class: Int)
        /// One class of a classifier of anything, counted from 0.
        case oneClass(Int)
        /// The class with the highest logit.
        case best
    }

    /// What one run says.
    struct Seen: Sendable {
        var logit: Double
        var map: FloatMap
        /// The class that was explained, for a classifier of anything.
        var explainedClass: Int
    }

    let name: String
    let logits: String
    let features: String
    let score: Score
    let method: ActivationMethod
    /// Where the map has a closed form.
    let linear: LinearHead?
    private let channelsLast: Bool
    /// The number of logits, once a run has told it.
    private let classCount = Shared<Int?>(nil)

    /// - Parameters:
    ///   - name: for reports.
    ///   - graph: the classifier as loaded.
    ///   - logit: the logit, or a probability made from it; nil for the graph's first output.
    ///   - features: nil for what the last global pooling pools.
    /// - Throws: `LinearHeadError` when a value does not exist, no features can be found, or CAM is asked for and has no
    ///   closed form.
    init(
        name: String, in graph: Graph, logit: String? = nil, features wanted: String? = nil, score: Score,
        method: ActivationMethod
    ) throws(LinearHeadError) {
        self.name = name
        self.score = score
        self.method = method
        let trace = GraphTrace(graph)
        guard let output = logit ?? graph.outputs.first?.name else { throw .noSuchValue("the graph has no output") }
        for value in [output, wanted].compactMap({ $0 }) where !trace.exists(value) {
            throw .noSuchValue("there is no value \(quoted(value)) in the graph")
        }
        var head: LinearHead?
        if method.hasClosedForm, score != .best {
            do {
                head = try LinearHead(in: graph, logit: output, features: wanted, score: score)
            } catch {
                guard method == .gradCAM, case .needsGradient = error else { throw error }
            }
        }
        if let head {
            (logits, features, channelsLast) = (head.logits, head.features, head.channelsLast)
        } else {
            let pooled = trace.lastPooling
            guard let features = wanted ?? pooled?.features else {
                throw .noSuchValue(
                    "the graph has no global pooling whose input could be the features; name a layer of it")
            }
            logits = trace.logits(before: output)
            self.features = features
            channelsLast =
                pooled.map { $0.channelsLast && trace.source(of: $0.features) == trace.source(of: features) } ?? false
        }
        linear = head
    }

    /// Values that a run must give for the closed form.
    var values: [String] { linear == nil ? [] : [logits, features] }

    /// By the closed form.
    func see(_ values: [String: Tensor], _ linear: LinearHead) throws -> Seen {
        guard let logits = values[logits], let features = values[features] else {
            throw InferenceError.missingOutput(logits)
        }
        let numbers = try finite(logits)
        guard numbers.count == linear.classCount else {
            throw InferenceError.unexpectedShape(
                value: self.logits, shape: logits.shape, expected: "[1, \(linear.classCount)] of finite numbers")
        }
        return Seen(
            logit: logit(numbers), map: try linear.activation(of: features), explainedClass: explainedClass(numbers))
    }

    /// By differentiation.
    func see(_ inputs: [String: Tensor], with inference: any Inference) throws -> Seen {
        let numbers: [Float]?
        if score == .best || classCount.value == nil {
            let known = try finite(inference.values([logits], of: inputs)[0])
            classCount.value = known.count
            numbers = known
        } else {
            numbers = nil
        }
        let weights = try seed(count: classCount.value ?? 1, numbers)
        let result = try inference.gradient(
            of: logits, at: .elements(weights), withRespectTo: [features], inputs: inputs,
            outputs: [logits, features])
        guard let logits = result.values[logits], let features = result.values[features],
            let gradient = result[self.features]
        else { throw InferenceError.missingOutput(logits) }
        let found = try finite(logits)
        return Seen(
            logit: weights.reduce(0) { $0 + $1.value * Double(found[$1.key]) },
            map: try method.map(
                features: features, gradient: gradient, channelsLast: channelsLast, named: self.features),
            explainedClass: explainedClass(found))
    }

    /// What the explained logit is made of.
    private func seed(count: Int, _ numbers: [Float]?) throws -> [Int: Double] {
        switch score {
        case .manipulation(let manipulated):
            switch count {
            case 1: return [0: 1]
            case 2 where (0...1).contains(manipulated): return [manipulated: 1, 1 - manipulated: -1]
            default: throw LinearHeadError.notBinary(classes: count)
            }
        case .oneClass(let index):
            guard (0..<count).contains(index) else { throw LinearHeadError.noSuchClass(index, count: count) }
            return [index: 1]
        case .best:
            return [numbers.map(explainedClass) ?? 0: 1]
        }
    }

    private func logit(_ numbers: [Float]) -> Double {
        switch score {
        case .manipulation(let manipulated):
            Double(numbers.count == 1 ? numbers[0] : numbers[manipulated] - numbers[1 - manipulated])
        case .oneClass(let index): Double(numbers[index])
        case .best: Double(numbers.max() ?? 0)
        }
    }

    private func explainedClass(_ numbers: [Float]) -> Int {
        switch score {
        case .manipulation(let index): numbers.count == 1 ? 0 : index
        case .oneClass(let index): index
        case .best: numbers.indices.max { numbers[$0] < numbers[$1] } ?? 0
        }
    }

    private func finite(_ logits: Tensor) throws -> [Float] {
        let numbers = try logits.floats(named: self.logits)
        guard !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
            throw InferenceError.unexpectedShape(
                value: self.logits, shape: logits.shape, expected: "logits that are finite numbers")
        }
        return numbers
    }
}

/// A value that several threads read and write.
private final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: sending Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
