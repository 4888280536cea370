import ONNXLoader
import Testing

@testable import Runtime

/// Expected values by hand, and for splitting by Python.
@Suite struct TextTests {
    @Test(arguments: [
        Case(
            "StringConcat", opset: 20, inputs: [.strings(["a", "b"], [2, 1]), .strings(["x", ""], [2])],
            outputs: [.strings(["ax", "a", "bx", "b"], [2, 2])]),
        Case(
            "StringSplit", opset: 20, ["delimiter": .string(Array(",".utf8)), "maxsplit": .int(1)],
            inputs: [.strings(["a,b,c", "", ","], [3])],
            outputs: [.strings(["a", "b,c", "", "", "", ""], [3, 2]), .int64([2, 1, 2])]),
        Case(
            "StringSplit", opset: 20, ["maxsplit": .int(1)], inputs: [.strings(["  a  b c ", " \n", "d "], [3])],
            outputs: [.strings(["a", "b c ", "", "", "d", ""], [3, 2]), .int64([2, 0, 1])], note: "white space"),
        Case(
            "StringNormalizer", opset: 10,
            ["case_change_action": .string(Array("UPPER".utf8)), "stopwords": .strings([Array("The".utf8)])],
            inputs: [.strings(["the", "straße", "THE"], [1, 3])], outputs: [.strings(["STRASSE"], [1, 1])]),
        Case(
            "StringNormalizer", opset: 10, ["is_case_sensitive": .int(1), "stopwords": .strings([Array("a".utf8)])],
            inputs: [.strings(["a"], [1])], outputs: [.strings([""], [1])], note: "nothing is left"),
        Case(
            "TfIdfVectorizer", opset: 9,
            [
                "mode": .string(Array("TFIDF".utf8)), "min_gram_length": .int(1), "max_gram_length": .int(2),
                "max_skip_count": .int(1), "ngram_counts": .ints([0, 2]), "ngram_indexes": .ints([0, 1, 2]),
                "pool_int64s": .ints([5, 6, 5, 7]), "weights": .floats([1, 1, 0.5]),
            ], inputs: [.int64([5, 6, 7, 5, 7])], outputs: [[2, 1, 1]], note: "5 7 side by side and with one between"),
    ])
    func strings(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        ("a|bc*", ["a", "b", "bccc", "ac", ""], [true, true, true, false, false]),
        (#"[^\W\d_]+\.[a-z]{2,3}"#, ["site.org", "site.o", "s1.org", "site.orgs"], [true, false, false, false]),
        ("(?i)straße|(?:x(?-i)Y)", ["STRAßE", "XY", "Xy"], [true, true, false]),
        (#"\pL+\p{Nd}\P{L}"#, ["äß7!", "a77", "a7b"], [true, true, false]),
        (#"(?s).\x{41}\Q.*\E"#, ["\nA.*", "xA.*", "xAbb"], [true, true, false]),
        (#"\bab\b(?m)$\n^c"#, ["ab\nc", "abc"], [true, false]),
        ("[[:alpha:]-]{2}", ["a-", "--", "a1"], [true, true, false]),
        ("a{,2}", ["a{,2}", "aa"], [true, false]),
    ])
    func fullMatches(_ pattern: String, _ texts: [String], _ expected: [Bool]) throws {
        let expression = try RegularExpression(pattern)
        #expect(texts.map { expression.matchesWhole($0) } == expected)
    }

    @Test(arguments: ["(a", "a)", "*", "a**", "[b-a]", "a{2,1}", "a{1001}", #"\1"#, "(?=a)", "[", "\\"])
    func patternsThatAreRefused(_ pattern: String) {
        #expect(throws: OperatorError.self) { try RegularExpression(pattern) }
    }

    /// What takes exponential time where branches are tried one after the other, or unbounded memory.
    @Test func noPatternHangs() throws {
        let expression = try RegularExpression("(a*)*b")
        #expect(!expression.matchesWhole(String(repeating: "a", count: 10_000)))
        #expect(throws: OperatorError.self) { try RegularExpression("((a{1000}){1000}){1000}") }
        #expect(throws: OperatorError.self) { try RegularExpression("(((){1000}){1000}){1000}") }
        #expect(throws: OperatorError.self) { try RegularExpression(String(repeating: "(", count: 100_000)) }
    }
}
