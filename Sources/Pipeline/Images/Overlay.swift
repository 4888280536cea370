/// The picture for people: heat over the photograph's luminance, the region outlined, a legend below.
public enum Overlay {
    /// Renders a picture as wide as the photograph, and higher by its legend. Photographs with a side below 64 pixels
    /// get none, nor numbers.
    ///
    /// - Parameters:
    ///   - image: the photograph as it is looked at.
    ///   - heatMap: numbers of 0...1 for its pixels.
    ///   - regions: what to outline, best first: the first one strongly, white inside and black outside, so that the line
    ///     shows on any ground; the others thinly.
    ///   - isNumbered: whether each region bears its rank.
    ///   - title: what the legend is headed with, where there is room; capitals, digits and `. , - % : /` are drawn.
    /// - Throws: `RasterError.differentSizes` unless all have the same size.
    public static func render(
        _ image: RGBImage, heatMap: FloatMap, regions: [Mask] = [], isNumbered: Bool = false, title: String = ""
    ) throws(RasterError) -> RGBImage {
        try check("the heat map", heatMap.width, heatMap.height, image)
        for region in regions { try check("the region", region.width, region.height, image) }
        let legend = Legend(below: image, title: title)
        let height = image.height + (legend?.height ?? 0)

        var pixels = blended(image, heatMap, capacity: 3 * image.width * height)
        RegionMarks(width: image.width, height: image.height).draw(regions, isNumbered: isNumbered, in: &pixels)
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
    private static func blended(_ image: RGBImage, _ heatMap: FloatMap, capacity: Int) -> [UInt8] {
        // Parts of 256, so that a pixel takes integers only.
        let colors = (0...255).map { level in
            let heat = Float(level) / 255
            let share = 256 * (0.35 + 0.4 * heat)
            let (red, green, blue) = ColorMap.color(heat)
            return (
                luma: UInt32((256 - share).rounded()), red: UInt32((share * Float(red)).rounded()),
                green: UInt32((share * Float(green)).rounded()), blue: UInt32((share * Float(blue)).rounded())
            )
        }
        return [UInt8](unsafeUninitializedCapacity: capacity) { pixels, count in
            let lines = ConcurrentRows(pixels, width: 3 * image.width)
            forEachConcurrently(count: image.height) { y in
                let line = lines[y]
                image.pixels.withUnsafeBufferPointer { photograph in
                    heatMap.values.withUnsafeBufferPointer { heat in
                        for x in 0..<image.width {
                            let index = y &* image.width &+ x
                            let color = colors[ColorMap.level(heat[index])]
                            let place = 3 &* index
                            // Luma of BT.601 in parts of 256.
                            let luma =
                                (77 &* UInt32(photograph[place]) &+ 150 &* UInt32(photograph[place &+ 1])
                                    &+ 29 &* UInt32(photograph[place &+ 2])) >> 8
                            let grey = color.luma &* luma
                            line[3 &* x] = UInt8(truncatingIfNeeded: min((grey &+ color.red) >> 8, 255))
                            line[3 &* x &+ 1] = UInt8(truncatingIfNeeded: min((grey &+ color.green) >> 8, 255))
                            line[3 &* x &+ 2] = UInt8(truncatingIfNeeded: min((grey &+ color.blue) >> 8, 255))
                        }
                    }
                }
            }
            count = image.pixels.count
        }
    }
}
