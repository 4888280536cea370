import Foundation
import ONNXLoader
import Runtime
import TestSupport
import Testing

@testable import Pipeline

/// The classifier that comes with the product, put together from its parts step by step.
@Suite struct ClassifierTests {
    private static let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../models/wcbnet-tiny.onnx")

    private func photo(_ width: Int, _ height: Int) throws -> RGBImage {
        var generator = SplitMix64(state: 11)
        let pixels = (0..<3 * width * height).map { index in
            let (x, y) = (index / 3 % width, index / 3 / width)
            return UInt8(
                128 + Int(90 * sin(Double(x) / 9 + Double(y) / 14)) + Int.random(in: -20...20, using: &generator))
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    /// A part of the sample photo with its manipulation in the middle.
    private func sample(_ width: Int, _ height: Int) throws -> RGBImage {
        let path = Self.url.deletingLastPathComponent().appending(path: "../samples/alpine-duck.jpg").path
        let whole = try ImageFile.load(path).image
        let (left, top) = (40, 80)
        var pixels: [UInt8] = []
        for row in top..<top + height {
            let start = (row * whole.width + left) * 3
            pixels += whole.pixels[start..<start + width * 3]
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Logit and raw map of one view of one input.
    private func look(_ file: ModelFile, _ session: Session, _ view: ModelMetadata.View, _ tensor: Tensor) throws -> (
        logit: Double, map: FloatMap
    ) {
        let head = try LinearHead(in: file.model.graph, logit: view.logit, features: view.features)
        let values = try session.values([view.logit, view.features], of: ["error_levels": tensor])
        return (Double(try values[0].array(of: Float.self)[0]), try head.activation(of: values[1]))
    }

    /// Tiles of 384 pixels, three quarters of that apart, are cut from the error levels of the whole photo; raw maps are
    /// blended by tents; a view's logit is the highest of its tiles', the photo's the highest mean over the views.
    @Test func largePhotosAreTiled() throws {
        let image = try sample(700, 420)
        let file = try ModelFile(Self.url)
        let session = try Session(file.model)
        let result = try Classifier(file, session).classify(image)
        #expect(result.views.map(\.number) == [2, 3, 4] && result.warnings.isEmpty)

        let tiles = try Tiles(width: 700, height: 420, tileWidth: 384, tileHeight: 384)
        #expect(tiles.columns == [0, 288, 316] && tiles.rows == [0, 36])
        let levels = try ErrorLevels().compare(image)
        let preparation = InputPreparation(
            try #require(file.contract.input), input: try #require(file.contract.imageInput))
        var logits = [[Double]](repeating: [], count: tiles.count)
        for (index, view) in file.contract.views.enumerated() {
            var blend: TileBlend?
            for tile in 0..<tiles.count {
                let (x, y) = tiles.origin(of: tile)
                let planes = try levels.planes(x: x, y: y, width: 384, height: 384)
                let seen = try look(
                    file, session, view, preparation.tensor(errorLevels: planes, width: 384, height: 384))
                logits[tile].append(seen.logit)
                let columns = (700 * seen.map.width + 383) / 384
                let rows = (420 * seen.map.height + 383) / 384
                if blend == nil { blend = try TileBlend(tiles, width: columns, height: rows) }
                blend?.add(seen.map, tile: tile)
            }
            let expected = try #require(blend?.map)
            let map = result.views[index].activation.map
            #expect(map.width == expected.width && map.height == expected.height)
            let largest = expected.values.max() ?? 0
            let error = zip(map.values, expected.values).map { abs($0 - $1) }.max() ?? .infinity
            #expect(largest > 0 && error < 1e-4 * largest)
            #expect(abs(result.views[index].logit - (logits.map { $0[index] }.max() ?? 0)) < 1e-4)
        }
        let means = logits.map { $0.reduce(0, +) / 3 }
        #expect(zip(result.placeLogits, means).allSatisfy { abs($0 - $1) < 1e-4 })

        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).png").path
        try PNGWriter.write(image, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let probability = 1 / (1 + exp(-(means.max() ?? 0)))
        let whole = Analyzer(classifiers: [try Classifier(file, session)], segmenter: nil)
        #expect(abs(try whole.analyze(path).probability - probability) < 1e-4)
        // Three classifiers of one view each say the same, and share the error levels.
        let parts = try [0, 1, 2].map { try Classifier(file, session, places: [$0]) }
        let analysis = try Analyzer(classifiers: parts, segmenter: nil).analyze(path)
        #expect(abs(analysis.probability - probability) < 1e-4)
        #expect(analysis.views.map(\.number) == [2, 3, 4])
    }

    /// 100 x 70 pixels are continued by reflection to 128 x 96, and the map is cut to what shows the photo.
    @Test func smallPhotosAreReflected() throws {
        let image = try photo(100, 70)
        let file = try ModelFile(Self.url)
        let session = try Session(file.model)
        let result = try Classifier(file, session).classify(image)
        let preparation = InputPreparation(
            try #require(file.contract.input), input: try #require(file.contract.imageInput))
        let planes = try ErrorLevels().planes(of: image.reflected(width: 128, height: 96))
        let tensor = try preparation.tensor(errorLevels: planes, width: 128, height: 96)
        for (view, result) in zip(file.contract.views, result.views) {
            let seen = try look(file, session, view, tensor)
            #expect(abs(result.logit - seen.logit) < 1e-4)
            let map = result.activation.map
            #expect(map.width == (100 * seen.map.width + 127) / 128 && map.height == (70 * seen.map.height + 95) / 96)
        }
    }

    @Test func errorLevelsAreTakenOncePerSetting() throws {
        let image = try photo(90, 60)
        let variants = RecompressedVariants(image)
        let size = RecompressedVariants.Size.reflected(width: 96, height: 64)
        let first = try variants.variant(ErrorLevels(), size)
        #expect(try variants.variant(ErrorLevels(), size).recompressed == first.recompressed)
        #expect(variants.count == 1)
        // Another gain is another factor on the same differences.
        let doubled = try variants.variant(ErrorLevels(gain: 2), size)
        #expect(variants.count == 1 && doubled.gain == 2 && doubled.planes() == first.planes().map { 2 * $0 })
        _ = try variants.variant(ErrorLevels(quality: 80), size)
        _ = try variants.variant(ErrorLevels(subsampling: .s444), size)
        let resized = try variants.variant(ErrorLevels(), .resized(width: 32, height: 32))
        #expect(variants.count == 4 && resized.original.width == 32)
        #expect(try resized.planes() == ErrorLevels().planes(of: image.resized(width: 32, height: 32)))
    }

    @Test func theNetworksClockCountsOverlapOnce() {
        let clock = NetworkClock()
        let start = ContinuousClock.now
        clock.measure {
            clock.measure { usleep(20_000) }
            #expect(clock.seconds >= 0.02)
        }
        let elapsed = (ContinuousClock.now - start).seconds
        let total = clock.seconds
        #expect(total >= 0.02 && total <= elapsed)
        usleep(1000)
        #expect(clock.seconds == total)
    }
}
