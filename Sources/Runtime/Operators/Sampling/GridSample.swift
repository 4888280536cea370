/// GridSample (opsets 16–22): an image read at the coordinates that a grid tells, from -1 to 1 along every dimension, the
/// last dimension first.
struct GridSample: FloatingOperator {
    private enum Mode { case nearest, linear, cubic }
    enum Padding: String, CaseIterable { case zeros, border, reflection }

    private let mode: Mode
    private let padding: Padding
    private let alignCorners: Bool

    init(_ node: inout NodeReader) throws {
        let name = try node.string("mode", or: "linear")
        switch name {
        case "nearest": mode = .nearest
        case "linear", "bilinear": mode = .linear
        case "cubic", "bicubic": mode = .cubic
        default: throw OperatorError("attribute mode is “\(name)”, not one of nearest, linear, cubic")
        }
        padding = try node.choice("padding_mode", or: .zeros)
        alignCorners = try node.flag("align_corners")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let grid = try inputs.required(1)
        let spatialRank = input.shape.count - 2
        guard spatialRank > 0, grid.shape.count == input.shape.count, grid.shape.last == spatialRank,
            grid.shape[0] == input.shape[0]
        else { throw OperatorError("the grid \(grid.type) does not fit \(input.type)") }
        return [ValueType(input.elementType, Array(input.shape[..<2]) + grid.shape[1..<grid.shape.count - 1])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let output = try step.output(0)
        let target = try step.mutableElements(0, of: type)
        let grid = try step.input(1).converted(to: .float64, budget: step.context.budget).elements(of: Double.self)
        guard output.count > 0 else { return }
        let sizes = Array(input.shape[2...])
        let own = strides(of: sizes)
        let channels = input.shape[1]
        let plane = sizes.reduce(1, *)
        let points = output.shape[2...].reduce(1, *)
        try step.parallel(output.shape[0] * points, grain: max(1, (1 << 12) / channels)) { range in
            for point in range {
                // The elements that make this point, with their weights, for the dimensions so far.
                var taps: [(place: Int, weight: Double)] = [(0, 1)]
                for (axis, size) in sizes.enumerated() {
                    let normalized = grid[point * sizes.count + sizes.count - 1 - axis]
                    let own = neighbours(of: normalized, size: size, stride: own[axis])
                    taps = taps.flatMap { tap in own.map { (tap.place + $0.place, tap.weight * $0.weight) } }
                }
                for channel in 0..<channels {
                    let image = point / points * channels + channel
                    var sum = 0.0
                    for (place, weight) in taps { sum += weight * source[image * plane + place].double }
                    target[image * points + point % points] = Element(sum)
                }
            }
        }
    }

    /// The elements of one dimension that make a point, with their weights; those in a padding of zeros are left out.
    private func neighbours(of normalized: Double, size: Int, stride: Int) -> [(place: Int, weight: Double)] {
        guard size > 0 else { return [] }
        let last = Double(size - 1)
        var coordinate = alignCorners ? (normalized + 1) / 2 * last : ((normalized + 1) * Double(size) - 1) / 2
        if mode == .nearest { coordinate = coordinate.rounded(.toNearestOrEven) }
        switch padding {
        case .zeros: break
        case .border:
            // Between the centre and the edge of an outer pixel the taps are limited, not the coordinate.
            let low = alignCorners ? 0 : -0.5
            if coordinate < low || coordinate > last - low { coordinate = min(max(coordinate, 0), last) }
        case .reflection: coordinate = reflected(coordinate, last: last)
        }
        // Two elements beyond the ends all weights are those of the padding; NaN lies there too.
        coordinate = coordinate.isNaN ? -3 : min(max(coordinate, -3), last + 3)
        let below = coordinate.rounded(.down)
        return weights(coordinate - below).compactMap { offset, weight in
            let index = below + Double(offset)
            switch padding {
            case .zeros: return index >= 0 && index <= last ? (Int(index) * stride, weight) : nil
            case .border: return (Int(min(max(index, 0), last)) * stride, weight)
            case .reflection: return (Int(min(max(reflected(index, last: last), 0), last)) * stride, weight)
            }
        }
    }

    private func weights(_ fraction: Double) -> [(offset: Int, weight: Double)] {
        switch mode {
        case .nearest: return [(0, 1)]
        case .linear: return [(0, 1 - fraction), (1, fraction)]
        case .cubic:
            let filter = ResizeFilter(isCubic: true, coefficient: -0.75, antialias: false, excludesOutside: false)
            return Array(zip(-1...2, filter.weights(distance: fraction, scale: 1)))
        }
    }

    /// Folded back at the ends: the centres of the outer elements, or their outer edges.
    private func reflected(_ coordinate: Double, last: Double) -> Double {
        let low = alignCorners ? 0 : -0.5
        let high = alignCorners ? last : last + 0.5
        guard coordinate < low || coordinate > high else { return coordinate }
        let distance = abs(coordinate - low).truncatingRemainder(dividingBy: 2 * (high - low))
        guard distance.isFinite else { return low }
        return distance <= high - low ? low + distance : 2 * high - low - distance
    }
}

/// AffineGrid (opset 20): for every output pixel the coordinates, from -1 to 1, to which an affine map takes its own.
struct AffineGrid: FloatingOperator {
    let alignCorners: Bool

    init(_ node: inout NodeReader) throws {
        alignCorners = try node.flag("align_corners")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let theta = try inputs.required(0)
        let size = try inputs.integers(1)
        let rank = size.count - 2
        guard rank == 2 || rank == 3, theta.shape == [size[0], rank, rank + 1] else {
            throw OperatorError("maps \(theta.type) do not fit size \(size)")
        }
        return [ValueType(theta.elementType, [size[0]] + size[2...] + [rank])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let theta = try step.elements(0, of: type)
        let output = try step.output(0)
        let target = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let sizes = Array(output.shape[1..<output.shape.count - 1])
        let rank = sizes.count
        let points = sizes.reduce(1, *)
        try step.parallel(output.shape[0] * points, grain: 1 << 12) { range in
            for point in range {
                var rest = point % points
                // The last dimension first.
                var coordinates: [Double] = []
                for size in sizes.reversed() {
                    let index = Double(rest % size)
                    rest /= size
                    let ends = alignCorners ? Double(size - 1) : Double(size)
                    coordinates.append(ends == 0 ? 0 : (alignCorners ? 2 * index : 2 * index + 1) / ends - 1)
                }
                let map = point / points * rank * (rank + 1)
                for row in 0..<rank {
                    let start = map + row * (rank + 1)
                    let sum = coordinates.enumerated().reduce(theta[start + rank].double) { sum, coordinate in
                        sum + theta[start + coordinate.offset].double * coordinate.element
                    }
                    target[point * rank + row] = Element(sum)
                }
            }
        }
    }
}
