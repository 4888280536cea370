extension BinaryMask {
    /// All pixels within `radius` of a pixel of the mask, horizontally and vertically: dilation by a square of
    /// `2 · radius + 1` pixels.
    func grown(by radius: Int) -> BinaryMask {
        var grown = values
        grown.withUnsafeMutableBufferPointer { grown in
            for y in 0..<height {
                let row = y * width
                grow(in: grown, start: row, step: 1, count: width, radius)
                grow(in: grown, start: row + width - 1, step: -1, count: width, radius)
            }
            growRows(in: grown, from: 0, step: 1, radius)
            growRows(in: grown, from: height - 1, step: -1, radius)
        }
        return BinaryMask(uncheckedWidth: width, height: height, values: grown)
    }

    /// Sets what follows a set pixel within `radius` steps.
    private func grow(in values: UnsafeMutableBufferPointer<Bool>, start: Int, step: Int, count: Int, _ radius: Int) {
        var left = 0
        for place in 0..<count {
            let index = start + place * step
            if values[index] {
                left = radius
            } else if left > 0 {
                values[index] = true
                left -= 1
            }
        }
    }

    /// The same down (or up) all columns at once, row by row.
    private func growRows(in values: UnsafeMutableBufferPointer<Bool>, from first: Int, step: Int, _ radius: Int) {
        var left = [Int32](repeating: 0, count: width)
        for place in 0..<height {
            let row = (first + place * step) * width
            for x in 0..<width {
                if values[row + x] {
                    left[x] = Int32(radius)
                } else if left[x] > 0 {
                    values[row + x] = true
                    left[x] -= 1
                }
            }
        }
    }
}
