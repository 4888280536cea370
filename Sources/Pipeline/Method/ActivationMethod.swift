import Foundation
import Runtime

/// How a class activation map is made of features `F` and the gradient `G = dz/dF` of a logit `z` by them.
public enum ActivationMethod: String, Sendable, Hashable, CaseIterable {
    /// Grad-CAM: `ReLU(sum over k of a_k F_k)`, `a_k` the mean of `G_k` over all places (Selvaraju et al., 2017).
    case gradCAM = "gradcam"
    /// Grad-CAM++: `ReLU(sum over k of w_k F_k)`, `w_k` the sum over all places of `ReLU(G_k) G_k^2 / (2 G_k^2 + s_k G_k^3)`,
    /// `s_k` the sum of `F_k` (Chattopadhay et al., 2018, for the exponential of the logit).
    case gradCAMPlusPlus = "gradcam++"
    /// Layer-CAM: `ReLU(sum over k of ReLU(G_k) F_k)`, place by place (Jiang et al., 2021).
    case layerCAM = "layercam"
    /// CAM: `ReLU(sum over k of w_k F_k)`, `w_k` the weights of the dense layer after a global average pooling, which the
    /// classifier must end in (Zhou et al., 2016).
    case cam

    /// Whether the map of a classifier that ends in global average pooling and a dense layer needs no gradient: Grad-CAM's is
    /// then CAM's divided by the number of places.
    var hasClosedForm: Bool { self == .gradCAM || self == .cam }

    /// The activation map of the first image.
    ///
    /// - Parameters:
    ///   - features: as `SpatialFeatures` takes them.
    ///   - gradient: of the features' shape.
    ///   - name: of the features, for messages.
    /// - Returns: values that are not negative, in no particular range.
    /// - Throws: `InferenceError` for other shapes or types.
    func map(features: Tensor, gradient: Tensor, channelsLast: Bool, named name: String) throws -> FloatMap {
        let grid = try SpatialFeatures(shape: features.shape, channelsLast: channelsLast, named: name)
        guard gradient.shape == features.shape else {
            throw InferenceError.unexpectedShape(
                value: name, shape: gradient.shape, expected: "a gradient of shape \(features.shape)")
        }
        var map = FloatMap.zero(width: grid.width, height: grid.height)
        try features.withFloats(named: name) { features in
            try gradient.withFloats(named: name) { gradient in
                map.values.withUnsafeMutableBufferPointer { sums in
                    for channel in 0..<grid.channels {
                        let start = grid.start + channel * grid.channelStride
                        if self == .layerCAM {
                            for place in 0..<grid.area {
                                let index = start + place * grid.placeStride
                                sums[place] += max(gradient[index], 0) * features[index]
                            }
                        } else {
                            let weight = weight(features, gradient, grid, start)
                            for place in 0..<grid.area {
                                sums[place] += weight * features[start + place * grid.placeStride]
                            }
                        }
                    }
                    for place in 0..<grid.area { sums[place] = max(sums[place], 0) }
                }
            }
        }
        return map
    }

    /// One channel's weight.
    private func weight(
        _ features: UnsafeBufferPointer<Float>, _ gradient: UnsafeBufferPointer<Float>, _ grid: SpatialFeatures,
        _ start: Int
    ) -> Float {
        let indices = stride(from: start, to: start + grid.area * grid.placeStride, by: grid.placeStride)
        guard self == .gradCAMPlusPlus else {
            return Float(indices.reduce(0.0) { $0 + Double(gradient[$1]) } / Double(grid.area))
        }
        let sum = indices.reduce(0.0) { $0 + Double(features[$1]) }
        return Float(
            indices.reduce(0.0) { total, index in
                let slope = Double(gradient[index])
                let divisor = 2 * slope * slope + sum * slope * slope * slope
                guard slope > 0, divisor != 0 else { return total }
                return total + slope * slope * slope / divisor
            })
    }
}
