import Foundation

/// The parts of an image that automatic mask generation looks at: the whole, then layers of 2 x 2, 4 x 4, … overlapping parts.
struct ImageCrops {
    struct Crop: Sendable, Hashable {
        var box: BoundingBox
        var layer: Int
    }

    let crops: [Crop]

    /// - Parameter overlap: of the first layer's crops, as a share of the image's shorter side; halved with every layer.
    init(width: Int, height: Int, layers: Int, overlap: Double) {
        var crops = [Crop(box: BoundingBox(x: 0, y: 0, width: width, height: height), layer: 0)]
        for layer in 1...max(layers, 1) where layer <= layers {
            let count = 1 << layer
            let shared = Int(overlap * Double(min(width, height)) * (2 / Double(count)))
            let cropWidth = Self.length(width, count, shared)
            let cropHeight = Self.length(height, count, shared)
            for column in 0..<count {
                for row in 0..<count {
                    let x = column * (cropWidth - shared)
                    let y = row * (cropHeight - shared)
                    let box = BoundingBox(
                        x: x, y: y, width: min(cropWidth, width - x), height: min(cropHeight, height - y))
                    // An image of few pixels leaves nothing for some.
                    if box.width > 0, box.height > 0 { crops.append(Crop(box: box, layer: layer)) }
                }
            }
        }
        self.crops = crops
    }

    private static func length(_ total: Int, _ count: Int, _ overlap: Int) -> Int {
        Int((Double(overlap * (count - 1) + total) / Double(count)).rounded(.up))
    }
}
