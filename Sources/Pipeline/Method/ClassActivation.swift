import Runtime

extension LinearHead {
    /// The class activation map `A = ReLU(sum over k of w_k F_k)` of one image.
    ///
    /// - Parameters:
    ///   - features: the value `features`, `[N, C, H, W]` or, with `channelsLast`, `[N, H, W, C]`.
    ///   - index: which of the N images.
    /// - Returns: H x W values, not negative, in no particular range.
    /// - Throws: `LinearHeadError.wrongFeatures`, or `InferenceError.unexpectedType`.
    public func activation(of features: Tensor, image index: Int = 0) throws -> FloatMap {
        let shape = features.shape
        let sizes = shape.count != 4 ? [] : channelsLast ? [shape[3], shape[1], shape[2]] : Array(shape[1...])
        guard sizes.count == 3, sizes[0] == weights.count, sizes[1] > 0, sizes[2] > 0, (0..<shape[0]).contains(index)
        else {
            throw LinearHeadError.wrongFeatures(shape: shape, channels: weights.count)
        }
        let area = sizes[1] * sizes[2]
        var map = FloatMap.zero(width: sizes[2], height: sizes[1])
        try features.withFloats(named: self.features) { values in
            let start = index * weights.count * area
            map.values.withUnsafeMutableBufferPointer { sums in
                if channelsLast {
                    for place in 0..<area {
                        for channel in weights.indices {
                            sums[place] += weights[channel] * values[start + place * weights.count + channel]
                        }
                    }
                } else {
                    for channel in weights.indices {
                        let weight = weights[channel]
                        let plane = start + channel * area
                        for place in 0..<area { sums[place] += weight * values[plane + place] }
                    }
                }
                for place in 0..<area { sums[place] = max(sums[place], 0) }
            }
        }
        return map
    }
}
