import Testing

@testable import Pipeline

@Suite struct DegradationTests {
    @Test func blurIsOpenCVsInFloatingPoint() throws {
        let blur = EvaluationFixtures.shared.blur
        let image = try RGBImage(width: blur.width, height: blur.height, pixels: blur.rgb)
        for (kernel, expected) in blur.results {
            let blurred = image.blurred(kernel: try #require(Int(kernel)))
            let differences = zip(blurred.pixels, expected).map { abs(Int($0) - $1) }
            // Sums that end in a half may be rounded either way.
            #expect(differences.max() ?? 0 <= 1, "kernel \(kernel)")
            #expect(differences.count { $0 > 0 } <= 2, "kernel \(kernel)")
        }
    }

    @Test func aKernelLargerThanThePictureKeepsConstants() throws {
        let image = try RGBImage(width: 2, height: 1, pixels: [9, 80, 255, 9, 80, 255])
        #expect(image.blurred(kernel: 23) == image)
    }

    @Test func noiseHasItsDeviationAndSeed() throws {
        let image = try RGBImage(width: 200, height: 100, pixels: [UInt8](repeating: 128, count: 60_000))
        let noisy = image.noisy(deviation: 11, seed: 3)
        #expect(noisy == image.noisy(deviation: 11, seed: 3))
        #expect(noisy != image.noisy(deviation: 11, seed: 4))
        let differences = noisy.pixels.map { Double($0) - 128 }
        let mean = differences.reduce(0, +) / 60_000
        let deviation = (differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60_000).squareRoot()
        // Within five standard errors; rounding adds 1/12 to the variance.
        #expect(abs(mean) < 5 * 11 / 60_000.0.squareRoot())
        #expect(abs(deviation - (121 + 1 / 12.0).squareRoot()) < 5 * 11 / 120_000.0.squareRoot())
    }

    @Test func theGridIsApplied() throws {
        let image = try ImageFile.load(ImageFixtures.path("420.jpg")).image
        #expect(Degradation.grid.count == Set(Degradation.grid.map(\.name)).count)
        for degradation in Degradation.grid {
            let degraded = try degradation.applied(to: image, seed: 1)
            if case .resize(let percent) = degradation {
                #expect(degraded.width == image.width * percent / 100)
            } else {
                #expect(degraded.width == image.width && degraded.height == image.height)
                if degradation != .jpeg(quality: 100) { #expect(degraded != image, "\(degradation.name)") }
            }
        }
    }
}
