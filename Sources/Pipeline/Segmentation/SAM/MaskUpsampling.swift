/// A low-resolution mask at the image's size, row by row: its pixels above the threshold and how stable they are.
struct MaskUpsampling {
    /// Pixels whose logit is above 0.
    let mask: Mask
    /// Pixels above `offset` and above `-offset`.
    let high: Int
    let low: Int

    /// The intersection over union of the masks at the two offsets; nil when there are no such pixels.
    var stability: Double? { low > 0 ? Double(high) / Double(low) : nil }

    /// - Parameters:
    ///   - logits: the low-resolution mask, row-major, as large as the axes' sources.
    ///   - axes: to the size of the part of the image that was encoded.
    ///   - part: where that part lies in the image.
    ///   - offset: how far the two thresholds of the stability lie from 0.
    init(
        logits: [Float], axes: (columns: ResamplingAxis, rows: ResamplingAxis), part: BoundingBox, imageWidth: Int,
        imageHeight: Int, offset: Float
    ) {
        let (columns, rows) = axes
        let plane = InterpolatedPlane(values: logits, columns: columns, rows: rows)
        let taps = columns.tapCount
        let width = columns.sourceCount
        // A row of the low-resolution mask matters only when something in it is above the lower threshold.
        let matters = (0..<rows.sourceCount).map { row in
            logits[row * width..<(row + 1) * width].contains { $0 > -offset }
        }
        let groups = columns.groups
        var builder = MaskBuilder(width: imageWidth, height: imageHeight)
        var high = 0
        var low = 0
        columns.weights.withUnsafeBufferPointer { weights in
            for row in 0..<rows.count {
                let start = rows.starts[row]
                guard matters[start..<start + rows.tapCount].contains(true) else { continue }
                let y = part.y + row
                plane.combinedRow(row).withUnsafeBufferPointer { line in
                    for group in groups {
                        var lowest = line[group.start]
                        var highest = lowest
                        for tap in 1..<max(taps, 1) {
                            lowest = min(lowest, line[group.start + tap])
                            highest = max(highest, line[group.start + tap])
                        }
                        // A logit between others is neither below the lowest of them nor above the highest.
                        guard highest > -offset else { continue }
                        if lowest > offset {
                            high += group.pixels.count
                            low += group.pixels.count
                            builder.append(
                                row: y, columns: part.x + group.pixels.lowerBound..<part.x + group.pixels.upperBound)
                            continue
                        }
                        for x in group.pixels {
                            var logit: Float = 0
                            for tap in 0..<taps { logit += weights[x * taps + tap] * line[group.start + tap] }
                            if logit > offset { high += 1 }
                            if logit > -offset { low += 1 }
                            if logit > 0 { builder.append(row: y, columns: part.x + x..<part.x + x + 1) }
                        }
                    }
                }
            }
        }
        mask = builder.build()
        self.high = high
        self.low = low
    }
}
