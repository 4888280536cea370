import ONNXLoader

/// TfIdfVectorizer (opset 9): how often each n-gram of a pool occurs in a sequence of integers or strings, also with tokens
/// skipped between its own, perhaps weighted.
struct TfIdfVectorizer: Operator {
    enum Mode: String, CaseIterable {
        case frequency = "TF", inverse = "IDF", both = "TFIDF"
    }
    private let mode: Mode
    private let shortest, longest, mostSkipped: Int
    private let grams: NGrams
    private let outputs: [Int]
    private let weights: [Float]
    private let size: Int
    private let takesStrings: Bool

    init(_ node: inout NodeReader) throws {
        mode = try node.choice("mode", or: .frequency)
        shortest = try node.int("min_gram_length")
        longest = try node.int("max_gram_length")
        mostSkipped = try node.int("max_skip_count")
        outputs = try node.ints("ngram_indexes")
        weights = try node.optionalFloats("weights") ?? []
        let starts = try node.ints("ngram_counts")
        let strings = try node.strings("pool_strings")
        let integers = try node.optionalInts("pool_int64s")
        guard (strings == nil) != (integers == nil) else {
            throw OperatorError("one of the attributes pool_strings and pool_int64s must be given")
        }
        takesStrings = strings != nil
        guard shortest >= 1, longest >= shortest, mostSkipped >= 0, outputs.allSatisfy({ $0 >= 0 && $0 < .max }),
            weights.isEmpty || weights.count == outputs.count
        else { throw OperatorError("n-grams of \(shortest) to \(longest) tokens with \(mostSkipped) skipped") }
        size = (outputs.max() ?? -1) + 1
        grams = try NGrams(
            pool: strings?.map { .string(Array($0.utf8)) } ?? integers?.map { .integer(Int64($0)) } ?? [],
            starts: starts, lengths: shortest...longest, count: outputs.count)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let isString = input.elementType == .string
        guard input.shape.count <= 2, isString || input.elementType == .int32 || input.elementType == .int64,
            isString == takesStrings
        else { throw OperatorError("\(input.type) does not fit the pool") }
        return [ValueType(.float32, input.shape.count == 2 ? [input.shape[0], size] : [size])]
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let output = try step.mutableElements(0, of: Float.self)
        output.fill(0..<output.count, with: 0)
        let length = input.shape.last ?? 1
        guard input.count > 0 else { return }
        let tokens: [NGrams.Token] =
            takesStrings
            ? input.strings.map { .string(Array($0.utf8)) } : try input.integers().map { .integer(Int64($0)) }
        for row in 0..<input.count / length {
            try count(tokens[row * length..<(row + 1) * length], step) { gram in
                guard gram < outputs.count else { return }
                let place = row * size + outputs[gram]
                let weight = weights.isEmpty ? 1 : weights[gram]
                switch mode {
                case .frequency: output[place] += 1
                case .inverse: output[place] = weight
                case .both: output[place] += weight
                }
            }
        }
    }

    /// Calls `body` for every n-gram of the pool that is found.
    private func count(_ tokens: ArraySlice<NGrams.Token>, _ step: Step, _ body: (Int) -> Void) throws {
        var shortest = shortest
        for distance in 1...max(1, min(mostSkipped, tokens.count) + 1) {
            try step.checkpoint()
            guard distance.multipliedReportingOverflow(by: shortest - 1).partialValue < tokens.count else { return }
            for first in tokens.indices {
                var node = 0
                var length = 0
                for index in stride(from: first, to: tokens.endIndex, by: distance) {
                    guard length < longest, let next = grams.nodes[node].children[tokens[index]] else { break }
                    node = next
                    length += 1
                    if length >= shortest, let gram = grams.nodes[node].gram { body(gram) }
                }
            }
            // One token alone has nothing to skip: it is counted once.
            if shortest == 1 { shortest = 2 }
            guard shortest <= longest else { return }
        }
    }
}

/// The n-grams of a pool as a tree of tokens.
struct NGrams: Sendable {
    enum Token: Hashable, Sendable {
        case integer(Int64), string([UInt8])
    }

    struct Node: Sendable {
        var children: [Token: Int] = [:]
        /// Which n-gram ends here.
        var gram: Int?
    }

    private(set) var nodes = [Node()]

    /// - Parameters:
    ///   - starts: where the 1-grams, the 2-grams and so on start in the pool.
    ///   - count: how many n-grams the pool holds.
    init(pool: [Token], starts: [Int], lengths: ClosedRange<Int>, count: Int) throws {
        var gram = 0
        for (index, start) in starts.enumerated() {
            let length = index + 1
            let end = index + 1 < starts.count ? starts[index + 1] : pool.count
            guard start >= 0, end >= start, end <= pool.count, (end - start) % length == 0 else {
                throw OperatorError("n-grams of \(length) tokens cannot lie at \(start)..<\(end) of \(pool.count)")
            }
            for first in stride(from: start, to: end, by: length) {
                if lengths.contains(length) { insert(pool[first..<first + length], gram) }
                gram += 1
            }
        }
        guard gram == count else { throw OperatorError("\(count) indexes for \(gram) n-grams") }
    }

    private mutating func insert(_ tokens: ArraySlice<Token>, _ gram: Int) {
        var node = 0
        for token in tokens {
            if let next = nodes[node].children[token] {
                node = next
            } else {
                nodes.append(Node())
                nodes[node].children[token] = nodes.count - 1
                node = nodes.count - 1
            }
        }
        nodes[node].gram = gram
    }
}
