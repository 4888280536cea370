import Testing

@testable import Pipeline

@Suite struct SAMPromptTests {
    @Test(arguments: Orientation.allCases) func promptsFollowThePhotoAsItIsLookedAt(_ orientation: Orientation) throws {
        let pixels = (0..<35).flatMap { index -> [UInt8] in [UInt8(index), 0, 0] }
        let stored = try RGBImage(width: 7, height: 5, pixels: pixels)
        let shown = stored.oriented(orientation)
        for y in 0..<shown.height {
            for x in 0..<shown.width {
                let prompt = SAMPrompt(
                    points: [.init(x: Double(x), y: Double(y), isForeground: false)],
                    box: .init(x: Double(x), y: Double(y), width: 1, height: 1)
                ).stored(orientation, storedWidth: 7, storedHeight: 5)
                let point = prompt.points[0]
                #expect(stored[Int(point.x), Int(point.y)].red == shown[x, y].red && !point.isForeground)
                let box = BoundingBox(x: Int(prompt.box?.x ?? -1), y: Int(prompt.box?.y ?? -1), width: 1, height: 1)
                #expect(
                    box.oriented(orientation, storedWidth: 7, storedHeight: 5)
                        == BoundingBox(x: x, y: y, width: 1, height: 1))
                #expect(prompt.box?.width == 1 && prompt.box?.height == 1)
            }
        }
    }

    @Test func promptsAreCutToTheImage() throws {
        let prompt = try SAMPrompt(box: .init(x: -5, y: 2, width: 200, height: 3)).clipped(width: 100, height: 50)
        #expect(prompt.box == .init(x: 0, y: 2, width: 100, height: 3))
        #expect(throws: SAMPromptError.empty) { try SAMPrompt(points: []).clipped(width: 9, height: 9) }
        for (x, y) in [(-1, 0), (9, 0), (0, 9), (.nan, 0), (0, .infinity)] as [(Double, Double)] {
            let error = #expect(throws: SAMPromptError.self) {
                try SAMPrompt(points: [.init(x: x, y: y)]).clipped(width: 9, height: 9)
            }
            #expect(error?.description.contains("9 × 9") == true)
        }
        for box in [(10, 0, 5, 5), (-5, 0, 5, 5), (0, 0, 0, 5), (0, 0, .nan, 5), (0, 3, 5, -1)]
            as [(Double, Double, Double, Double)]
        {
            #expect(throws: SAMPromptError.self) {
                try SAMPrompt(box: .init(x: box.0, y: box.1, width: box.2, height: box.3)).clipped(width: 9, height: 9)
            }
        }
        #expect(throws: SAMPromptError.self) {
            try SAMPrompt(points: Array(repeating: .init(x: 1, y: 1), count: 100)).clipped(width: 9, height: 9)
        }
    }

    @Test func ambiguity() {
        #expect(SAMPrompt(points: [.init(x: 1, y: 1)]).isAmbiguous)
        #expect(!SAMPrompt(points: [.init(x: 1, y: 1), .init(x: 2, y: 1)]).isAmbiguous)
        #expect(!SAMPrompt(box: .init(BoundingBox(x: 1, y: 2, width: 3, height: 4))).isAmbiguous)
    }
}
