import Foundation

extension RGBImage {
    /// Convolved with a Gaussian, columns and rows in turn, in floating point and rounded once. Beyond the border the
    /// picture is mirrored without repeating its edge.
    /// - Parameter kernel: the odd number of taps; the weights follow from it as in OpenCV: tables up to 9, then a Gaussian
    ///   of deviation `0.3 · ((k − 1) / 2 − 1) + 0.8`.
    func blurred(kernel: Int) -> RGBImage {
        let taps = Self.gaussian(kernel)
        let radius = kernel / 2
        let columns = (-radius..<width + radius).map { 3 * reflectedIndex(abs($0), count: width) }
        let rows = (-radius..<height + radius).map { reflectedIndex(abs($0), count: height) }
        let stride = 3 * width
        var across = [Float](repeating: 0, count: stride * height)
        pixels.withUnsafeBufferPointer { pixels in
            across.withUnsafeMutableBufferPointer { across in
                for y in 0..<height {
                    for x in 0..<width {
                        for channel in 0..<3 {
                            var sum: Float = 0
                            for (tap, weight) in taps.enumerated() {
                                sum += weight * Float(pixels[y &* stride &+ columns[x &+ tap] &+ channel])
                            }
                            across[y &* stride &+ 3 &* x &+ channel] = sum
                        }
                    }
                }
            }
        }
        var blurred = [UInt8](repeating: 0, count: pixels.count)
        var sums = [Float](repeating: 0, count: stride)
        for y in 0..<height {
            sums.withUnsafeMutableBufferPointer { sums in
                across.withUnsafeBufferPointer { across in
                    sums.update(repeating: 0)
                    for (tap, weight) in taps.enumerated() {
                        let row = rows[y + tap] * stride
                        for i in 0..<stride { sums[i] += weight * across[row &+ i] }
                    }
                    for i in 0..<stride { blurred[y &* stride &+ i] = UInt8(min(max(sums[i].rounded(), 0), 255)) }
                }
            }
        }
        return RGBImage(uncheckedWidth: width, height: height, pixels: blurred)
    }

    /// OpenCV's kernels for small sides, in parts of 256.
    private static let tables: [Int: [Float]] = [
        3: [64, 128, 64], 5: [16, 64, 96, 64, 16], 7: [8, 28, 56, 72, 56, 28, 8],
        9: [4, 13, 30, 51, 60, 51, 30, 13, 4],
    ]

    /// Weights that add up to 1.
    private static func gaussian(_ count: Int) -> [Float] {
        if let table = tables[count] { return table.map { $0 / 256 } }
        let deviation = 0.3 * (Double(count - 1) / 2 - 1) + 0.8
        let samples = (0..<count).map { tap in
            let distance = Double(tap) - Double(count - 1) / 2
            return exp(-distance * distance / (2 * deviation * deviation))
        }
        let sum = samples.reduce(0, +)
        return samples.map { Float($0 / sum) }
    }
}
