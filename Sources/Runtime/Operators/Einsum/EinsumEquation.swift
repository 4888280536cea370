import Foundation

/// An equation of Einstein's summation, such as `bhwc,hkc->bhwk`: a label for every dimension of the operands and the
/// result. Equal labels run together; what the result does not name is summed over.
struct EinsumEquation: Sendable {
    private enum Term: Hashable { case letter(Character), ellipsis }

    private let operands: [[Term]]
    /// Nil when it is implied: the dimensions under an ellipsis, then the labels that occur once, in the alphabet's order.
    private let result: [Term]?

    /// - Throws: `OperatorError` that names what is wrong in the equation.
    init(_ text: String) throws {
        let compact = text.filter { !$0.isWhitespace }
        let sides = compact.components(separatedBy: "->")
        guard sides.count <= 2 else { throw OperatorError("the equation “\(text)” has more than one arrow") }
        operands = try sides[0].split(separator: ",", omittingEmptySubsequences: false).map {
            try Self.terms(String($0))
        }
        result = sides.count == 2 ? try Self.terms(sides[1]) : nil
    }

    var operandCount: Int { operands.count }

    private static func terms(_ text: String) throws -> [Term] {
        var terms: [Term] = []
        var rest = Substring(text)
        while let first = rest.first {
            if rest.hasPrefix("...") {
                guard !terms.contains(.ellipsis) else { throw OperatorError("“\(text)” has two ellipses") }
                terms.append(.ellipsis)
                rest.removeFirst(3)
            } else if first.isASCII, first.isLetter {
                terms.append(.letter(first))
                rest.removeFirst()
            } else {
                throw OperatorError("“\(first)” in “\(text)” is neither a label nor an ellipsis")
            }
        }
        return terms
    }

    /// The labels for operands of given shapes, as numbers, with their sizes.
    struct Labels: Sendable {
        var operands: [[Int]]
        var result: [Int]
        var sizes: [Int: Int]

        var resultShape: [Int] { result.map { sizes[$0] ?? 1 } }
    }

    /// - Throws: `OperatorError` when the shapes do not fit the equation.
    func labels(for shapes: [[Int]]) throws -> Labels {
        guard shapes.count == operands.count else {
            throw OperatorError("the equation has \(operands.count) operands, but \(shapes.count) inputs were given")
        }
        var sizes: [Int: Int] = [:]
        var longestEllipsis = 0
        let labels = try zip(operands, shapes).map { terms, shape in
            let hidden = shape.count - terms.filter { $0 != .ellipsis }.count
            guard hidden == 0 || hidden > 0 && terms.contains(.ellipsis) else {
                throw OperatorError("a term of \(terms.count) labels does not fit shape \(shape)")
            }
            longestEllipsis = max(longestEllipsis, hidden)
            let labels = Self.numbers(terms, hidden: hidden)
            for (label, size) in zip(labels, shape) {
                let known = sizes[label] ?? 1
                guard known == size || known == 1 || size == 1 else {
                    throw OperatorError("sizes \(known) and \(size) of one label differ")
                }
                sizes[label] = known == 1 ? size : known
            }
            return labels
        }
        let output: [Int]
        if let result {
            output = Self.numbers(result, hidden: longestEllipsis)
        } else {
            var uses: [Int: Int] = [:]
            for label in labels.joined() where label >= 0 { uses[label, default: 0] += 1 }
            output = Self.numbers([.ellipsis], hidden: longestEllipsis) + uses.keys.filter { uses[$0] == 1 }.sorted()
        }
        guard Set(output).count == output.count, output.allSatisfy({ sizes[$0] != nil }) else {
            throw OperatorError("the result names a label twice, or one that no operand has")
        }
        return Labels(operands: labels, result: output, sizes: sizes)
    }

    /// Letters by their code; the dimensions under an ellipsis count down to -1, so that they are aligned at the last.
    private static func numbers(_ terms: [Term], hidden: Int) -> [Int] {
        terms.flatMap { term -> [Int] in
            switch term {
            case .letter(let letter): [Int(letter.asciiValue ?? 0)]
            case .ellipsis: Array(-hidden..<0)
            }
        }
    }
}

extension EinsumEquation {
    /// An equation in words of letters for numbered labels.
    static func text(_ operands: [[Int]], result: [Int]) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var names: [Int: Character] = [:]
        func word(_ labels: [Int]) -> String {
            String(
                labels.map { label in
                    if let name = names[label] { return name }
                    let name = letters[names.count % letters.count]
                    names[label] = name
                    return name
                })
        }
        return operands.map(word).joined(separator: ",") + "->" + word(result)
    }
}
