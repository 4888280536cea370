/// Pairs manipulated images with masks by stem.
///
/// A mask's own stem counts more than what is left of it without a suffix, and where several masks fit, the one whose
/// folders are the image's. A pair that is not certain is none.
struct MaskPairing {
    typealias File = FileTree.File

    /// A file with what it pairs by.
    struct Member {
        let file: File
        /// In order of preference.
        let keys: [String]
        /// The folder in which pairs are looked for.
        let scope: [String]
        /// The folders below the one that says what the file is.
        let inner: [String]
    }

    private struct Key: Hashable {
        let scope: [String]
        let text: String
    }

    private(set) var pairs: [(image: File, mask: File)] = []
    private(set) var skipped: [Dataset.Skipped] = []

    init(images: [Member], masks: [Member]) {
        var index: [Key: [(mask: Int, preference: Int)]] = [:]
        for (number, mask) in masks.enumerated() {
            for (preference, key) in mask.keys.enumerated() {
                index[Key(scope: mask.scope, text: key), default: []].append((number, preference))
            }
        }
        var seen = Set<Int>()
        var claims: [Int: [Int]] = [:]
        for (number, image) in images.enumerated() {
            let found =
                image.keys.lazy.map { index[Key(scope: image.scope, text: $0)] ?? [] }
                .map { candidates in candidates.filter { Self.agree(image.inner, masks[$0.mask].inner) } }
                .first { !$0.isEmpty } ?? []
            seen.formUnion(found.map(\.mask))
            let preference = found.map(\.preference).min()
            let best = Self.closest(
                to: image, among: found.filter { $0.preference == preference }.map(\.mask)
            ) { masks[$0] }
            switch best.count {
            case 0: skip(image.file, .noMask(stems: image.keys))
            case 1: claims[best[0], default: []].append(number)
            default: skip(image.file, .duplicateStem(others: best.map { masks[$0].file.path }.sorted()))
            }
        }
        for (mask, claimants) in claims {
            let best = Self.closest(to: masks[mask], among: claimants) { images[$0] }
            if best.count == 1 { pairs.append((images[best[0]].file, masks[mask].file)) }
            for image in claimants where best != [image] {
                let others = claimants.filter { $0 != image }.map { images[$0].file.path }.sorted()
                skip(images[image].file, .duplicateStem(others: others))
            }
            if best.count > 1 {
                skip(masks[mask].file, .duplicateStem(others: best.map { images[$0].file.path }.sorted()))
            }
        }
        for (number, mask) in masks.enumerated() where claims[number] == nil {
            guard seen.contains(number) else {
                skip(mask.file, .maskWithoutImage)
                continue
            }
            let rivals = masks.indices.filter { other in
                other != number && masks[other].scope == mask.scope
                    && !Set(masks[other].keys).isDisjoint(with: mask.keys)
            }
            skip(mask.file, .duplicateStem(others: rivals.map { masks[$0].file.path }.sorted()))
        }
    }

    private mutating func skip(_ file: File, _ reason: Dataset.Skipped.Reason) {
        skipped.append(.init(file: file.path, reason: reason))
    }

    /// Folders of one side may be missing on the other, but must not be others.
    private static func agree(_ a: [String], _ b: [String]) -> Bool {
        let shared = min(a.count, b.count)
        return a.suffix(shared).elementsEqual(b.suffix(shared))
    }

    private static func closest(to member: Member, among numbers: [Int], _ other: (Int) -> Member) -> [Int] {
        let shared = numbers.map { number in
            zip(member.inner.reversed(), other(number).inner.reversed()).prefix { $0 == $1 }.count
        }
        return zip(numbers, shared).filter { $0.1 == shared.max() }.map(\.0)
    }
}
