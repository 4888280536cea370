extension Mask {
    /// Which pixels are neighbours: the four that share a side, or also the four that share a corner.
    public enum Connectivity: Sendable, Hashable {
        case four
        case eight
    }

    /// The connected components, ordered by their first pixel; those of fewer than `minimumArea` pixels are left out.
    ///
    /// Time is linear in the number of runs, apart from the union-find's inverse Ackermann function.
    public func components(connectivity: Connectivity = .eight, minimumArea: Int = 0) -> [Mask] {
        let roots = componentRoots(connectivity)
        var areas = [Int](repeating: 0, count: runs.count)
        for (run, root) in zip(runs, roots) { areas[root] += run.count }
        var builderOfRoot = [Int](repeating: -1, count: runs.count)
        var builders: [MaskBuilder] = []
        for (run, root) in zip(runs, roots) where areas[root] >= minimumArea {
            if builderOfRoot[root] < 0 {
                builderOfRoot[root] = builders.count
                builders.append(MaskBuilder(width: width, height: height))
            }
            builders[builderOfRoot[root]].append(run)
        }
        return builders.map { $0.build() }
    }

    /// For every run the index of the first run of its component.
    private func componentRoots(_ connectivity: Connectivity) -> [Int] {
        var parents = Array(runs.indices)
        func root(of index: Int) -> Int {
            var index = index
            while parents[index] != index {
                parents[index] = parents[parents[index]]
                index = parents[index]
            }
            return index
        }
        let reach: Int32 = connectivity == .eight ? 1 : 0
        var above = 0
        for index in runs.indices {
            let run = runs[index]
            // Runs above that end before this one begins cannot touch later runs of the row either.
            while above < index,
                runs[above].row < run.row - 1
                    || (runs[above].row == run.row - 1 && runs[above].end + reach <= run.start)
            {
                above += 1
            }
            var neighbour = above
            while neighbour < index, runs[neighbour].row == run.row - 1, runs[neighbour].start < run.end + reach {
                let a = root(of: index)
                let b = root(of: neighbour)
                parents[max(a, b)] = min(a, b)
                neighbour += 1
            }
        }
        return runs.indices.map(root)
    }

    /// The mask without components (8-connected) of fewer than `area` pixels; when all are smaller, the largest stays.
    public func removingIslands(smallerThan area: Int) -> Mask {
        let all = components()
        var kept = all.filter { $0.area >= area }
        guard kept.count < all.count else { return self }
        if kept.isEmpty {
            kept = all.reduce(into: []) { largest, mask in
                if mask.area > largest.first?.area ?? 0 { largest = [mask] }
            }
        }
        return Mask(width: width, height: height, unordered: kept.flatMap(\.runs))
    }

    /// The mask with those holes set that have fewer than `area` pixels (8-connected; a gap at the border is a hole too).
    public func fillingHoles(smallerThan area: Int) -> Mask {
        let holes = complement.components().filter { $0.area < area }
        return holes.isEmpty ? self : union(Mask(width: width, height: height, unordered: holes.flatMap(\.runs)))
    }
}
