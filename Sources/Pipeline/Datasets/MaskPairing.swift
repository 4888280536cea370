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
        /// The innermost folder; empty for none, nil for any.
        let folder: String?
    }

    private(set) var pairs: [(image: File, mask: File)] = []
    private(set) var skipped: [Dataset.Skipped] = []

    init(images: [Member], masks: [Member]) {
        var index: [Key: [(mask: Int, preference: Int)]] = [:]
        for (number, mask) in masks.enumerated() {
            for (preference, key) in mask.keys.enumerated() {
                for folder in [nil, mask.inner.last ?? ""] {
                    index[Key(scope: mask.scope, text: key, folder: folder), default: []].append((number, preference))
                }
            }
        }
        func candidates(_ image: Member, _ key: String) -> [(mask: Int, preference: Int)] {
            let folders = image.inner.last.map { [$0, ""] as [String?] } ?? [nil]
            return folders.flatMap { index[Key(scope: image.scope, text: key, folder: $0)] ?? [] }
        }
        var seen = Set<Int>()
        var claims: [Int: [Int]] = [:]
        for (number, image) in images.enumerated() {
            let found =
                image.keys.lazy.map { candidates(image, $0).filter { Self.agree(image.inner, masks[$0.mask].inner) } }
                .first { !$0.isEmpty } ?? []
            seen.formUnion(found.map(\.mask))
            let preference = found.map(\.preference).min()
            let best = Self.closest(
                to: image, among: found.filter { $0.preference == preference }.map(\.mask)
            ) { masks[$0] }
            switch best.count {
            case 0: skip(image.file, .noMask(stems: image.keys))
            case 1: claims[best[0], default: []].append(number)
            default: skip(image.file, .duplicateStem(others: Self.named(best.map { masks[$0].file.path })))
            }
        }
        for (mask, claimants) in claims {
            let best = Self.closest(to: masks[mask], among: claimants) { images[$0] }
            if best.count == 1 { pairs.append((images[best[0]].file, masks[mask].file)) }
            let names = Self.named(claimants.map { images[$0].file.path }, atMost: Self.namedAtMost + 1)
            for image in claimants where best != [image] {
                let file = images[image].file
                skip(file, .duplicateStem(others: Array(names.filter { $0 != file.path }.prefix(Self.namedAtMost))))
            }
            if best.count > 1 {
                skip(masks[mask].file, .duplicateStem(others: Array(names.prefix(Self.namedAtMost))))
            }
        }
        for (number, mask) in masks.enumerated() where claims[number] == nil {
            guard seen.contains(number) else {
                skip(mask.file, .maskWithoutImage)
                continue
            }
            let rivals = Set(
                mask.keys.flatMap { index[Key(scope: mask.scope, text: $0, folder: nil)] ?? [] }.map(\.mask))
            skip(
                mask.file,
                .duplicateStem(others: Self.named(rivals.filter { $0 != number }.map { masks[$0].file.path })))
        }
    }

    /// How many others a reason names: of a thousand files of one stem, a thousand reasons would name a million.
    private static let namedAtMost = 4

    private static func named(_ paths: [String], atMost count: Int = namedAtMost) -> [String] {
        Array(paths.sorted().prefix(count))
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
        let most = shared.max()
        return zip(numbers, shared).filter { $0.1 == most }.map(\.0)
    }
}
