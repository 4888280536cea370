import Foundation

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
    public enum Exclusion: Sendable, Hashable, CustomStringConvertible {
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
        var informative: [InterpolatedPlane] = []
        for view in views {
            let content = view.content
            switch Self.normalise(content.values) {
            case .success(let values):
                let axes = view.placement.axes(outputWidth: view.map.width, outputHeight: view.map.height)
                informative.append(InterpolatedPlane(values: values, columns: axes.columns, rows: axes.rows))
            case .failure(let exclusion):
                fused.excluded.append((view.name, exclusion.reason))
            }
        }
        guard !informative.isEmpty, width > 0, height > 0 else { return fused }

        let planes = informative
        let floor = floor
        let exponent = 1 / Double(planes.count)
        fused.map.values.withUnsafeMutableBufferPointer { output in
            let rows = ConcurrentRows(output, width: width)
            forEachConcurrently(count: height) { y in
                let result = rows[y]
                guard planes.count > 1 else {
                    planes[0].row(y, into: result)
                    for x in 0..<width { result[x] = max(result[x], floor) }
                    return
                }
                var product = [Double](repeating: 1, count: width)
                for plane in planes {
                    plane.row(y, into: result)
                    for x in 0..<width { product[x] *= Double(max(result[x], floor)) }
                }
                for x in 0..<width { result[x] = Float(exp(log(product[x]) * exponent)) }
            }
        }
        return fused
    }

    private struct Excluded: Error { let reason: Exclusion }

    /// Values scaled to 0 ... 1 by their minimum and maximum.
    private static func normalise(_ values: [Float]) -> Result<[Float], Excluded> {
        var low = Float.infinity
        var high = -Float.infinity
        for value in values {
            guard value.isFinite else { return .failure(Excluded(reason: .notFinite)) }
            low = min(low, value)
            high = max(high, value)
        }
        guard low < high else { return .failure(Excluded(reason: .constant(values.first ?? 0))) }
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
