/// How a region changes an activation map (eq. 7): values are read as probabilities of manipulation, the region as evidence.
///
/// Throughout, `m` is 1 inside the region and 0 outside, `a = clamp(A, epsilon, 1 - epsilon)` with `epsilon = 1e-4`,
/// `L1 = (sum a m + 1) / (sum a + 2)` and `L0 = (sum (1 - a) m + 1) / (sum (1 - a) + 2)`: the chance that a manipulated
/// and an authentic pixel lies in the region.
public enum Refinement: String, Sendable, Hashable, CaseIterable {
    /// `H = a l1 / (a l1 + (1 - a) l0)` with `(l1, l0) = (L1, L0)` inside and `(1 - L1, 1 - L0)` outside. Up to the
    /// pseudo-counts `logit H = logit a + logit(mean a in the pixel's region) - logit(mean a)`: bounded, order-preserving
    /// inside a region, the identity when the region says nothing.
    case evidence
    /// Bayes' rule on the values of A: `H = P(M) p1 / (P(M) p1 + (1 - P(M)) p0)`, where `p1` and `p0` are the frequencies of
    /// A's bin (32 equal ones over 0 ... 1, one pseudo-count each) inside and outside, and P(M) is the region's share of the image.
    case histogram
    /// `min(1, a L1 / P(M))` inside and `min(1, a (1 - L1) / (1 - P(M)))` outside, P(M) the region's share of the image.
    case literal
    /// `A` inside, 0 outside.
    case gate
    /// `A` itself.
    case none

    static let epsilon: Float = 1e-4
    static let binCount = 32

    /// Why the map is unchanged although a refinement was asked for.
    public enum Unchanged: String, Sendable, Hashable, CustomStringConvertible {
        case noMask
        case constantActivation
        case maskCoversEverything

        public var description: String {
            switch self {
            case .noMask: "no region was found: the heat map is the activation map"
            case .constantActivation: "the activation map is constant: no region can refine it"
            case .maskCoversEverything: "the region covers the whole image: the heat map is the activation map"
            }
        }
    }

    /// Changes a map in place.
    ///
    /// - Parameters:
    ///   - activation: values in 0 ... 1; becomes the heat map, of the same range.
    ///   - mask: the region, of the map's size; nil when there is none.
    /// - Returns: the reason when the map stays as it is; nil when it was refined, or when `none` was asked for.
    public func apply(to activation: inout FloatMap, mask: Mask?) -> Unchanged? {
        guard self != .none else { return nil }
        guard let mask, !mask.isEmpty else { return .noMask }
        precondition(
            mask.width == activation.width && mask.height == activation.height, "a mask has the size of the map")
        guard mask.area < activation.values.count else { return .maskCoversEverything }
        guard !activation.isConstant else { return .constantActivation }

        switch self {
        case .none: break
        case .gate:
            activation.replace(mask, inside: { $0 }, outside: { _ in 0 })
        case .evidence:
            let likelihoods = Likelihoods(activation, mask)
            let odds = likelihoods.manipulated / likelihoods.authentic
            let restOdds = (1 - likelihoods.manipulated) / (1 - likelihoods.authentic)
            activation.replace(
                mask, inside: { Self.posterior($0, likelihoodRatio: Float(odds)) },
                outside: { Self.posterior($0, likelihoodRatio: Float(restOdds)) })
        case .literal:
            let likelihood = Likelihoods(activation, mask).manipulated
            let share = mask.areaFraction
            let (inside, outside) = (Float(likelihood / share), Float((1 - likelihood) / (1 - share)))
            activation.replace(
                mask, inside: { min(1, Self.clamped($0) * inside) }, outside: { min(1, Self.clamped($0) * outside) })
        case .histogram:
            let table = Self.histogramPosterior(activation, mask)
            activation.replace(mask, inside: { table[Self.bin($0)] }, outside: { table[Self.bin($0)] })
        }
        return nil
    }

    private static func clamped(_ value: Float) -> Float { min(max(value, epsilon), 1 - epsilon) }

    /// `a l1 / (a l1 + (1 - a) l0)`, given `l1 / l0`.
    private static func posterior(_ value: Float, likelihoodRatio: Float) -> Float {
        let a = clamped(value)
        return a * likelihoodRatio / (a * likelihoodRatio + (1 - a))
    }

    /// The chance that a pixel lies in the region: L1 for manipulated pixels, L0 for authentic ones.
    private struct Likelihoods {
        let manipulated: Double
        let authentic: Double

        init(_ activation: FloatMap, _ mask: Mask) {
            let all = activation.sum(limitedTo: epsilon...(1 - epsilon))
            let inside = activation.sum(over: mask, limitedTo: epsilon...(1 - epsilon))
            let count = Double(activation.values.count)
            manipulated = (inside + 1) / (all + 2)
            authentic = (Double(mask.area) - inside + 1) / (count - all + 2)
        }
    }

    private static func bin(_ value: Float) -> Int {
        value > 0 ? min(Int(min(value, 1) * Float(binCount)), binCount - 1) : 0
    }

    /// The posterior for every bin.
    private static func histogramPosterior(_ activation: FloatMap, _ mask: Mask) -> [Float] {
        var all = [Double](repeating: 0, count: binCount)
        var inside = [Double](repeating: 0, count: binCount)
        activation.values.withUnsafeBufferPointer { values in
            for value in values { all[bin(value)] += 1 }
            mask.forEachPixelIndex { inside[bin(values[$0])] += 1 }
        }
        let count = Double(activation.values.count)
        let area = Double(mask.area)
        let share = area / count
        return zip(all, inside).map { all, inside in
            let p1 = (inside + 1) / (area + Double(binCount))
            let p0 = (all - inside + 1) / (count - area + Double(binCount))
            return Float(share * p1 / (share * p1 + (1 - share) * p0))
        }
    }
}

extension FloatMap {
    /// Replaces every value by a function of it, another one inside a mask than outside.
    fileprivate mutating func replace(
        _ mask: Mask, inside: @Sendable (Float) -> Float, outside: @Sendable (Float) -> Float
    ) {
        let width = width
        let height = height
        values.withUnsafeMutableBufferPointer { values in
            let rows = ConcurrentRows(values, width: width)
            forEachConcurrently(count: height) { y in
                let line = rows[y]
                var next = 0
                for run in mask.runs(inRow: y) {
                    for x in next..<Int(run.start) { line[x] = outside(line[x]) }
                    for x in Int(run.start)..<Int(run.end) { line[x] = inside(line[x]) }
                    next = Int(run.end)
                }
                for x in next..<width { line[x] = outside(line[x]) }
            }
        }
    }
}
