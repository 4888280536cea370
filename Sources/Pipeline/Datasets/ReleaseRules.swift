import Foundation

/// How the files of a published collection are told apart and paired.
struct ReleaseRules: Sendable {
    typealias File = FileTree.File

    enum Part: Sendable, Hashable {
        case authentic
        case manipulated
        case mask
        case unused(Dataset.Skipped.Reason)
    }

    /// What the layout looks like, for messages.
    let wanted: String
    /// What folders say of the files in them: the innermost of these names counts. Lower case.
    var places: [String: Part] = [:]
    /// What a file is, from the part that its folder says.
    var part: @Sendable (_ file: File, _ place: Part?) -> Part? = { $1 }
    var maskRule = Dataset.MaskRule.above(127)
    /// What an image pairs by, in order of preference.
    var imageKeys: @Sendable (File) -> [String] = { [$0.stem] }
    /// What a mask pairs by, in order of preference.
    var maskKeys: @Sendable (File) -> [String] = { StemSuffix.keys($0.stem) }
    /// Whether pairs share the folders above the one that says what a file is.
    var isScopedByParent = false
    /// Whether pairs lie in one folder.
    var isScopedByFolder = false
    /// Whether folders below the one that says what a file is must agree.
    var comparesInnerFolders = true
    var manipulation: @Sendable (File) -> Dataset.Manipulation? = { _ in nil }
    /// Whether these files are the collection's.
    let matches: @Sendable (FileTree) -> Bool

    func read(_ tree: FileTree) -> DatasetContents {
        var contents = DatasetContents(skipped: tree.skipped)
        var (images, masks): ([MaskPairing.Member], [MaskPairing.Member]) = ([], [])
        for file in tree.files {
            let place = place(of: file)
            guard let part = part(file, place?.part) else {
                contents.skip(file.path, .notPartOfLayout)
                continue
            }
            if case .unused(let reason) = part {
                contents.skip(file.path, reason)
                continue
            }
            if let problem = FileHeader.problem(file.url) {
                contents.skip(file.path, problem)
                continue
            }
            switch part {
            case .authentic:
                contents.samples.append(.init(name: file.path, image: file.url, truth: .authentic))
            case .manipulated: images.append(member(file, imageKeys(file), place?.depth))
            case .mask: masks.append(member(file, maskKeys(file), place?.depth))
            case .unused: break
            }
        }
        let pairing = MaskPairing(images: images, masks: masks)
        contents.skipped += pairing.skipped
        contents.samples += pairing.pairs.map { image, mask in
            .init(
                name: image.path, image: image.url, truth: .mask(mask.url, maskRule),
                manipulation: manipulation(image))
        }
        return contents
    }

    private func member(_ file: File, _ keys: [String], _ depth: Int?) -> MaskPairing.Member {
        let folders = file.folders.map { $0.lowercased() }
        if isScopedByFolder { return .init(file: file, keys: keys, scope: file.folders, inner: []) }
        return .init(
            file: file, keys: keys, scope: isScopedByParent ? Array(file.folders.prefix(depth ?? 0)) : [],
            inner: comparesInnerFolders ? depth.map { Array(folders[($0 + 1)...]) } ?? folders : [])
    }

    /// The innermost folder that says something, and how many are above it.
    private func place(of file: File) -> (part: Part, depth: Int)? {
        for (depth, folder) in file.folders.enumerated().reversed() {
            if let part = places[folder.lowercased()] { return (part, depth) }
        }
        return nil
    }
}

/// The endings by which releases tell a mask's name from its image's.
enum StemSuffix {
    /// The stem, then what is left of it without `_gt` (a digit may follow), `_mask`, `_edgemask` or `forged`.
    static func keys(_ stem: String) -> [String] {
        guard
            let range = stem.range(
                of: "(_gt[0-9]?|_mask|_edgemask|forged)$", options: [.regularExpression, .caseInsensitive]),
            range.lowerBound > stem.startIndex
        else { return [stem] }
        return [stem, String(stem[..<range.lowerBound])]
    }

    static func isGroundTruth(_ stem: String) -> Bool { matches(stem, "._gt[0-9]?$") }

    static func matches(_ stem: String, _ pattern: String) -> Bool {
        stem.range(of: pattern, options: [.regularExpression, .caseInsensitive]) != nil
    }

    /// The last digits of a stem.
    static func number(_ stem: String) -> [String] {
        stem.range(of: "[0-9]+(?=[^0-9]*$)", options: .regularExpression).map { [String(stem[$0])] } ?? []
    }
}
