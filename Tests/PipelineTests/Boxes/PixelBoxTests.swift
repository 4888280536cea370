import Testing

@testable import Pipeline

@Suite struct PixelBoxTests {
    private typealias Case = (PixelBox, PixelBox?, [PixelBox.Problem])

    @Test func fittedToAnImage() {
        let cases: [Case] = [
            (.init(left: 1, top: 2, right: 9.5, bottom: 8), .init(left: 1, top: 2, right: 9.5, bottom: 8), []),
            (.init(left: 0, top: 0, right: 10, bottom: 8), .init(left: 0, top: 0, right: 10, bottom: 8), []),
            (.init(left: -3, top: 2, right: 40, bottom: 8), .init(left: 0, top: 2, right: 10, bottom: 8), [.clipped]),
            (
                .init(left: 9, top: 8, right: 1, bottom: 2), .init(left: 1, top: 2, right: 9, bottom: 8), [.reversed]
            ),
            (
                .init(left: 12, top: 8, right: 1, bottom: 2), .init(left: 1, top: 2, right: 10, bottom: 8),
                [.reversed, .clipped]
            ),
            (.init(left: 3, top: 2, right: 3, bottom: 8), nil, [.empty]),
            (.init(left: 10, top: 2, right: 12, bottom: 8), nil, [.outside]),
            (.init(left: 1, top: -9, right: 2, bottom: 0), nil, [.outside]),
            (.init(left: .nan, top: 2, right: 3, bottom: 8), nil, [.notANumber]),
            (.init(left: 1, top: 2, right: .infinity, bottom: 8), nil, [.notANumber]),
        ]
        for (box, expected, problems) in cases {
            let fitted = box.fitted(width: 10, height: 8)
            #expect(fitted.box == expected && fitted.problems == problems, "\(box)")
        }
    }

    @Test func pixelsWhoseCentresLieInside() {
        #expect(
            PixelBox(left: 1, top: 2, right: 9, bottom: 8).pixels == BoundingBox(x: 1, y: 2, width: 8, height: 6))
        #expect(
            PixelBox(left: 0.4, top: 0.6, right: 2.4, bottom: 2.6).pixels
                == BoundingBox(x: 0, y: 1, width: 2, height: 2))
        #expect(PixelBox(left: 1.6, top: 0, right: 2.4, bottom: 1).pixels.area == 0)
    }
}
