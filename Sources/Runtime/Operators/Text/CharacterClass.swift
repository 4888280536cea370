/// A set of characters of a regular expression.
struct CharacterClass: Sendable {
    /// Ranges, Unicode general categories and sets that are excluded in turn; in any of them is in the set.
    private var ranges: [ClosedRange<UInt32>] = []
    private var categories: [Category] = []
    var isNegated = false
    var foldsCase = false

    /// Characters with a Unicode general category, by its name of one or two letters.
    private struct Category: Sendable {
        let name: String
        let isNegated: Bool
    }

    init(_ ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    init(_ character: Unicode.Scalar) { self.init([character.value...character.value]) }

    static let any = CharacterClass([0...0x10_FFFF])
    static let digit = CharacterClass([range("0", "9")])
    static let space = CharacterClass([range("\t", "\n"), range("\u{0C}", "\r"), range(" ", " ")])
    static let word = CharacterClass([range("0", "9"), range("A", "Z"), range("_", "_"), range("a", "z")])

    /// POSIX classes, by name.
    static let named: [String: CharacterClass] = [
        "alnum": CharacterClass([range("0", "9"), range("A", "Z"), range("a", "z")]),
        "alpha": CharacterClass([range("A", "Z"), range("a", "z")]),
        "ascii": CharacterClass([0...0x7F]),
        "blank": CharacterClass([range("\t", "\t"), range(" ", " ")]),
        "cntrl": CharacterClass([0...0x1F, 0x7F...0x7F]),
        "digit": digit,
        "graph": CharacterClass([range("!", "~")]),
        "lower": CharacterClass([range("a", "z")]),
        "print": CharacterClass([range(" ", "~")]),
        "punct": CharacterClass([range("!", "/"), range(":", "@"), range("[", "`"), range("{", "~")]),
        "space": CharacterClass([range("\t", "\r"), range(" ", " ")]),
        "upper": CharacterClass([range("A", "Z")]),
        "word": word,
        "xdigit": CharacterClass([range("0", "9"), range("A", "F"), range("a", "f")]),
    ]

    private static func range(_ first: Unicode.Scalar, _ last: Unicode.Scalar) -> ClosedRange<UInt32> {
        first.value...last.value
    }

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    /// Adds the characters of another class of ranges.
    mutating func insert(_ other: CharacterClass) {
        ranges += other.isNegated ? other.complement : other.ranges
        categories += other.categories.map { Category(name: $0.name, isNegated: $0.isNegated != other.isNegated) }
    }

    /// A class of a Unicode general category, such as `L` or `Lu`; nil when there is none of that name.
    init?(category name: String, isNegated: Bool) {
        guard Self.categoryNames.contains(where: { $0 == name || String($0.prefix(1)) == name }) else { return nil }
        categories = [Category(name: name, isNegated: isNegated)]
    }

    func contains(_ character: Unicode.Scalar) -> Bool {
        func holds(_ value: UInt32) -> Bool { ranges.contains { $0.contains(value) } }
        var isInside = holds(character.value)
        if !isInside, foldsCase {
            let properties = character.properties
            isInside = [properties.lowercaseMapping, properties.uppercaseMapping].contains { mapping in
                mapping.unicodeScalars.count == 1 && mapping.unicodeScalars.first.map { holds($0.value) } == true
            }
        }
        if !isInside, !categories.isEmpty {
            let name = Self.name(of: character.properties.generalCategory)
            isInside = categories.contains { name.hasPrefix($0.name) != $0.isNegated }
        }
        return isInside != isNegated
    }

    private var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10_FFFF { result.append(next...0x10_FFFF) }
        return result
    }

    private static let categoryNames = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    private static func name(of category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
