/// Reads a pattern of RE2's syntax. Back-references and look-around, which RE2 lacks, are refused, as are names of scripts
/// in `\p{…}` and the single bytes of `\C`.
struct RegexParser {
    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var flags = Flags()

    private struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
    }

    /// The most repetitions that a count may ask for, as in RE2.
    private static let mostRepetitions = 1000
    private static let deepestNesting = 200

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    mutating func parse() throws -> RegexNode {
        let node = try alternatives()
        guard position == pattern.count else { throw problem("a parenthesis is closed that was not opened") }
        return node
    }

    private var next: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    private func problem(_ reason: String) -> OperatorError {
        OperatorError("the pattern is not understood at character \(position): \(reason)")
    }

    private mutating func take(_ expected: Unicode.Scalar) -> Bool {
        guard next == expected else { return false }
        position += 1
        return true
    }

    private mutating func take(_ expected: String) -> Bool {
        guard pattern[position...].starts(with: expected.unicodeScalars) else { return false }
        position += expected.unicodeScalars.count
        return true
    }

    private mutating func takeAny() throws -> Unicode.Scalar {
        guard let character = next else { throw problem("it ends too early") }
        position += 1
        return character
    }

    private mutating func alternatives() throws -> RegexNode {
        var all = [try sequence()]
        while take("|") { all.append(try sequence()) }
        return all.count == 1 ? all[0] : .alternatives(all)
    }

    private mutating func sequence() throws -> RegexNode {
        var nodes: [RegexNode] = []
        while let character = next, character != "|", character != ")" {
            if take("\\Q") {
                while position < pattern.count, !take("\\E") { nodes.append(literal(try takeAny())) }
            } else if let node = try atom() {
                nodes.append(try repeated(node))
            }
        }
        return .sequence(nodes)
    }

    /// Nil for what only sets flags.
    private mutating func atom() throws -> RegexNode? {
        let character = try takeAny()
        switch character {
        case "(": return try group()
        case "[": return .character(try bracket())
        case ".":
            return .character(flags.dotMatchesNewline ? .any : CharacterClass([0x0A...0x0A], isNegated: true))
        case "^": return .assert(flags.isMultiline ? .startOfLine : .startOfText)
        case "$": return .assert(flags.isMultiline ? .endOfLine : .endOfText)
        case "*", "+", "?": throw problem("nothing is there to repeat")
        case "\\": return try escape()
        default: return literal(character)
        }
    }

    private func literal(_ character: Unicode.Scalar) -> RegexNode { .character(folded(CharacterClass(character))) }

    private func folded(_ characterClass: CharacterClass) -> CharacterClass {
        var result = characterClass
        result.foldsCase = flags.ignoresCase
        return result
    }

    private mutating func repeated(_ node: RegexNode) throws -> RegexNode {
        var result = node
        while let character = next {
            switch character {
            case "*": (position, result) = (position + 1, .repetition(result, least: 0, most: nil))
            case "+": (position, result) = (position + 1, .repetition(result, least: 1, most: nil))
            case "?": (position, result) = (position + 1, .repetition(result, least: 0, most: 1))
            case "{":
                guard let (least, most) = try count() else { return result }
                result = .repetition(result, least: least, most: most)
            default: return result
            }
            // Greedy or not, the same strings match as a whole.
            if take("?") { continue }
            if let following = next, "*+?".unicodeScalars.contains(following) {
                throw problem("a repetition is repeated")
            }
        }
        return result
    }

    /// `{n}`, `{n,}` or `{n,m}`; nil where the brace stands for itself.
    private mutating func count() throws -> (Int, Int?)? {
        let start = position
        position += 1
        guard let least = number() else {
            position = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = next == "}" ? nil : number() ?? -1 }
        guard most != -1, take("}") else {
            position = start
            return nil
        }
        guard least <= Self.mostRepetitions, most ?? least >= least, most ?? 0 <= Self.mostRepetitions else {
            throw problem("\(least) to \(most ?? least) repetitions")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next.flatMap({ Int(String($0)) }) {
            value = min((value ?? 0) * 10 + digit, 1 << 20)
            position += 1
        }
        return value
    }
}

// Groups.
extension RegexParser {
    private mutating func group() throws -> RegexNode? {
        let outer = flags
        guard depth < Self.deepestNesting else { throw problem("groups are nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        if take("?") {
            if take("P<") || next == "<" && take("<") {
                guard next != "=", next != "!" else { throw problem("look-behind is not supported") }
                while next != ">" { _ = try takeAny() }
                position += 1
            } else if try setFlags() {
                return nil
            }
        }
        let node = try alternatives()
        guard take(")") else { throw problem("a parenthesis is not closed") }
        flags = outer
        return node
    }

    /// Reads `i-s:` or `i-s)`; whether it was the latter, which holds to the end of the group around.
    private mutating func setFlags() throws -> Bool {
        var value = true
        while true {
            switch try takeAny() {
            case "i": flags.ignoresCase = value
            case "m": flags.isMultiline = value
            case "s": flags.dotMatchesNewline = value
            case "U": break
            case "-": value = false
            case ":": return false
            case ")": return true
            default: throw problem("look-around and other extensions are not supported")
            }
        }
    }
}

// Escapes and classes.
extension RegexParser {
    private mutating func escape() throws -> RegexNode? {
        switch next {
        case "A":
            position += 1
            return .assert(.startOfText)
        case "z":
            position += 1
            return .assert(.endOfText)
        case "b":
            position += 1
            return .assert(.wordBoundary)
        case "B":
            position += 1
            return .assert(.noWordBoundary)
        default: break
        }
        if let characterClass = try escapedClass() { return .character(folded(characterClass)) }
        return literal(try escapedCharacter())
    }

    /// A class such as `\d`, after its backslash; nil, with nothing read, for anything else.
    private mutating func escapedClass() throws -> CharacterClass? {
        guard let character = next else { throw problem("it ends with a backslash") }
        position += 1
        switch character {
        case "d": return .digit
        case "D": return negated(.digit)
        case "s": return .space
        case "S": return negated(.space)
        case "w": return .word
        case "W": return negated(.word)
        case "p", "P":
            var name = String(try takeAny())
            if name == "{" {
                name = ""
                while !take("}") { name.unicodeScalars.append(try takeAny()) }
            }
            let isNegated = (character == "P") != name.hasPrefix("^")
            if name.hasPrefix("^") { name.removeFirst() }
            if name == "Any" { return CharacterClass([0...0x10_FFFF], isNegated: isNegated) }
            guard let category = CharacterClass(category: name, isNegated: isNegated) else {
                throw problem("there is no class \(name)")
            }
            return category
        default:
            position -= 1
            return nil
        }
    }

    private func negated(_ characterClass: CharacterClass) -> CharacterClass {
        var result = characterClass
        result.isNegated = true
        return result
    }

    /// A single character after its backslash.
    private mutating func escapedCharacter() throws -> Unicode.Scalar {
        let character = try takeAny()
        switch character {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "x":
            var digits = ""
            if take("{") {
                while !take("}") { digits.unicodeScalars.append(try takeAny()) }
            } else {
                for _ in 0..<2 { digits.unicodeScalars.append(try takeAny()) }
            }
            guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                throw problem("\(digits) is no character")
            }
            return scalar
        case "0"..."7":
            var value = character.value - 48
            for _ in 0..<2 {
                guard let digit = next, ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 48
                position += 1
            }
            guard character == "0" || value > 7, let scalar = Unicode.Scalar(value) else {
                throw problem("back-references are not supported")
            }
            return scalar
        default:
            guard character.value < 128, !CharacterClass.word.contains(character) else {
                throw problem("there is no escape \(character)")
            }
            return character
        }
    }

    private mutating func bracket() throws -> CharacterClass {
        var result = CharacterClass()
        result.isNegated = take("^")
        var isFirst = true
        while isFirst || next != "]" {
            isFirst = false
            if take("[:") {
                let isNegated = take("^")
                var name = ""
                while !take(":]") { name.unicodeScalars.append(try takeAny()) }
                guard let named = CharacterClass.named[name] else { throw problem("there is no class \(name)") }
                result.insert(isNegated ? negated(named) : named)
                continue
            }
            var first = try takeAny()
            if first == "\\" {
                if let escaped = try escapedClass() {
                    result.insert(escaped)
                    continue
                }
                first = try escapedCharacter()
            }
            guard next == "-", position + 1 < pattern.count, pattern[position + 1] != "]" else {
                result.insert(first.value...first.value)
                continue
            }
            position += 1
            var last = try takeAny()
            if last == "\\" { last = try escapedCharacter() }
            guard first.value <= last.value else { throw problem("the range \(first)-\(last) is empty") }
            result.insert(first.value...last.value)
        }
        position += 1
        return folded(result)
    }
}
