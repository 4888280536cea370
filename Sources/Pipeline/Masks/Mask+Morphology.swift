extension Mask {
    /// All pixels within `radius` of a set one, horizontally and vertically: dilation by a square of `2 * radius + 1` pixels.
    func dilated(by radius: Int) -> Mask {
        guard radius > 0, !isEmpty else { return self }
        var builder = MaskBuilder(width: width, height: height)
        for run in runs { builder.append(row: Int(run.row), columns: Int(run.start) - radius..<Int(run.end) + radius) }
        return builder.build().combinedWithRows(within: radius) { $0.union($1) }
    }

    /// All pixels that are set together with everything within `radius` of them, horizontally and vertically: erosion by a
    /// square of `2 * radius + 1` pixels. What lies outside the image is not set.
    func eroded(by radius: Int) -> Mask {
        guard radius > 0, !isEmpty else { return self }
        var builder = MaskBuilder(width: width, height: height)
        for run in runs where run.count > 2 * radius {
            builder.append(row: Int(run.row), columns: Int(run.start) + radius..<Int(run.end) - radius)
        }
        return builder.build().combinedWithRows(within: radius) { $0.intersection($1) }
    }

    /// Every row combined with the `radius` rows above and below: with twice as many in each step.
    private func combinedWithRows(within radius: Int, _ combine: (Mask, Mask) -> Mask) -> Mask {
        var result = self
        for direction in [1, -1] {
            var reach = 1
            while reach <= radius {
                let step = min(reach, radius + 1 - reach)
                result = combine(result, result.moved(down: direction * step))
                reach += step
            }
        }
        return result
    }

    private func moved(down rows: Int) -> Mask {
        var builder = MaskBuilder(width: width, height: height)
        for run in runs { builder.append(row: Int(run.row) + rows, columns: Int(run.start)..<Int(run.end)) }
        return builder.build()
    }
}
