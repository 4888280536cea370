/// What is compared: one way of making a map of an image.
public struct EvaluationRow: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The fused activation map alone.
        case activation
        /// One view's activation map alone.
        case view
        /// The activation map or a student's refined by the best region of a segmenter.
        case refined
        /// A student network's map.
        case student
        /// Maps made by another tool.
        case external
    }

    /// Letters, digits, `.`, `-` and `_`: names files and stands in results.
    public var id: String
    /// For people.
    public var title: String
    public var kind: Kind
    /// What the image went through first; nil for nothing.
    public var degradation: String?

    static let activation = EvaluationRow(id: "classifier", title: "classifier alone", kind: .activation)

    static func view(_ name: String) -> EvaluationRow {
        EvaluationRow(id: "view." + fileSafe(name), title: "view \(name) alone", kind: .view)
    }

    static let student = EvaluationRow(id: "student", title: "student alone", kind: .student)

    /// - Parameter base: whose map is refined; nil for the classifiers'.
    static func refined(_ base: String?, _ segmenter: String, _ refinement: Refinement) -> EvaluationRow {
        let names = [base, segmenter].compactMap { $0 }
        return EvaluationRow(
            id: (names.map(fileSafe) + [refinement.rawValue]).joined(separator: "."),
            title: (names + [refinement.rawValue]).joined(separator: " + "), kind: .refined)
    }

    static func external(_ name: String) -> EvaluationRow {
        EvaluationRow(id: "maps." + fileSafe(name), title: "maps \(name)", kind: .external)
    }

    /// The same row on a degraded image.
    func after(_ degradation: Degradation) -> EvaluationRow {
        EvaluationRow(
            id: "\(degradation.name).\(id)", title: "\(title), \(degradation.title)", kind: kind,
            degradation: degradation.name)
    }

    /// A name in which everything but letters, digits, `-` and `_` is replaced.
    static func fileSafe(_ name: String) -> String {
        let kept = name.map { character in
            character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
                ? character : "-"
        }
        return String(kept.prefix(80))
    }
}
