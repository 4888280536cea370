/// Regions drawn into a picture: the best one outlined strongly, the others thinly, each with its rank.
struct RegionMarks {
    private let width: Int
    private let height: Int
    /// Pixels of a number's dot.
    private let dot: Int
    private let thickness: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        let side = min(width, height)
        dot = max(1, side / 240)
        thickness = max(1, side / 200)
    }

    private typealias Color = (red: UInt8, green: UInt8, blue: UInt8)
    private static let white: Color = (255, 255, 255)
    private static let black: Color = (0, 0, 0)
    /// Of the runners-up: nothing of the heat's colours is near it.
    private static let cyan: Color = (90, 235, 255)

    /// - Parameters:
    ///   - regions: best first.
    ///   - isNumbered: whether ranks are written.
    ///   - pixels: three values for every pixel of the picture.
    func draw(_ regions: [Mask], isNumbered: Bool, in pixels: inout [UInt8]) {
        // The best region last, over the others.
        let rings = mapConcurrently(count: regions.count) { rank in
            let width = rank == 0 ? thickness : max(1, thickness / 3)
            let region = regions[rank]
            return (
                inner: region.subtracting(region.eroded(by: width)),
                // One pixel of two colours would be all of a thin line in a small picture.
                outer: rank == 0 || thickness >= 3 ? region.dilated(by: width).subtracting(region) : nil
            )
        }
        for rank in regions.indices.reversed() {
            if let outer = rings[rank].outer { fill(outer, Self.black, in: &pixels) }
            fill(rings[rank].inner, rank == 0 ? Self.white : Self.cyan, in: &pixels)
        }
        guard isNumbered, min(width, height) >= Legend.smallestSide else { return }
        // Small copies are enough to find places in.
        let step = max(1, min(width, height) / 200)
        var plates: [BoundingBox] = []
        var covered = Mask(width: max(width / step, 1), height: max(height / step, 1))
        for rank in regions.indices where !regions[rank].isEmpty {
            let text = String(rank + 1)
            let copy = regions[rank].resized(width: covered.width, height: covered.height)
            // A region inside or around a better one is recognised by the rest of it.
            let rest = copy.subtracting(covered)
            let plate = plate(for: text, in: rest.isEmpty ? copy : rest, of: regions[rank], besides: plates)
            covered = covered.union(copy)
            plates.append(plate)
            draw(text, rank == 0 ? Self.white : Self.cyan, on: plate, in: &pixels)
        }
    }

    // In dots.
    private static let margin = 2

    /// Where a number stands: around the pixel that is farthest from the outline and leaves the other numbers free.
    ///
    /// - Parameters:
    ///   - copy: a small copy of what of the region is to be marked.
    ///   - region: the region itself.
    private func plate(
        for text: String, in copy: Mask, of region: Mask, besides others: [BoundingBox]
    ) -> BoundingBox {
        let plateWidth = min((BitmapFont.width(of: text) + 2 * Self.margin) * dot, width)
        let plateHeight = min((BitmapFont.height + 2 * Self.margin) * dot, height)
        func plate(x: Int, y: Int) -> BoundingBox {
            BoundingBox(
                x: min(max(x - plateWidth / 2, 0), width - plateWidth),
                y: min(max(y - plateHeight / 2, 0), height - plateHeight), width: plateWidth, height: plateHeight)
        }
        var best: (distance: Float, plate: BoundingBox)?
        var runs = copy.runs.makeIterator()
        DistanceTransform.forEachRun(of: copy) { distances in
            guard let run = runs.next() else { return }
            for (offset, distance) in distances.enumerated() where distance > best?.distance ?? 0 {
                let place = plate(
                    x: (2 * (Int(run.start) + offset) + 1) * width / (2 * copy.width),
                    y: (2 * Int(run.row) + 1) * height / (2 * copy.height))
                if !others.contains(where: { $0.overlaps(place) }) { best = (distance, place) }
            }
        }
        if let best { return best.plate }
        let middle = region.runs[region.runs.count / 2]
        return plate(x: Int(middle.start + middle.end) / 2, y: Int(middle.row))
    }

    private func draw(_ text: String, _ color: Color, on plate: BoundingBox, in pixels: inout [UInt8]) {
        fill(plate, (16, 16, 16), in: &pixels)
        for (position, letter) in text.enumerated() {
            for (row, dots) in BitmapFont.rows(of: letter).enumerated() {
                for column in 0..<BitmapFont.width where dots & (16 >> UInt8(column)) != 0 {
                    let x = plate.x + (Self.margin + position * BitmapFont.advance + column) * dot
                    let y = plate.y + (Self.margin + row) * dot
                    fill(BoundingBox(x: x, y: y, width: dot, height: dot), color, in: &pixels)
                }
            }
        }
    }

    private func fill(_ mask: Mask, _ color: Color, in pixels: inout [UInt8]) {
        for run in mask.runs {
            fill(BoundingBox(x: Int(run.start), y: Int(run.row), width: run.count, height: 1), color, in: &pixels)
        }
    }

    /// Fills what of the box lies inside the picture.
    private func fill(_ box: BoundingBox, _ color: Color, in pixels: inout [UInt8]) {
        let columns = max(box.x, 0)..<max(min(box.right, width), max(box.x, 0))
        for y in max(box.y, 0)..<max(min(box.bottom, height), max(box.y, 0)) {
            for x in columns {
                let index = 3 * (y * width + x)
                pixels[index] = color.red
                pixels[index + 1] = color.green
                pixels[index + 2] = color.blue
            }
        }
    }
}

extension BoundingBox {
    fileprivate func overlaps(_ other: BoundingBox) -> Bool {
        x < other.right && other.x < right && y < other.bottom && other.y < bottom
    }
}
