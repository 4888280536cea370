extension Mask {
    /// The mask at another size, by the nearest neighbour: a pixel takes the value of the source pixel that its centre
    /// falls into.
    public func resized(width newWidth: Int, height newHeight: Int) -> Mask {
        var builder = MaskBuilder(width: newWidth, height: newHeight)
        guard width > 0, height > 0, newWidth > 0, newHeight > 0 else { return builder.build() }
        for row in 0..<newHeight {
            let source = (2 * row + 1) * height / (2 * newHeight)
            for run in runs(inRow: source) {
                let start = firstColumn(atOrAfter: Int(run.start), newWidth)
                let end = firstColumn(atOrAfter: Int(run.end), newWidth)
                builder.append(row: row, columns: start..<end)
            }
        }
        return builder.build()
    }

    /// The first column of the resized mask whose centre lies at or to the right of the left side of column `x`.
    private func firstColumn(atOrAfter x: Int, _ newWidth: Int) -> Int {
        // (c + 1/2) width / newWidth >= x
        let numerator = 2 * x * newWidth - width
        let denominator = 2 * width
        return numerator <= 0 ? 0 : (numerator + denominator - 1) / denominator
    }
}
