import Testing

@testable import Pipeline

@Suite struct MaskMorphologyTests {
    /// Against the definition: some pixel, or all pixels, of the square around each.
    @Test(arguments: denseMasks, [0, 1, 2, 3, 5, 8]) func squares(_ dense: DenseMask, radius: Int) {
        func isSet(_ x: Int, _ y: Int) -> Bool {
            (0..<dense.width).contains(x) && (0..<dense.height).contains(y) && dense.pixels[y * dense.width + x]
        }
        let mask = dense.mask
        let dilated = DenseMask(mask.dilated(by: radius)).pixels
        let eroded = DenseMask(mask.eroded(by: radius)).pixels
        for y in 0..<dense.height {
            for x in 0..<dense.width {
                let square = (y - radius...y + radius).flatMap { row in
                    (x - radius...x + radius).map { isSet($0, row) }
                }
                #expect(dilated[y * dense.width + x] == square.contains(true))
                #expect(eroded[y * dense.width + x] == square.allSatisfy { $0 })
            }
        }
    }
}
