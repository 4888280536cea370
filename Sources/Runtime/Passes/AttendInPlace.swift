import ONNXLoader

extension Pass {
    /// Lets an attention read queries, keys and values where they lie in the product that makes them, and write its result
    /// where the next product reads it: what splits, transposes and pads them on the way is left out.
    static let attendInPlace = Pass(name: "attention in place") { graph, known, keep, _ in
        let finder = PatternFinder(graph, keep: keep)
        func shape(_ name: String) -> [Int]? { known.types[name]?.shape }
        for index in graph.elements.indices {
            guard var attention = graph.elements[index].operation as? TiledAttention else { continue }
            for operand in [\TiledAttention.query, \.key, \.value] {
                let rows = attention[keyPath: operand]
                let isTransposed = operand == \.key && rows.columnStride != 1
                let size = operand == \.value ? attention.valueSize : attention.headSize
                let count = operand == \.query ? attention.queries : attention.keys
                guard
                    let found = finder.scattered(
                        graph.elements[index].node.inputs[rows.input], [attention.batch, count, size],
                        isTransposed: isTransposed, shape)
                else { continue }
                attention[keyPath: operand] = graph.elements[index].read(found, input: rows.input)
            }
            graph.elements[index].operation = attention
        }
        graph.writeInPlace(known, keep)
    }
}

/// A value that is rows of another one.
struct FoundRows {
    var name: String
    var rows: ScatteredRows
    /// The value that stands where no row is.
    var fill: String?
}

extension OperatorGraph.Element {
    /// Reads rows of another value as input `input`; what fills them becomes the last input.
    mutating func read(_ found: FoundRows, input: Int) -> ScatteredRows {
        var rows = found.rows
        rows.input = input
        node.inputs[input] = found.name
        if let fill = found.fill {
            rows.moved?.fill = node.inputs.count
            node.inputs.append(fill)
        }
        return rows
    }
}

extension PatternFinder {
    /// The matrices `[pairs, rows, columns]` of a value, where they lie in the value from which they are taken.
    /// - Parameter isTransposed: whether the value holds them as `[pairs, columns, rows]`.
    /// - Returns: nil when they are not taken from another value, or not in a way that can be told.
    fileprivate func scattered(
        _ name: String, _ sizes: [Int], isTransposed: Bool, _ shape: (String) -> [Int]?
    ) -> FoundRows? {
        var (source, view) = source(of: name, shape)
        guard source != name, view.reshape(isTransposed ? [sizes[0], sizes[2], sizes[1]] : sizes) else { return nil }
        if isTransposed { view.transpose([0, 2, 1]) }
        guard let columnStride = view.stride(2), columnStride == 1 || view.stride(1) != nil else { return nil }
        return found(
            source,
            ScatteredRows(
                input: 0, starts: view.offsets(0).map { $0 + view.start }, offsets: view.offsets(1),
                columnStride: columnStride), columns: sizes[2])
    }

    /// Rows of a value; when that is gathered from rows of another one, the rows of that one.
    func found(_ source: String, _ rows: ScatteredRows, columns: Int) -> FoundRows {
        let plain = FoundRows(name: source, rows: rows)
        guard let element = producer(of: source), let gather = element.operation as? GatheredRows,
            rows.columnStride == 1, rows.lie(withinRowsOf: gather.width, columns: columns),
            element.node.inputs.count > 1 || !gather.sources.contains(-1)
        else { return plain }
        var moved = rows
        moved.moved = .init(sources: gather.sources, width: gather.width)
        let fill = gather.sources.contains(-1) ? element.node.inputs[1] : nil
        return FoundRows(name: element.node.inputs[0], rows: moved, fill: fill)
    }
}

extension ScatteredRows {
    /// Whether no row of `columns` elements goes beyond a row of `width` elements of the tensor.
    fileprivate func lie(withinRowsOf width: Int, columns: Int) -> Bool {
        starts.allSatisfy { start in offsets.allSatisfy { (start + $0) % width + columns <= width } }
    }
}

extension OperatorGraph {
    /// Lets attentions write their results as what reads them wants them to lie.
    fileprivate mutating func writeInPlace(_ known: Inference, _ keep: Set<String>) {
        let consumers = consumers()
        let finder = PatternFinder(self, keep: keep)
        func shape(_ name: String) -> [Int]? { known.types[name]?.shape }
        var removed: Set<Int> = []
        for index in elements.indices {
            guard var attention = elements[index].operation as? TiledAttention,
                let own = elements[index].node.outputs.first, let ownShape = shape(own)
            else { continue }
            var (last, view, chain) = (own, StridedView(ownShape), [Int]())
            // What moves nothing is left where it is, unless something that moves follows.
            var best: (name: String, view: StridedView, chain: [Int])?
            while let next = soleConsumer(of: last, consumers, keep: keep), elements[next].movesOnly,
                elements[next].outputs.count == 1,
                finder.follow(elements[next], elements[next].outputs[0], &view, shape)
            {
                chain.append(next)
                last = elements[next].outputs[0]
                if !elements[next].operation.isView { best = (last, view, chain) }
            }
            let gather = soleConsumer(of: last, consumers, keep: keep)
            if let gather, let rows = elements[gather].operation as? GatheredRows,
                var placed = attention.placed(view), placed.moved(by: rows, columns: attention.valueSize)
            {
                attention.write(placed, rows.type)
                removed.formUnion(chain + [gather])
                last = elements[gather].outputs[0]
            } else if let best, let type = known.types[best.name], let placed = attention.placed(best.view) {
                attention.write(placed, type)
                removed.formUnion(best.chain)
                last = best.name
            } else {
                continue
            }
            elements[index].operation = attention
            elements[index].node.outputs[0] = last
        }
        elements = elements.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }
}

extension TiledAttention {
    /// Where the result's rows lie in a view of it; nil when that cannot be told, or rows do not stay whole.
    fileprivate func placed(_ view: StridedView) -> ScatteredRows? {
        guard var inverse = view.inverse, inverse.reshape([batch, queries, valueSize]), inverse.stride(2) == 1 else {
            return nil
        }
        return ScatteredRows(input: 0, starts: inverse.offsets(0), offsets: inverse.offsets(1))
    }
}

extension ScatteredRows {
    /// Writes rows where they are gathered to; those that are not wanted have no place.
    /// - Returns: whether every row that is gathered is written, once.
    fileprivate mutating func moved(by gather: GatheredRows, columns: Int) -> Bool {
        let count = starts.count * offsets.count * columns
        guard count % gather.width == 0, lie(withinRowsOf: gather.width, columns: columns) else { return false }
        var targets = [Int32](repeating: -1, count: count / gather.width)
        for (row, source) in gather.sources.enumerated() {
            guard source >= 0, targets[Int(source)] < 0 else { return false }
            targets[Int(source)] = Int32(row)
        }
        moved = .init(sources: targets, width: gather.width)
        return true
    }
}
