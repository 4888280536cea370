/// The numbers by which the views of one or more classifiers are called, as WCBnet_i is by its block i.
///
/// Where the name of every view's logit ends in a number, as `logit_2` does, these are the numbers; else the views are
/// counted from 1 in the order of the files and, within one, of its metadata.
public struct ViewNumbers: Sendable, Hashable {
    /// For each file the numbers of its views, in the order of its metadata.
    public let numbers: [[Int]]

    /// - Parameter contracts: those of the classifiers. One whose metadata names no views has one without a name.
    public init(_ contracts: [ModelContract]) {
        self.init(logits: contracts.map { $0.views.isEmpty ? [nil] : $0.views.map(\.logit) })
    }

    init(logits: [[String?]]) {
        let named = logits.map { $0.map { name in name.flatMap(Self.closingNumber) } }
        if named.allSatisfy({ $0.allSatisfy { $0 != nil } }) {
            numbers = named.map { $0.compactMap(\.self) }
            return
        }
        var next = 0
        numbers = logits.map { views in
            views.map { _ in
                next += 1
                return next
            }
        }
    }

    /// Which views of each file have one of these numbers: their places among the file's views.
    /// - Throws: `ViewSelectionError` when there is no view of a number.
    public func places(of wanted: [Int]) throws(ViewSelectionError) -> [[Int]] {
        let known = Set(numbers.joined())
        if let unknown = wanted.first(where: { !known.contains($0) }) {
            throw ViewSelectionError(unknown: unknown, known: known.sorted())
        }
        return numbers.map { views in views.indices.filter { wanted.contains(views[$0]) } }
    }

    /// The digits that a name ends in.
    private static func closingNumber(_ name: String) -> Int? {
        let digits = name.reversed().prefix { ("0"..."9").contains($0) }
        return Int(String(digits.reversed()))
    }
}

/// A view was asked for that the classifiers do not have.
public struct ViewSelectionError: Error, Sendable, Hashable, CustomStringConvertible {
    public let unknown: Int
    public let known: [Int]

    public var description: String {
        "there is no view \(unknown); the classifiers have \(known.map(String.init).joined(separator: ", ")): choose of these"
            + " with --views"
    }
}
