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

        var pixels = blended(image, heatMap, capacity: 3 * image.width * height)
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
            image.pixels.withUnsafeBufferPointer { photograph in
                heatMap.values.withUnsafeBufferPointer { heat in
                    colors.withUnsafeBufferPointer { colors in
                        for index in 0..<heat.count {
                            let color = colors[ColorMap.level(heat[index])]
                            let place = 3 &* index
                            // Luma of BT.601 in parts of 256.
                            let luma =
                                (77 &* UInt32(photograph[place]) &+ 150 &* UInt32(photograph[place &+ 1])
                                    &+ 29 &* UInt32(photograph[place &+ 2])) >> 8
                            let grey = color.luma &* luma
                            pixels[place] = UInt8(truncatingIfNeeded: min((grey &+ color.red) >> 8, 255))
                            pixels[place &+ 1] = UInt8(truncatingIfNeeded: min((grey &+ color.green) >> 8, 255))
                            pixels[place &+ 2] = UInt8(truncatingIfNeeded: min((grey &+ color.blue) >> 8, 255))
                        }
                    }
                }
            }
            count = image.pixels.count
        }
    }

    private static func outline(_ region: BinaryMask, in pixels: inout [UInt8]) {
        let (width, height) = (region.width, region.height)
        let thickness = max(1, min(width, height) / 300)
        let outer = region.grown(by: thickness)
        let inner = BinaryMask(uncheckedWidth: width, height: height, values: region.values.map { !$0 })
            .grown(by: thickness)
        func draw(_ index: Int, _ level: UInt8) {
            pixels[3 * index] = level
            pixels[3 * index + 1] = level
            pixels[3 * index + 2] = level
        }
        region.values.withUnsafeBufferPointer { inside in
            outer.values.withUnsafeBufferPointer { outer in
                inner.values.withUnsafeBufferPointer { inner in
                    for y in 0..<height {
                        let isAtEdge = y < thickness || y >= height - thickness
                        for x in 0..<width {
                            let index = y &* width &+ x
                            guard inside[index] else {
                                if outer[index] { draw(index, 0) }
                                continue
                            }
                            if inner[index] || isAtEdge || x < thickness || x >= width - thickness { draw(index, 255) }
                        }
                    }
                }
            }
        }
    }
}
