import TestSupport
import Testing

@testable import Pipeline

@Suite struct OverlayTests {
    private func flat(_ width: Int, _ height: Int, _ level: UInt8 = 128) throws -> RGBImage {
        try RGBImage(width: width, height: height, pixels: [UInt8](repeating: level, count: 3 * width * height))
    }

    private func map(_ width: Int, _ height: Int, _ value: Float) throws -> FloatMap {
        try FloatMap(width: width, height: height, values: [Float](repeating: value, count: width * height))
    }

    /// The first and the last colour of inferno as matplotlib lists them; between them its colours of entries 64 and 128
    /// (0.341500, 0.062325, 0.429425) and (0.735683, 0.215906, 0.330245).
    @Test func colors() {
        #expect(ColorMap.color(0) == (0, 0, 4))
        #expect(ColorMap.color(1) == (252, 255, 164))
        #expect(ColorMap.color(-1) == (0, 0, 4) && ColorMap.color(.nan) == (0, 0, 4))
        #expect(ColorMap.color(.infinity) == (252, 255, 164))
        for (entry, red, green, blue) in [(64, 0.341500, 0.062325, 0.429425), (128, 0.735683, 0.215906, 0.330245)] {
            let color = ColorMap.color(Float(entry) / 255)
            #expect(abs(Double(color.red) - 255 * red) <= 6)
            #expect(abs(Double(color.green) - 255 * green) <= 6)
            #expect(abs(Double(color.blue) - 255 * blue) <= 6)
        }
    }

    /// Brightness must rise with the value, so that the map can be read in grey.
    @Test func colorsGetLighter() {
        let luma = (0...255).map { level -> Double in
            let (red, green, blue) = ColorMap.color(Float(level) / 255)
            return 0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)
        }
        for (darker, lighter) in zip(luma, luma.dropFirst(8)) { #expect(darker < lighter) }
    }

    @Test(arguments: [(1, 1), (40000, 8), (63, 200), (200, 63)])
    func smallPicturesHaveNoLegend(width: Int, height: Int) throws {
        let overlay = try Overlay.render(flat(width, height), heatMap: map(width, height, 0.5))
        #expect(overlay.width == width && overlay.height == height)
    }

    /// The legend's height is a fixed part of the shorter side, from thumbnails to large photographs.
    @Test(arguments: [(200, 150), (64, 64), (1200, 900), (900, 1200)])
    func legendsGrowWithThePicture(width: Int, height: Int) throws {
        let overlay = try Overlay.render(flat(width, height), heatMap: map(width, height, 0.5), title: "HEAT 0-1")
        let legend = overlay.height - height
        #expect(overlay.width == width)
        #expect(legend >= 20 && legend <= max(40, min(width, height) / 5))
        // All colours are there, from the first to the last, in the bar's rows.
        let rows = (height..<overlay.height).filter { y in
            let x = 4 * max(1, min(width, height) / 320)
            return overlay[x, y] == (0, 0, 4) && overlay[width - 1 - x, y] == (252, 255, 164)
        }
        #expect(rows.count == 8 * max(1, min(width, height) / 320))
        // Numbers below the bar: something bright on the ground.
        let below = ((rows.last ?? 0) + 1)..<overlay.height
        #expect(below.contains { y in (0..<width / 4).contains { overlay[$0, y].red > 200 } })
        #expect(below.contains { y in (3 * width / 4..<width).contains { overlay[$0, y].red > 200 } })
    }

    @Test func hotPixelsAreLighterAndThePhotographShowsThrough() throws {
        var heat = try map(100, 100, 0)
        heat.values[50 * 100 + 50] = 1
        let dark = try Overlay.render(flat(100, 100, 40), heatMap: heat)
        let light = try Overlay.render(flat(100, 100, 220), heatMap: heat)
        #expect(dark[50, 50].red > dark[10, 10].red + 60)
        #expect(light[10, 10].red > dark[10, 10].red + 60)
        #expect(light[50, 50].red > dark[50, 50].red)
    }

    /// White just inside the region, black just outside, also where the region meets the picture's edge.
    @Test func theOutlineHasTwoTones() throws {
        let region = Mask(width: 60, height: 40) { x, y in x >= 20 && (10..<30).contains(y) }
        let overlay = try Overlay.render(flat(60, 40), heatMap: map(60, 40, 0.5), regions: [region])
        let ground = overlay[5, 5]
        for (x, y, level) in [
            (20, 20, 255), (19, 20, 0), (40, 10, 255), (40, 9, 0), (40, 29, 255), (40, 30, 0), (59, 20, 255),
            (19, 9, 0),
        ] {
            #expect(overlay[x, y] == (UInt8(level), UInt8(level), UInt8(level)), "(\(x), \(y))")
        }
        #expect(overlay[40, 20] == ground)
        #expect(overlay[18, 20] == ground)
    }

    @Test func sizesMustAgree() throws {
        let image = try flat(4, 3)
        #expect(throws: RasterError.self) { try Overlay.render(image, heatMap: map(3, 4, 0)) }
        let region = Mask(width: 1, height: 12) { _, _ in true }
        #expect(throws: RasterError.self) { try Overlay.render(image, heatMap: map(4, 3, 0), regions: [region]) }
    }

    /// Thick in black and white around the best region, thin around the other; numbers inside, apart from each other.
    @Test func runnersUpAreThinnerAndNumbered() throws {
        let (width, height) = (1400, 1200)
        let regions = [
            Mask(width: width, height: height) { x, y in (200..<700).contains(x) && (200..<700).contains(y) },
            Mask(width: width, height: height) { x, y in (100..<1300).contains(x) && (100..<800).contains(y) },
            Mask(width: width, height: height),
        ]
        let plain = try Overlay.render(flat(width, height), heatMap: map(width, height, 0.5))
        let overlay = try Overlay.render(
            flat(width, height), heatMap: map(width, height, 0.5), regions: Array(regions.prefix(2)))
        func thickness(_ columns: Range<Int>, row: Int) -> Int {
            columns.count { overlay[$0, row] != plain[$0, row] }
        }
        #expect(thickness(180..<220, row: 450) == 12)
        #expect(thickness(80..<120, row: 450) == 4)
        #expect(overlay[200, 450] == (255, 255, 255) && overlay[199, 450] == (0, 0, 0))
        #expect(overlay[100, 450].blue > 200 && overlay[100, 450].red < 150)

        let numbered = try Overlay.render(
            flat(width, height), heatMap: map(width, height, 0.5), regions: Array(regions.prefix(2)), isNumbered: true)
        let changed = Mask(width: width, height: height) { x, y in numbered[x, y] != overlay[x, y] }
        let plates = changed.dilated(by: 10).components().map(\.boundingBox).sorted { $0.x < $1.x }
        try #require(plates.count == 2)
        // The first in the middle of its square, the other where it covers neither line nor number.
        #expect(abs(plates[0].x + plates[0].width / 2 - 450) < 20 && abs(plates[0].y + plates[0].height / 2 - 450) < 20)
        #expect(plates[1].x > 700 && plates[1].right < 1300)
        // A region without pixels has neither line nor number.
        #expect(
            try Overlay.render(
                flat(width, height), heatMap: map(width, height, 0.5), regions: [regions[2]], isNumbered: true) == plain
        )
    }

    /// Against the definition: some set pixel within the square.
    @Test(arguments: [0, 1, 3]) func growing(radius: Int) throws {
        var generator = SplitMix64(state: 3)
        let mask = try BinaryMask(
            width: 17, height: 12, values: (0..<204).map { _ in Int.random(in: 0..<20, using: &generator) == 0 })
        let grown = mask.grown(by: radius)
        for y in 0..<12 {
            for x in 0..<17 {
                let wanted = (max(0, y - radius)...min(11, y + radius)).contains { row in
                    (max(0, x - radius)...min(16, x + radius)).contains { mask[$0, row] }
                }
                #expect(grown[x, y] == wanted)
            }
        }
    }

    @Test func lettersAreFiveBySeven() {
        for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.,-%:/" {
            let rows = BitmapFont.rows(of: letter)
            #expect(rows.count == BitmapFont.height && rows.allSatisfy { $0 < 32 })
        }
        #expect(BitmapFont.rows(of: "ß").isEmpty)
        #expect(BitmapFont.width(of: "0.5") == 17 && BitmapFont.width(of: "") == 0)
    }
}
