import Foundation

extension RGBImage {
    /// Every sample plus independent Gaussian noise, rounded and limited to 0 ... 255.
    func noisy(deviation: Double, seed: UInt64) -> RGBImage {
        var generator = SplitMix64(seed: seed)
        var noisy = pixels
        var index = 0
        while index < noisy.count {
            // Box and Muller's transform makes two numbers at a time; 1 − u is never 0.
            let radius = deviation * (-2 * log(1 - generator.unit())).squareRoot()
            let angle = 2 * Double.pi * generator.unit()
            for noise in [radius * cos(angle), radius * sin(angle)] where index < noisy.count {
                noisy[index] = UInt8(min(max((Double(noisy[index]) + noise).rounded(), 0), 255))
                index += 1
            }
        }
        return RGBImage(uncheckedWidth: width, height: height, pixels: noisy)
    }
}
