import Foundation
import Testing

@testable import Pipeline

/// Each published collection in miniature, as its release lies on the disk.
@Suite struct DatasetLayoutTests {
    private let files: MiniatureDataset

    init() throws { files = try MiniatureDataset() }

    @Test func casia2() throws {
        try files.images(
            "CASIA2/Au/Au_ani_00001.jpg", "CASIA2/Au/Au_ani_00002.bmp", "CASIA2/Tp/Tp_D_CNN_M_N_ani1_2_1.tif",
            "CASIA2/Tp/Tp_S_NNN_S_N_arc3_3_2.jpg", "CASIA2/Tp/Tp_D_NRN_lost.jpg")
        try files.masks(
            "CASIA 2 Groundtruth/Tp_D_CNN_M_N_ani1_2_1_gt.png", "CASIA 2 Groundtruth/Tp_S_NNN_S_N_arc3_3_2_gt3.png",
            "CASIA 2 Groundtruth/Tp_D_nobody_gt.png")
        try files.text("x", "CASIA2/Tp/Thumbs.db")
        try files.text("x", "readme.txt")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .casia2)
        #expect(
            dataset.summary == [
                "CASIA2/Au/Au_ani_00001.jpg authentic", "CASIA2/Au/Au_ani_00002.bmp authentic",
                "CASIA2/Tp/Tp_D_CNN_M_N_ani1_2_1.tif CASIA 2 Groundtruth/Tp_D_CNN_M_N_ani1_2_1_gt.png splice",
                "CASIA2/Tp/Tp_S_NNN_S_N_arc3_3_2.jpg CASIA 2 Groundtruth/Tp_S_NNN_S_N_arc3_3_2_gt3.png copy-move",
            ])
        #expect(dataset.rules == [.above(127)])
        #expect(
            dataset.reasons == [
                "CASIA2/Tp/Tp_D_NRN_lost.jpg": .noMask(stems: ["Tp_D_NRN_lost"]),
                "CASIA 2 Groundtruth/Tp_D_nobody_gt.png": .maskWithoutImage,
                "CASIA2/Tp/Thumbs.db": .unknownFormat(name: nil), "readme.txt": .notPartOfLayout,
            ])
    }

    @Test(arguments: ["Tp", "Modified Tp/Tp"]) func casia1(_ tampered: String) throws {
        try files.images("Au/Au_a.jpg", "\(tampered)/CM/Sp_S_a_1.jpg", "\(tampered)/Sp/Sp_D_a_2.jpg")
        // One file of each folder has the other's stem: the folder decides.
        try files.images("\(tampered)/CM/Sp_S_twice.jpg", "\(tampered)/Sp/Sp_S_twice.jpg")
        try files.masks(
            "CASIA 1.0 groundtruth/CM/Sp_S_a_1_gt.png", "CASIA 1.0 groundtruth/Sp/Sp_D_a_2_gt.png",
            "CASIA 1.0 groundtruth/CM/Sp_S_twice_gt.png", "CASIA 1.0 groundtruth/Sp/Sp_S_twice_gt.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .casia1 && dataset.rules == [.above(0)] && dataset.skipped.isEmpty)
        #expect(
            dataset.summary == [
                "Au/Au_a.jpg authentic",
                "\(tampered)/CM/Sp_S_a_1.jpg CASIA 1.0 groundtruth/CM/Sp_S_a_1_gt.png copy-move",
                "\(tampered)/CM/Sp_S_twice.jpg CASIA 1.0 groundtruth/CM/Sp_S_twice_gt.png copy-move",
                "\(tampered)/Sp/Sp_D_a_2.jpg CASIA 1.0 groundtruth/Sp/Sp_D_a_2_gt.png splice",
                "\(tampered)/Sp/Sp_S_twice.jpg CASIA 1.0 groundtruth/Sp/Sp_S_twice_gt.png splice",
            ])
    }

    @Test func columbia() throws {
        try files.images(
            "4cam_auth/canong3_01.tif", "4cam_splc/canong3_canonxt_sub_01.tif",
            "4cam_auth/edgemask/canong3_01_edgemask.jpg", "4cam_splc/edgemask/canong3_canonxt_sub_01_edgemask.jpg")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .columbia && dataset.rules == [.greenAbove(120)])
        #expect(
            dataset.summary == [
                "4cam_auth/canong3_01.tif authentic",
                "4cam_splc/canong3_canonxt_sub_01.tif 4cam_splc/edgemask/canong3_canonxt_sub_01_edgemask.jpg splice",
            ])
        #expect(dataset.reasons == ["4cam_auth/edgemask/canong3_01_edgemask.jpg": .maskOfAuthenticImage])
    }

    @Test func coverage() throws {
        try files.images("image/1.tif", "image/1t.tif", "image/10t.tif", "image/notes.tif")
        try files.masks(
            "mask/1forged.tif", "mask/1copy.tif", "mask/1paste.tif", "mask/10forged.tif", "mask/11forged.tif")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .coverage && dataset.rules == [.above(127)])
        #expect(
            dataset.summary == [
                "image/1.tif authentic", "image/10t.tif mask/10forged.tif copy-move",
                "image/1t.tif mask/1forged.tif copy-move",
            ])
        #expect(
            dataset.reasons == [
                "image/notes.tif": .notPartOfLayout, "mask/1copy.tif": .otherMask, "mask/1paste.tif": .otherMask,
                "mask/11forged.tif": .maskWithoutImage,
            ])
    }

    @Test func nist16() throws {
        try files.images(
            "NC2016/probe/NC2016_1.JPG", "NC2016/probe/NC2016_2.jpg", "NC2016/probe/NC2016_3.jpg",
            "NC2016/probe/NC2016_4.jpg", "NC2016/probe/unlisted.jpg", "NC2016/world/NC2016_5.jpg")
        try files.masks(
            "NC2016/reference/manipulation/mask/NC2016_1.png", "NC2016/reference/manipulation/mask/other.png")
        try files.text(
            """
            TaskID|ProbeFileID|ProbeFileName|ProbeMaskFileName|IsTarget|IsManipulationTypeSplice|IsManipulationTypeCopyClone\r
            manipulation|1|probe/NC2016_1.jpg|reference/manipulation/mask/NC2016_1.png|Y|N|Y\r
            manipulation|2|probe/NC2016_2.jpg||N|N|N\r
            manipulation|3|probe/NC2016_3.jpg|reference/manipulation/mask/lost.png|Y|Y|N\r
            manipulation|4|probe/NC2016_4.jpg||Y|Y|N\r
            manipulation|1|probe/NC2016_1.jpg|reference/manipulation/mask/NC2016_1.png|Y|N|Y\r
            manipulation|6|probe/lost.jpg||N|N|N\r
            manipulation\r

            """, "NC2016/reference/manipulation/NC2016-manipulation-ref.csv")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .nist16 && dataset.rules == [.blackIsTampered])
        #expect(
            dataset.summary == [
                "NC2016/probe/NC2016_1.JPG NC2016/reference/manipulation/mask/NC2016_1.png copy-move",
                "NC2016/probe/NC2016_2.jpg authentic", "NC2016/world/NC2016_5.jpg authentic",
            ])
        let table = "NC2016/reference/manipulation/NC2016-manipulation-ref.csv"
        #expect(
            dataset.reasons == [
                "NC2016/probe/NC2016_3.jpg": .missing(path: "reference/manipulation/mask/lost.png"),
                "NC2016/probe/NC2016_4.jpg": .noMask(stems: []), "\(table):6": .duplicate,
                "\(table):7": .missing(path: "probe/lost.jpg"), "\(table):8": .badRow(reason: "no probe is named"),
                "NC2016/probe/unlisted.jpg": .notPartOfLayout,
                "NC2016/reference/manipulation/mask/other.png": .maskWithoutImage,
            ])
    }

    @Test func imd2020() throws {
        try files.images("1a/1a_orig.jpg", "1a/c8_0.png", "1a/c8_1.JPG", "2b/2b_orig.jpg", "2b/c8_0.png", "2b/lost.jpg")
        try files.masks("1a/c8_0_mask.png", "1a/c8_1_mask.png", "2b/c8_0_mask.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .imd2020 && dataset.rules == [.above(127)])
        #expect(
            dataset.summary == [
                "1a/1a_orig.jpg authentic", "1a/c8_0.png 1a/c8_0_mask.png", "1a/c8_1.JPG 1a/c8_1_mask.png",
                "2b/2b_orig.jpg authentic", "2b/c8_0.png 2b/c8_0_mask.png",
            ])
        #expect(dataset.reasons == ["2b/lost.jpg": .noMask(stems: ["lost"])])
    }

    @Test func cocoGlide() throws {
        try files.images(
            "real/airplane_7.png", "real/dining table_114871.png", "fake/glide_inpainting_val2017_114871_up.png",
            "fake/airplane_7.png", "fake/glide_inpainting_val2017_9_up.png")
        try files.masks("mask/dining table_114871_mask.png", "mask/airplane_7_mask.png", "mask/cat_19_mask.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .cocoglide)
        #expect(
            dataset.summary == [
                "fake/airplane_7.png mask/airplane_7_mask.png",
                "fake/glide_inpainting_val2017_114871_up.png mask/dining table_114871_mask.png",
                "real/airplane_7.png authentic", "real/dining table_114871.png authentic",
            ])
        #expect(dataset.reasons["mask/cat_19_mask.png"] == .maskWithoutImage)
        #expect(dataset.skipped.count == 2)
    }

    @Test func dso1() throws {
        try files.images(
            "DSO-1/normal-01.png", "DSO-1/splicing-01.png", "DSO-1/splicing-02.png", "DSI-1/splicing-02.png")
        try files.masks("DSO-1-Fake-Images-Masks/splicing-01.png", "DSO-1-Fake-Images-Masks/splicing-02.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .dso1 && dataset.rules == [.blackIsTampered])
        #expect(
            dataset.summary == [
                "DSO-1/normal-01.png authentic", "DSO-1/splicing-01.png DSO-1-Fake-Images-Masks/splicing-01.png splice",
                "DSO-1/splicing-02.png DSO-1-Fake-Images-Masks/splicing-02.png splice",
            ])
        #expect(dataset.reasons == ["DSI-1/splicing-02.png": .notPartOfLayout])
    }

    @Test func korus() throws {
        for camera in ["Canon_60D", "Nikon_D90"] {
            try files.images("\(camera)/tampered-realistic/a.TIF", "\(camera)/pristine/a.TIF")
            try files.masks("\(camera)/ground-truth/a.PNG")
        }
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .korus && dataset.rules == [.above(10)] && dataset.skipped.isEmpty)
        #expect(
            dataset.summary == [
                "Canon_60D/pristine/a.TIF authentic", "Canon_60D/tampered-realistic/a.TIF Canon_60D/ground-truth/a.PNG",
                "Nikon_D90/pristine/a.TIF authentic", "Nikon_D90/tampered-realistic/a.TIF Nikon_D90/ground-truth/a.PNG",
            ])
    }

    @Test(arguments: [("Tp", "Gt", "Au"), ("images", "masks", "authentic"), ("TP", "gt", "au")])
    func folder(_ images: String, _ masks: String, _ authentic: String) throws {
        try files.images("\(images)/Sp_D_x.jpg", "\(images)/y.webp", "\(images)/deep/z.PNG", "\(authentic)/a.JPG")
        try files.masks("\(masks)/Sp_D_x_gt.png", "\(masks)/y.png", "\(masks)/deep/z_mask.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.layout == .folder && dataset.skipped.isEmpty && dataset.rules == [.above(127)])
        #expect(
            Set(dataset.summary) == [
                "\(authentic)/a.JPG authentic", "\(images)/Sp_D_x.jpg \(masks)/Sp_D_x_gt.png splice",
                "\(images)/deep/z.PNG \(masks)/deep/z_mask.png", "\(images)/y.webp \(masks)/y.png",
            ])
    }

    @Test func unknownAndAmbiguousFoldersSayWhatWasLookedFor() throws {
        try files.images("holiday/1.jpg")
        let unknown = try #require(throws: DatasetError.self) { try Dataset(files.url) }
        for part in ["casia2: Au and Tp", "4cam_splc", "ref.csv", "list: a JSON"] {
            #expect(unknown.description.contains(part), "\(part)")
        }
        try files.images("4cam_splc/a.tif", "Nikon/tampered-realistic/a.tif")
        try files.masks("4cam_splc/edgemask/a_edgemask.jpg", "Nikon/ground-truth/a.png")
        #expect(throws: DatasetError.ambiguous(files.url.standardizedFileURL.path, [.columbia, .korus])) {
            try Dataset(files.url)
        }
        #expect(try Dataset(files.url, layout: .korus).samples.map(\.name) == ["Nikon/tampered-realistic/a.tif"])
        let wrong = try #require(throws: DatasetError.self) { try Dataset(files.url, layout: .coverage) }
        #expect(wrong.description.contains("mask/Nforged.tif"))
        #expect(throws: DatasetError.notFound(files.folder.path("gone"))) {
            try Dataset(files.url.appending(path: "gone"))
        }
        #expect(throws: DatasetError.listIsFolder(files.url.path)) { try Dataset(files.url, layout: .list) }
    }

    /// The photographs beside the checkout; left out where there are none.
    @Test(.enabled(if: SharedPhotos.areHere, "the photographs of ../shared are not here"))
    func sharedPhotos() throws {
        let dataset = try Dataset(SharedPhotos.folder)
        #expect(dataset.layout == .folder && dataset.samples.count == 140 && dataset.skipped.isEmpty)
        #expect(dataset.samples.filter { $0.manipulation == .splice }.count == 38)
        for sample in dataset.samples where sample.manipulation != nil {
            let image = try ImageFile.load(sample.image).image
            let truth = try dataset.truth(of: sample, width: image.width, height: image.height)
            #expect(truth.resizedFrom == nil && truth.mask.values.contains(true) && truth.warnings.isEmpty)
        }
    }
}

enum SharedPhotos {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../../shared/casia1-dev").standardizedFileURL
    static let areHere = FileManager.default.fileExists(atPath: folder.path)
}
