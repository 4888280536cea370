import Foundation

extension ReleaseRules {
    static subscript(_ layout: Dataset.Layout) -> ReleaseRules {
        switch layout {
        case .casia2: casia2
        case .casia1: casia1
        case .columbia: columbia
        case .coverage: coverage
        case .imd2020: imd2020
        case .cocoglide: cocoGlide
        case .dso1: dso1
        case .korus: korus
        case .folder, .list, .nist16: folder
        }
    }

    /// What a layout looks like, for messages.
    static func wanted(_ layout: Dataset.Layout) -> String {
        switch layout {
        case .nist16: NIST16Table.wanted
        case .list: ListFile.wanted
        default: Self[layout].wanted
        }
    }

    /// Dong, Wang and Tan (2013), version 2; masks by Pham et al. (2019).
    private static let casia2 = ReleaseRules(
        wanted: "Au and Tp with files Tp_D_… and Tp_S_…, masks STEM_gt.png",
        places: ["au": .authentic, "tp": .manipulated],
        part: { file, place in StemSuffix.isGroundTruth(file.stem) ? .mask : place },
        manipulation: { casiaManipulation($0) },
        matches: { tree in
            tree.files.contains { $0.isBelow("tp") && StemSuffix.matches($0.stem, "^tp_[ds]_") }
        })

    private static let casia1 = ReleaseRules(
        wanted: "Au and Tp/CM, Tp/Sp, masks CM/STEM_gt.png and Sp/STEM_gt.png",
        places: ["au": .authentic, "tp": .manipulated],
        part: { file, place in StemSuffix.isGroundTruth(file.stem) ? .mask : place }, maskRule: .above(0),
        manipulation: { $0.isBelow("cm") ? .copyMove : $0.isBelow("sp") ? .splice : casiaManipulation($0) },
        matches: { tree in
            tree.files.contains { file in
                let folders = file.folders.map { $0.lowercased() }
                return zip(folders, folders.dropFirst()).contains { $0 == "tp" && ["cm", "sp"].contains($1) }
                    && StemSuffix.matches(file.stem, "^sp_[ds]_")
            }
        })

    /// Hsu and Chang (2006).
    private static let columbia = ReleaseRules(
        wanted: "4cam_auth and 4cam_splc, masks edgemask/STEM_edgemask.jpg",
        places: ["4cam_auth": .authentic, "4cam_splc": .manipulated],
        part: { file, place in
            guard file.isBelow("edgemask") else { return place }
            return place == .authentic ? .unused(.maskOfAuthenticImage) : .mask
        }, maskRule: .greenAbove(120), manipulation: { _ in .splice },
        matches: { tree in tree.files.contains { $0.isBelow("4cam_splc") || $0.isBelow("4cam_auth") } })

    /// Wen et al. (2016): `mask` also has the copied region (`copy`) and its place in the original (`paste`).
    private static let coverage = ReleaseRules(
        wanted: "image/N.tif and image/Nt.tif, masks mask/Nforged.tif",
        places: ["image": .manipulated, "mask": .mask],
        part: { file, place in
            switch place {
            case .manipulated:
                if StemSuffix.matches(file.stem, "^[0-9]+t$") { return .manipulated }
                return StemSuffix.matches(file.stem, "^[0-9]+$") ? .authentic : nil
            case .mask: return StemSuffix.matches(file.stem, "^[0-9]+forged$") ? .mask : .unused(.otherMask)
            default: return nil
            }
        },
        imageKeys: { [String($0.stem.dropLast())] }, manipulation: { _ in .copyMove },
        matches: { tree in
            tree.files.contains { $0.isBelow("mask") && StemSuffix.matches($0.stem, "^[0-9]+forged$") }
        })

    /// Novozámský, Mahdian and Saic (2020).
    private static let imd2020 = ReleaseRules(
        wanted: "folders with X_orig.jpg, manipulated images beside it, masks STEM_mask.png",
        part: { file, _ in
            if StemSuffix.matches(file.stem, "._orig$") { return .authentic }
            return StemSuffix.matches(file.stem, "._mask$") ? .mask : .manipulated
        }, isScopedByFolder: true,
        matches: { tree in
            let originals = tree.files.filter { StemSuffix.matches($0.stem, "._orig$") }.map(\.folders)
            let masks = tree.files.filter { StemSuffix.matches($0.stem, "._mask$") }.map(\.folders)
            return !Set(originals).isDisjoint(with: masks)
        })

    /// Guillaro et al. (2023): a manipulated file has only the COCO number in common with its mask.
    private static let cocoGlide = ReleaseRules(
        wanted: "real, fake and mask, masks CLASS_NUMBER_mask.png",
        places: ["real": .authentic, "fake": .manipulated, "mask": .mask],
        imageKeys: { [$0.stem] + StemSuffix.number($0.stem) },
        maskKeys: { StemSuffix.keys($0.stem) + StemSuffix.number($0.stem) },
        matches: { tree in ["real", "fake", "mask"].allSatisfy { name in tree.files.contains { $0.isBelow(name) } } })

    /// Carvalho et al. (2013); DSI-1 lies beside it in the same archive.
    private static let dso1 = ReleaseRules(
        wanted: "splicing-N.png and normal-N.png, masks DSO-1-Fake-Images-Masks/splicing-N.png",
        part: { file, _ in
            if file.folders.contains(where: { $0.lowercased().hasPrefix("dsi-1") }) { return nil }
            if StemSuffix.matches(file.stem, "^normal-") { return .authentic }
            guard StemSuffix.matches(file.stem, "^splicing-") else { return nil }
            return file.folders.contains { $0.lowercased().contains("mask") } ? .mask : .manipulated
        }, maskRule: .blackIsTampered,
        comparesInnerFolders: false, manipulation: { _ in .splice },
        matches: { tree in
            tree.files.contains { file in
                StemSuffix.matches(file.stem, "^splicing-")
                    && file.folders.contains { $0.lowercased().contains("fake-images-masks") }
            }
        })

    /// Korus and Huang (2016).
    private static let korus = ReleaseRules(
        wanted: "CAMERA/tampered-realistic, CAMERA/pristine and masks CAMERA/ground-truth",
        places: ["tampered-realistic": .manipulated, "pristine": .authentic, "ground-truth": .mask],
        maskRule: .above(10), isScopedByParent: true,
        matches: { tree in tree.files.contains { $0.isBelow("tampered-realistic") } })

    private static let folder = ReleaseRules(
        wanted: "Tp and Gt (and Au), or images and masks (and authentic)",
        places: [
            "tp": .manipulated, "gt": .mask, "au": .authentic, "images": .manipulated, "masks": .mask,
            "authentic": .authentic,
        ],
        manipulation: { casiaManipulation($0) },
        matches: { tree in
            [["tp", "gt"], ["images", "masks"]].contains { names in
                names.allSatisfy { name in tree.files.contains { $0.isBelow(name) } }
            }
        })

    /// CASIA's names: `D` for a part of a different image, `S` for one of the same.
    private static func casiaManipulation(_ file: File) -> Dataset.Manipulation? {
        if StemSuffix.matches(file.stem, "^(tp|sp)_d_") { return .splice }
        return StemSuffix.matches(file.stem, "^(tp|sp)_s_") ? .copyMove : nil
    }
}

extension FileTree.File {
    /// Whether a folder of that name (lower case) is above the file.
    func isBelow(_ folder: String) -> Bool { folders.contains { $0.lowercased() == folder } }
}
