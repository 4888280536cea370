/// A network's scores of every class on a coarse grid, wherever they lie in memory.
struct ClassScores {
    let values: UnsafeBufferPointer<Float>
    let layout: ScoreLayout

    /// The class of the highest score at each of `columns` x `rows` places from the top left; of equal ones the first.
    func bestClasses(columns: Int, rows: Int) -> [Int32] {
        var best = [Float](repeating: -.infinity, count: columns * rows)
        var classes = [Int32](repeating: 0, count: columns * rows)
        func consider(_ candidate: Int, _ index: Int, _ score: Float) {
            if score > best[index] {
                best[index] = score
                classes[index] = Int32(candidate)
            }
        }
        // The innermost loop follows memory.
        if layout.classStride == 1 {
            for row in 0..<rows {
                for column in 0..<columns {
                    let start = offset(column: column, row: row)
                    for candidate in 0..<layout.classCount {
                        consider(candidate, row * columns + column, values[start + candidate])
                    }
                }
            }
        } else {
            for candidate in 0..<layout.classCount {
                for row in 0..<rows {
                    let start = candidate * layout.classStride + offset(column: 0, row: row)
                    for column in 0..<columns {
                        consider(candidate, row * columns + column, values[start + column * layout.columnStride])
                    }
                }
            }
        }
        return classes
    }

    func offset(column: Int, row: Int) -> Int {
        row * layout.rowStride + column * layout.columnStride
    }
}

/// Where scores lie in an output tensor: counts and distances in elements.
struct ScoreLayout: Hashable {
    var classCount: Int
    var height: Int
    var width: Int
    var classStride: Int
    var rowStride: Int
    var columnStride: Int

    /// Classes first or last in one image of `height` x `width`.
    init(_ order: InputContract.Layout, classCount: Int, height: Int, width: Int) {
        self.classCount = classCount
        self.height = height
        self.width = width
        switch order {
        case .channelsFirst: (classStride, rowStride, columnStride) = (height * width, width, 1)
        case .channelsLast: (classStride, rowStride, columnStride) = (1, width * classCount, classCount)
        }
    }

    /// Recognises `[1, C, H, W]`, `[1, H, W, C]`, the same without the first dimension, and `[1, H * W, C]`.
    ///
    /// - Parameters:
    ///   - shape: the tensor's shape.
    ///   - classes: how many there are; nil when it is not known, and the input's order then decides.
    ///   - placement: the network's input.
    /// - Returns: nil when the shape is none of these, or has fewer than two classes.
    init?(shape: [Int], classes: Int?, order: InputContract.Layout, placement: InputPlacement) {
        let (height, width) = (placement.inputHeight, placement.inputWidth)
        var sizes = shape
        if sizes.count == 4 || (sizes.count == 3 && sizes[1] == height * width && sizes[0] == 1) {
            guard sizes.removeFirst() == 1 else { return nil }
        }
        if sizes.count == 2, sizes[0] == height * width {
            self.init(.channelsLast, classCount: sizes[1], height: height, width: width)
        } else if sizes.count == 3 {
            let order =
                switch (classes == sizes[0], classes == sizes[2]) {
                case (true, false): InputContract.Layout.channelsFirst
                case (false, true): InputContract.Layout.channelsLast
                default: order
                }
            if order == .channelsFirst {
                self.init(order, classCount: sizes[0], height: sizes[1], width: sizes[2])
            } else {
                self.init(order, classCount: sizes[2], height: sizes[0], width: sizes[1])
            }
        } else {
            return nil
        }
        guard classCount >= 2, self.height > 0, self.width > 0, classes == nil || classes == classCount else {
            return nil
        }
    }
}
