import CKernels

/// One view's class activation map, as it comes from the features: any range, at the features' resolution.
public struct ActivationView: Sendable {
    public var name: String
    public var map: FloatMap
    /// Where the map lies on the image.
    public var placement: InputPlacement

    public init(name: String, map: FloatMap, placement: InputPlacement) {
        self.name = name
        self.map = map
        self.placement = placement
    }
}

/// The activation maps of all views as one: `A = (prod_i max(A_i, floor))^(1/n)`, where `A_i` is view `i` scaled to 0 ... 1
/// by its minimum and maximum and bilinearly enlarged to the image.
public struct ActivationFusion: Sendable {
    /// The least value of a view, so that a zero in one does not erase what the others see. 0 is the literal equation.
    public var floor: Float

    public init(floor: Float = 1e-3) {
        self.floor = floor
    }

    /// Why a view is not part of the mean.
    public enum Exclusion: Error, Sendable, Hashable, CustomStringConvertible {
        /// The same value everywhere: there is no place that it points to.
        case constant(Float)
        /// It contains infinities or what is not a number.
        case notFinite

        public var description: String {
            switch self {
            case .constant(let value): "is \(value) everywhere and points to no place"
            case .notFinite: "contains values that are not finite"
            }
        }
    }

    public struct Fused: Sendable {
        /// The image's size, values in 0 ... 1; 0 everywhere when no view carries information.
        public var map: FloatMap
        /// The views that the mean leaves out, by name.
        public var excluded: [(view: String, reason: Exclusion)]

        /// One sentence for each view that was left out.
        public var warnings: [String] {
            excluded.map { "the activation map of view \($0.view) \($0.reason): it was left out of the mean" }
        }
    }

    /// - Parameters:
    ///   - views: each must lie on the whole image.
    ///   - width: the image's width in pixels.
    ///   - height: the image's height in pixels.
    public func fuse(_ views: [ActivationView], width: Int, height: Int) -> Fused {
        var fused = Fused(map: FloatMap.zero(width: width, height: height), excluded: [])
        var planes: [InterpolatedPlane] = []
        for view in views {
            switch Self.plane(view) {
            case .success(let plane): planes.append(plane)
            case .failure(let exclusion): fused.excluded.append((view.name, exclusion))
            }
        }
        guard !planes.isEmpty, width > 0, height > 0 else { return fused }
        fused.map = Self.map(width: width, height: height) { [planes, floor] y, result in
            guard planes.count > 1 else {
                planes[0].row(y, into: result)
                for x in result.indices { result[x] = max(result[x], floor) }
                return
            }
            withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { line in
                result.update(repeating: 0)
                for plane in planes {
                    plane.row(y, into: line)
                    for x in line.indices { line[x] = max(line[x], floor) }
                    ts_apply_f32(TS_LOG, 0, 0, line.baseAddress, line.baseAddress, width)
                    for x in line.indices { result[x] += line[x] }
                }
                let count = Float(planes.count)
                for x in result.indices { result[x] /= count }
                ts_apply_f32(TS_EXP, 0, 0, result.baseAddress, result.baseAddress, width)
            }
        }
        return fused
    }

    /// One view as it goes into the mean, before the floor: scaled to 0 ... 1 and enlarged to the image.
    public static func enlarged(_ view: ActivationView, width: Int, height: Int) -> Result<FloatMap, Exclusion> {
        plane(view).map { plane in map(width: width, height: height) { y, result in plane.row(y, into: result) } }
    }

    /// A map whose rows are made on several threads.
    private static func map(
        width: Int, height: Int, row: @Sendable (Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) -> FloatMap {
        var map = FloatMap.zero(width: width, height: height)
        map.values.withUnsafeMutableBufferPointer { values in
            let rows = ConcurrentRows(values, width: width)
            forEachConcurrently(count: height) { y in row(y, rows[y]) }
        }
        return map
    }

    private static func plane(_ view: ActivationView) -> Result<InterpolatedPlane, Exclusion> {
        normalise(view.content.values).map { values in
            let axes = view.placement.axes(outputWidth: view.map.width, outputHeight: view.map.height)
            return InterpolatedPlane(values: values, columns: axes.columns, rows: axes.rows)
        }
    }

    /// Values scaled to 0 ... 1 by their minimum and maximum.
    private static func normalise(_ values: [Float]) -> Result<[Float], Exclusion> {
        var low = Float.infinity
        var high = -Float.infinity
        for value in values {
            guard value.isFinite else { return .failure(.notFinite) }
            low = min(low, value)
            high = max(high, value)
        }
        guard low < high else { return .failure(.constant(values.first ?? 0)) }
        // Halves, so that the range of the largest numbers stays finite.
        let range = high / 2 - low / 2
        return .success(values.map { min(max(($0 / 2 - low / 2) / range, 0), 1) })
    }
}

extension ActivationView {
    /// The part of the map that shows the image, without samples that show padding alone.
    fileprivate var content: FloatMap {
        let columns = InputPlacement.contentCount(
            output: map.width, input: placement.inputWidth, content: placement.contentWidth)
        let rows = InputPlacement.contentCount(
            output: map.height, input: placement.inputHeight, content: placement.contentHeight)
        guard columns < map.width || rows < map.height else { return map }
        var values: [Float] = []
        values.reserveCapacity(columns * rows)
        for y in 0..<rows { values += map.values[y * map.width..<y * map.width + columns] }
        return FloatMap(uncheckedWidth: columns, height: rows, values: values)
    }
}
