/// A pattern of RE2's syntax, compiled to a program that is run on all its branches at once (Thompson, Regular expression
/// search algorithm, 1968): the time is at most the product of the lengths of pattern and text.
struct RegularExpression: Sendable {
    /// A step of the program.
    enum Instruction: Sendable {
        case match
        /// Takes a character of a class.
        case character(CharacterClass)
        case jump(Int)
        /// Goes on at both places.
        case split(Int, Int)
        case assert(Assertion)
    }

    /// What must hold between two characters.
    enum Assertion: Sendable {
        case startOfText, endOfText, startOfLine, endOfLine, wordBoundary, noWordBoundary
    }

    /// Instructions of the longest program.
    static let mostInstructions = 1 << 16

    private let program: [Instruction]

    /// - Throws: `OperatorError` for a pattern that is not RE2's, or becomes too long.
    init(_ pattern: String) throws {
        var parser = RegexParser(pattern)
        var compiler = RegexCompiler()
        try compiler.append(try parser.parse())
        program = compiler.instructions + [.match]
    }

    /// - Parameter checkpoint: called from time to time; may throw to stop.
    func matchesWhole(_ text: String, checkpoint: () throws -> Void) throws -> Bool {
        let characters = Array(text.unicodeScalars)
        var current = States(count: program.count)
        var next = States(count: program.count)
        var work = 0
        add(0, to: &current, characters, at: 0)
        for (position, character) in characters.enumerated() {
            guard !current.places.isEmpty else { return false }
            for place in current.places {
                if case .character(let characterClass) = program[place], characterClass.contains(character) {
                    add(place + 1, to: &next, characters, at: position + 1)
                }
            }
            work += current.places.count + 1
            if work > 1 << 14 {
                try checkpoint()
                work = 0
            }
            swap(&current, &next)
            next.removeAll()
        }
        return current.places.contains { if case .match = program[$0] { true } else { false } }
    }

    /// The places of the program that are reached, each once.
    private struct States {
        private(set) var places: [Int] = []
        private var isReached: [Bool]

        init(count: Int) { isReached = Array(repeating: false, count: count) }

        mutating func insert(_ place: Int) -> Bool {
            guard !isReached[place] else { return false }
            isReached[place] = true
            places.append(place)
            return true
        }

        mutating func removeAll() {
            for place in places { isReached[place] = false }
            places.removeAll(keepingCapacity: true)
        }
    }

    /// Adds a place and all that are reached from it without a character.
    private func add(_ place: Int, to states: inout States, _ text: [Unicode.Scalar], at position: Int) {
        var pending = [place]
        while let place = pending.popLast() {
            guard states.insert(place) else { continue }
            switch program[place] {
            case .match, .character: break
            case .jump(let target): pending.append(target)
            case .split(let first, let second): pending += [second, first]
            case .assert(let assertion): if assertion.holds(text, at: position) { pending.append(place + 1) }
            }
        }
    }
}

extension RegularExpression.Assertion {
    fileprivate func holds(_ text: [Unicode.Scalar], at position: Int) -> Bool {
        func isWord(_ index: Int) -> Bool { text.indices.contains(index) && CharacterClass.word.contains(text[index]) }
        switch self {
        case .startOfText: return position == 0
        case .endOfText: return position == text.count
        case .startOfLine: return position == 0 || text[position - 1] == "\n"
        case .endOfLine: return position == text.count || text[position] == "\n"
        case .wordBoundary: return isWord(position - 1) != isWord(position)
        case .noWordBoundary: return isWord(position - 1) == isWord(position)
        }
    }
}

/// A parsed pattern.
indirect enum RegexNode {
    case character(CharacterClass)
    case assert(RegularExpression.Assertion)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    /// `most` is nil for any number.
    case repetition(RegexNode, least: Int, most: Int?)
}

/// Makes a program from a parsed pattern. Whether a repetition is greedy does not matter to a match of the whole.
private struct RegexCompiler {
    private(set) var instructions: [RegularExpression.Instruction] = []
    /// Nodes that were visited: repetitions of nothing make no instructions, but take time.
    private var visits = 0

    mutating func append(_ node: RegexNode) throws {
        visits += 1
        guard visits < 16 * RegularExpression.mostInstructions else {
            throw OperatorError("the pattern becomes too long a program")
        }
        switch node {
        case .character(let characterClass): try emit(.character(characterClass))
        case .assert(let assertion): try emit(.assert(assertion))
        case .sequence(let nodes): for node in nodes { try append(node) }
        case .alternatives(let nodes): try append(alternatives: nodes)
        case .repetition(let node, let least, let most):
            for _ in 0..<least { try append(node) }
            guard let most else {
                let start = instructions.count
                try emit(.match)
                try append(node)
                try emit(.jump(start))
                instructions[start] = .split(start + 1, instructions.count)
                return
            }
            var starts: [Int] = []
            for _ in least..<max(least, most) {
                starts.append(instructions.count)
                try emit(.match)
                try append(node)
            }
            for start in starts { instructions[start] = .split(start + 1, instructions.count) }
        }
    }

    private mutating func append(alternatives nodes: [RegexNode]) throws {
        var ends: [Int] = []
        for node in nodes.dropLast() {
            let start = instructions.count
            try emit(.match)
            try append(node)
            ends.append(instructions.count)
            try emit(.match)
            instructions[start] = .split(start + 1, instructions.count)
        }
        if let last = nodes.last { try append(last) }
        for end in ends { instructions[end] = .jump(instructions.count) }
    }

    private mutating func emit(_ instruction: RegularExpression.Instruction) throws {
        guard instructions.count < RegularExpression.mostInstructions else {
            throw OperatorError("the pattern becomes too long a program")
        }
        instructions.append(instruction)
    }
}
