/// A copy in which every output coordinate of an axis tells the input coordinate of that axis, or none: what padding and
/// resizing to the nearest element have in common.
struct CoordinateCopy: Sendable {
    private let sourceStrides: [Int]
    /// For each axis, by output coordinate: the input coordinate, or -1.
    private let tables: [[Int]]
    /// Neighbouring elements that move together: those of the last axes that stay as they are.
    private let unit: Int
    /// What the last axis is made of.
    private let runs: [Run]

    private struct Run: Sendable {
        var target: Int
        /// The first input coordinate, or -1.
        var source: Int
        var count: Int
    }

    /// - Parameter tables: one for each axis; entries are below the axis' input size.
    init(sourceShape: [Int], tables: [[Int]]) {
        precondition(
            sourceShape.count == tables.count
                && zip(sourceShape, tables).allSatisfy { size, table in table.allSatisfy { $0 >= -1 && $0 < size } },
            "coordinate out of bounds")
        var rank = tables.count
        var unit = 1
        while rank > 0, tables[rank - 1].elementsEqual(0..<sourceShape[rank - 1]) {
            rank -= 1
            unit *= sourceShape[rank]
        }
        self.unit = unit
        self.tables = Array(tables[..<rank])
        sourceStrides = Array(strides(of: sourceShape)[..<rank])
        var runs: [Run] = []
        for (target, source) in (self.tables.last ?? [0]).enumerated() {
            if let last = runs.last,
                source < 0 ? last.source < 0 : last.source >= 0 && last.source + last.count == source
            {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(Run(target: target, source: source, count: 1))
            }
        }
        self.runs = runs
    }

    /// - Parameter constant: what goes where there is no input coordinate; zero when nil.
    func run<Word: TensorElement>(
        _ step: Step, _ source: Elements<Word>, into target: MutableElements<Word>, constant: Word?
    ) throws {
        let outer = tables.dropLast()
        let width = tables.last?.count ?? 1
        let line = width * unit
        guard line > 0 else { return }
        @Sendable func fillConstant(_ range: Range<Int>) {
            if let constant { target.fill(range, with: constant) } else { target.clear(range) }
        }
        // Single elements that are not next to one another are looked up rather than copied.
        let table = tables.last ?? []
        let highest = table.max() ?? -1
        let isScattered = unit == 1 && runs.count > width / 4 && highest >= 0
        try step.parallel(target.count / line, grain: max(1, (1 << 15) / line)) { range in
            var previous: (start: Int, index: Int)?
            for index in range {
                var rest = index
                var start = 0
                var isInside = true
                for axis in outer.indices.reversed() {
                    let coordinate = tables[axis][rest % tables[axis].count]
                    rest /= tables[axis].count
                    if coordinate < 0 { isInside = false }
                    start += coordinate * sourceStrides[axis]
                }
                let place = index * line
                guard isInside else {
                    fillConstant(place..<place + line)
                    continue
                }
                if let previous, previous.start == start {
                    target.copy(
                        target.readable, previous.index * line..<(previous.index + 1) * line, to: place)
                    continue
                }
                previous = (start, index)
                if isScattered {
                    target.look(up: table, highest: highest, in: source, from: start, to: place)
                    for run in runs where run.source < 0 {
                        fillConstant(place + run.target..<place + run.target + run.count)
                    }
                    continue
                }
                for run in runs {
                    let target0 = place + run.target * unit
                    if run.source < 0 {
                        fillConstant(target0..<target0 + run.count * unit)
                    } else {
                        let source0 = start + run.source * unit
                        target.copy(source, source0..<source0 + run.count * unit, to: target0)
                    }
                }
            }
        }
    }
}

extension MutableElements {
    /// Sets `self[index + i]` to `source[start + table[i]]` for every i, or to something where the entry is negative.
    /// - Parameter highest: the largest entry, which is not negative.
    fileprivate func look(
        up table: [Int], highest: Int, in source: Elements<Element>, from start: Int, to index: Int
    ) {
        precondition(
            start >= 0 && start + highest < source.count && index >= 0 && index + table.count <= count,
            "element index out of range")
        let stride = MemoryLayout<Element>.stride
        let place = base + index * stride
        for (position, entry) in table.enumerated() {
            place.storeBytes(
                of: source.load(start &+ max(0, entry)), toByteOffset: position &* stride, as: Element.self)
        }
    }
}
