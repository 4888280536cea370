extension Mask {
    /// The pixels that are set in either mask.
    /// - Precondition: both masks are of one size, as for every operation on two masks.
    public func union(_ other: Mask) -> Mask {
        requireSameSize(other)
        var builder = MaskBuilder(width: width, height: height)
        var i = 0
        var j = 0
        while i < runs.count || j < other.runs.count {
            if j == other.runs.count || (i < runs.count && runs[i].starts(before: other.runs[j])) {
                builder.append(runs[i])
                i += 1
            } else {
                builder.append(other.runs[j])
                j += 1
            }
        }
        return builder.build()
    }

    /// The pixels that are set in both masks.
    public func intersection(_ other: Mask) -> Mask {
        var builder = MaskBuilder(width: width, height: height)
        forEachOverlap(with: other) { row, columns in builder.append(row: row, columns: columns) }
        return builder.build()
    }

    /// The number of pixels that are set in both masks.
    public func intersectionArea(_ other: Mask) -> Int {
        var area = 0
        forEachOverlap(with: other) { _, columns in area += columns.count }
        return area
    }

    /// The pixels that are not set.
    public var complement: Mask {
        var builder = MaskBuilder(width: width, height: height)
        var index = 0
        for row in 0..<height {
            var column = 0
            while index < runs.count, runs[index].row == row {
                builder.append(row: row, columns: column..<Int(runs[index].start))
                column = Int(runs[index].end)
                index += 1
            }
            builder.append(row: row, columns: column..<width)
        }
        return builder.build()
    }

    /// The pixels of this mask that are not set in the other.
    public func subtracting(_ other: Mask) -> Mask { intersection(other.complement) }

    /// Intersection over union, 0 to 1; two empty masks are alike: 1.
    public func intersectionOverUnion(_ other: Mask) -> Double {
        let intersection = intersectionArea(other)
        let union = area + other.area - intersection
        return union == 0 ? 1 : Double(intersection) / Double(union)
    }

    private func forEachOverlap(with other: Mask, _ body: (_ row: Int, _ columns: Range<Int>) -> Void) {
        requireSameSize(other)
        var i = 0
        var j = 0
        while i < runs.count, j < other.runs.count {
            let a = runs[i]
            let b = other.runs[j]
            if a.row == b.row {
                let start = max(a.start, b.start)
                let end = min(a.end, b.end)
                if start < end { body(Int(a.row), Int(start)..<Int(end)) }
                if a.end < b.end { i += 1 } else { j += 1 }
            } else if a.row < b.row {
                i += 1
            } else {
                j += 1
            }
        }
    }

    private func requireSameSize(_ other: Mask) {
        precondition(width == other.width && height == other.height, "masks of different sizes have no common pixels")
    }
}

extension Mask.Run {
    fileprivate func starts(before other: Mask.Run) -> Bool { (row, start) < (other.row, other.start) }
}
