import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

@Suite struct InputPreparationTests {
    private static let value = ModelSignature.Value(name: "input", elementType: .float32, shape: [1, 3, nil, nil])

    private static func preparation(
        _ size: InputContract.Size, _ resize: InputContract.Resize, layout: InputContract.Layout = .channelsFirst
    ) -> InputPreparation {
        InputPreparation(InputContract(layout: layout, range: .unit, size: size, resize: resize), input: value)
    }

    /// 3 x 2, every byte its own.
    private static func image() throws -> RGBImage {
        try RGBImage(width: 3, height: 2, pixels: (0..<18).map { UInt8($0 * 10) })
    }

    struct Numbers: Sendable {
        let layout: InputContract.Layout
        let color: InputContract.Color
        let range: InputContract.Range
        /// Channel, row, column → the byte's place.
        let byte: @Sendable (Int, Int, Int) -> Int
        let value: @Sendable (Float) -> Float
    }

    static let numbers: [Numbers] = [
        Numbers(
            layout: .channelsFirst, color: .rgb, range: .unit, byte: { 3 * ($1 * 3 + $2) + $0 }, value: { $0 / 255 }),
        Numbers(layout: .channelsLast, color: .rgb, range: .bytes, byte: { 3 * ($1 * 3 + $2) + $0 }, value: { $0 }),
        Numbers(
            layout: .channelsFirst, color: .bgr, range: .signedUnit, byte: { 3 * ($1 * 3 + $2) + 2 - $0 },
            value: { $0 / 127.5 - 1 }),
    ]

    @Test(arguments: numbers.indices) func valuesByFormula(_ index: Int) throws {
        let test = Self.numbers[index]
        let mean: [Float] = [0.1, 0.2, 0.3]
        let std: [Float] = [0.5, 2, 4]
        let contract = InputContract(
            layout: test.layout, color: test.color, range: test.range, mean: mean, std: std,
            size: .fixed(height: 2, width: 3), resize: .stretch)
        let preparation = InputPreparation(contract, input: Self.value)
        let placements = try preparation.placements(width: 3, height: 2)
        #expect(placements == [.stretched(imageWidth: 3, imageHeight: 2, inputWidth: 3, inputHeight: 2)])
        let tensor = try preparation.tensor(try Self.image(), placements[0])
        let isFirst = test.layout == .channelsFirst
        #expect(tensor.shape == (isFirst ? [1, 3, 2, 3] : [1, 2, 3, 3]))
        let values = try tensor.array(of: Float.self)
        for channel in 0..<3 {
            for y in 0..<2 {
                for x in 0..<3 {
                    let byte = Float(test.byte(channel, y, x) * 10)
                    let expected = (test.value(byte) - mean[channel]) / std[channel]
                    let place = isFirst ? (channel * 2 + y) * 3 + x : 3 * (y * 3 + x) + channel
                    #expect(abs(values[place] - expected) < 1e-5)
                }
            }
        }
    }

    @Test func paddingIsZeroAfterNormalising() throws {
        let contract = InputContract(
            layout: .channelsFirst, range: .bytes, mean: [1, 2, 3], size: .fixed(height: 4, width: 6),
            resize: .longestPad)
        let preparation = InputPreparation(contract, input: Self.value)
        let grey = try RGBImage(width: 2, height: 2, pixels: [UInt8](repeating: 9, count: 12))
        let placement = try preparation.placements(width: 2, height: 2)[0]
        #expect(placement.contentWidth == 4 && placement.contentHeight == 4)
        let values = try preparation.tensor(grey, placement).array(of: Float.self)
        for channel in 0..<3 {
            for y in 0..<4 {
                let row = values[(channel * 4 + y) * 6..<(channel * 4 + y + 1) * 6]
                #expect(Array(row) == [8, 8, 8, 8, 0, 0].map { $0 == 0 ? 0 : $0 - Float(channel) })
            }
        }
    }

    @Test func elementTypesAndRanks() throws {
        let contract = InputContract(
            layout: .channelsLast, range: .bytes, size: .dynamic(multiple: 1), resize: .stretch)
        let bytes = InputPreparation(
            contract, input: .init(name: "image", elementType: .uint8, shape: [nil, nil, 3]))
        let placement = try bytes.placements(width: 3, height: 2)[0]
        let tensor = try bytes.tensor(try Self.image(), placement)
        #expect(tensor.shape == [2, 3, 3])
        #expect(try tensor.array(of: UInt8.self) == (try Self.image().pixels))
        let half = InputPreparation(
            contract, input: .init(name: "image", elementType: .float16, shape: [1, nil, nil, 3]))
        #expect(try half.tensor(try Self.image(), placement).array(of: Float16.self)[17] == 170)
    }

    struct Fit: Sendable {
        let size: InputContract.Size
        let resize: InputContract.Resize
        let image: [Int]
        /// Width and height of the content and of the input.
        let content: [Int]
        let input: [Int]
    }

    static let fits: [Fit] = [
        Fit(
            size: .fixed(height: 10, width: 20), resize: .stretch, image: [300, 7], content: [20, 10], input: [20, 10]),
        Fit(size: .dynamic(multiple: 32), resize: .stretch, image: [47, 49], content: [32, 64], input: [32, 64]),
        Fit(size: .dynamic(multiple: 32), resize: .stretch, image: [1, 1], content: [32, 32], input: [32, 32]),
        // SAM: new = int(x * scale + 0.5)
        Fit(
            size: .fixed(height: 1024, width: 1024), resize: .longestPad, image: [1500, 1001], content: [1024, 683],
            input: [1024, 1024]),
        Fit(
            size: .fixed(height: 1024, width: 1024), resize: .longestPad, image: [8, 40000], content: [1, 1024],
            input: [1024, 1024]),
        Fit(size: .dynamic(multiple: 32), resize: .longestPad, image: [33, 64], content: [33, 64], input: [64, 64]),
        // torchvision: the longer side is rounded down
        Fit(
            size: .fixed(height: 520, width: 520), resize: .shortest, image: [700, 501], content: [726, 520],
            input: [726, 520]),
    ]

    @Test(arguments: fits.indices) func imagesFitTheInput(_ index: Int) throws {
        let fit = Self.fits[index]
        let placements = try Self.preparation(fit.size, fit.resize).placements(
            width: fit.image[0], height: fit.image[1])
        let placement = try #require(placements.first)
        #expect(placements.count == 1)
        #expect([placement.contentWidth, placement.contentHeight] == fit.content)
        #expect([placement.inputWidth, placement.inputHeight] == fit.input)
        #expect(placement.source == BoundingBox(x: 0, y: 0, width: fit.image[0], height: fit.image[1]))
        #expect(placement.owned == placement.source)
    }

    @Test func veryNarrowImagesAreNotEnlargedWithoutLimit() throws {
        let preparation = Self.preparation(.fixed(height: 520, width: 520), .shortest)
        #expect(throws: RasterError.self) { try preparation.placements(width: 40000, height: 8) }
    }

    @Test(arguments: [(1000, 700), (384, 384), (385, 384), (50, 900), (1, 1)])
    func tilesShareTheImage(_ width: Int, _ height: Int) throws {
        for size in [InputContract.Size.dynamic(multiple: 32), .fixed(height: 384, width: 384)] {
            let preparation = Self.preparation(size, .tile)
            let placements = try preparation.placements(width: width, height: height)
            var owners = [Int](repeating: 0, count: width * height)
            for placement in placements {
                let (owned, source) = (placement.owned, placement.source)
                #expect(owned.x >= source.x && owned.y >= source.y)
                #expect(owned.right <= source.right && owned.bottom <= source.bottom)
                #expect(placement.contentWidth == source.width && placement.inputWidth == source.width)
                for y in owned.y..<owned.bottom { for x in owned.x..<owned.right { owners[y * width + x] += 1 } }
            }
            #expect(owners.allSatisfy { $0 == 1 })
        }
        let image = try RGBImage(
            width: width, height: height, pixels: [UInt8](repeating: 51, count: 3 * width * height))
        let preparation = Self.preparation(.dynamic(multiple: 32), .tile)
        let placement = try #require(preparation.placements(width: width, height: height).last)
        let values = try preparation.tensor(image, placement).array(of: Float.self)
        #expect(values.allSatisfy { abs($0 - 0.2) < 1e-6 })
    }

    @Test func tilesShowTheirPart() throws {
        let pixels = (0..<320).flatMap { (index: Int) -> [UInt8] in [UInt8(index % 40), UInt8(index / 40), 0] }
        let image = try RGBImage(width: 40, height: 8, pixels: pixels)
        let contract = InputContract(
            layout: .channelsFirst, range: .bytes, size: .fixed(height: 8, width: 16), resize: .tile)
        let preparation = InputPreparation(contract, input: Self.value)
        for placement in try preparation.placements(width: 40, height: 8) {
            let values = try preparation.tensor(image, placement).array(of: Float.self)
            #expect(values[0..<16].map { Int($0) } == Array(placement.source.x..<placement.source.right))
        }
    }

    @Test func errorLevelsAreScaledWithoutOffset() throws {
        let contract = InputContract(
            layout: .channelsLast, color: .bgr, range: .signedUnit, std: [1, 1, 2], size: .dynamic(multiple: 1),
            resize: .tile)
        let preparation = InputPreparation(contract, input: Self.value)
        // Planes R, G, B of 2 x 1, differences over 255.
        let tensor = try preparation.tensor(errorLevels: [0.1, 0.2, -0.3, 0, 0.5, -1], width: 2, height: 1)
        #expect(tensor.shape == [1, 1, 2, 3])
        // Twice the value (255 / 127.5): blue, green, red; red halved.
        let expected: [Float] = [1, -0.6, 0.1, -2, 0, 0.2]
        for (value, wanted) in zip(try tensor.array(of: Float.self), expected) { #expect(abs(value - wanted) < 1e-6) }
        #expect(throws: TensorError.self) { try preparation.tensor(errorLevels: [1, 2, 3], width: 2, height: 1) }
        #expect(throws: TensorError.self) { try preparation.tensor(errorLevels: [], width: 0, height: 0) }
    }
}
