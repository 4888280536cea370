/// The picture for people: heat over the photograph's luminance, the region outlined, a legend below.
public enum Overlay {
    /// Renders a picture as wide as the photograph, and higher by its legend. Photographs with a side below 64 pixels
    /// get none.
    ///
    /// - Parameters:
    ///   - image: the photograph as it is looked at.
    ///   - heatMap: numbers of 0...1 for its pixels.
    ///   - region: the pixels to outline, white inside and black outside, so that the line shows on any ground.
    ///   - title: what the legend is headed with, where there is room; capitals, digits and `. , - % : /` are drawn.
    /// - Throws: `RasterError.differentSizes` unless all three have the same size.
    public static func render(
        _ image: RGBImage, heatMap: FloatMap, region: BinaryMask? = nil, title: String = ""
    ) throws(RasterError) -> RGBImage {
        try check("the heat map", heatMap.width, heatMap.height, image)
        if let region { try check("the region", region.width, region.height, image) }
        let legend = Legend(below: image, title: title)
        let height = image.height + (legend?.height ?? 0)

        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * image.width * height)
        blend(heatMap, over: image, into: &pixels)
        if let region { outline(region, in: &pixels) }
        if let legend { pixels += legend.drawn() }
        return RGBImage(uncheckedWidth: image.width, height: height, pixels: pixels)
    }

    private static func check(
        _ what: String, _ width: Int, _ height: Int, _ image: RGBImage
    ) throws(RasterError) {
        guard width == image.width, height == image.height else {
            throw .differentSizes(
                what: what, width: width, height: height, wantedWidth: image.width, wantedHeight: image.height)
        }
    }

    /// Colour takes a larger share where there is more heat, so that the photograph stays readable elsewhere.
    private static func blend(_ heatMap: FloatMap, over image: RGBImage, into pixels: inout [UInt8]) {
        let table = (0...255).map { level in
            let heat = Float(level) / 255
            let share = 0.45 + 0.3 * heat
            let (red, green, blue) = ColorMap.color(heat)
            return (
                luminance: UInt32(((1 - share) * 256).rounded()), red: UInt32((share * 256 * Float(red)).rounded()),
                green: UInt32((share * 256 * Float(green)).rounded()),
                blue: UInt32((share * 256 * Float(blue)).rounded())
            )
        }
        image.pixels.withUnsafeBufferPointer { photograph in
            for (index, value) in heatMap.values.enumerated() {
                let entry = table[Int((value > 0 ? min(value, 1) : 0) * 255 + 0.5)]
                let place = 3 * index
                // Luma of BT.601 in parts of 256.
                let luma =
                    (77 * UInt32(photograph[place]) + 150 * UInt32(photograph[place + 1])
                        + 29 * UInt32(photograph[place + 2])) >> 8
                let grey = entry.luminance * luma
                pixels.append(UInt8(min((grey + entry.red) >> 8, 255)))
                pixels.append(UInt8(min((grey + entry.green) >> 8, 255)))
                pixels.append(UInt8(min((grey + entry.blue) >> 8, 255)))
            }
        }
    }

    private static func outline(_ region: BinaryMask, in pixels: inout [UInt8]) {
        let (width, height) = (region.width, region.height)
        let thickness = max(1, min(width, height) / 300)
        let outer = region.grown(by: thickness)
        let outside = BinaryMask(uncheckedWidth: width, height: height, values: region.values.map { !$0 })
        let inner = outside.grown(by: thickness)
        for y in 0..<height {
            let isAtEdge = y < thickness || y >= height - thickness
            for x in 0..<width {
                let index = y * width + x
                let level: UInt8
                if region.values[index] {
                    guard inner.values[index] || isAtEdge || x < thickness || x >= width - thickness else { continue }
                    level = 255
                } else {
                    guard outer.values[index] else { continue }
                    level = 0
                }
                pixels[3 * index] = level
                pixels[3 * index + 1] = level
                pixels[3 * index + 2] = level
            }
        }
    }
}
