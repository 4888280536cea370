import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

/// A network that is a Swift function.
struct FakeNetwork: Inference {
    let compute: @Sendable ([String: Tensor]) throws -> [String: Tensor]

    func run(_ inputs: [String: Tensor], outputs: [String]?) throws -> [String: Tensor] {
        let results = try compute(inputs)
        guard let outputs else { return results }
        return results.filter { outputs.contains($0.key) }
    }
}

@Suite struct SemanticSegmenterTests {
    /// Scores without ties for `classes` classes on a grid.
    private static func scores(_ classes: Int, _ height: Int, _ width: Int) -> [[Float]] {
        (0..<classes).map { label in
            DenseScores.values(count: height * width, seed: UInt64(label + 1))
        }
    }

    private enum DenseScores {
        static func values(count: Int, seed: UInt64) -> [Float] {
            var state = seed &* 6_364_136_223_846_793_005 &+ 99
            return (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(state >> 40) / Float(1 << 23) - 1
            }
        }
    }

    struct Grid: Sendable {
        var width: Int
        var height: Int
        var image: [Int]
        var content: [Int]
        var input: [Int]
    }

    static let grids: [Grid] = [
        Grid(width: 8, height: 6, image: [61, 47], content: [64, 48], input: [64, 48]),
        Grid(width: 8, height: 6, image: [5, 4], content: [64, 48], input: [64, 48]),
        Grid(width: 8, height: 8, image: [80, 30], content: [64, 24], input: [64, 64]),
        Grid(width: 16, height: 1, image: [50, 9], content: [16, 4], input: [16, 4]),
        Grid(width: 1, height: 1, image: [10, 9], content: [32, 32], input: [32, 32]),
    ]

    /// Every class enlarged whole by the images' own resizing, then compared pixel by pixel.
    @Test(arguments: grids.indices, [InputContract.Layout.channelsFirst, .channelsLast])
    func argmaxEqualsEnlargingEveryClass(_ index: Int, _ order: InputContract.Layout) throws {
        let grid = Self.grids[index]
        let classes = 7
        let planes = Self.scores(classes, grid.height, grid.width)
        let (columns, rows) = (
            grid.width * grid.content[0] / grid.input[0], grid.height * grid.content[1] / grid.input[1]
        )
        let enlarged = try planes.map { plane in
            let content = (0..<rows).flatMap { plane[$0 * grid.width..<$0 * grid.width + columns] }
            return try FloatMap(width: columns, height: rows, values: content)
                .resized(width: grid.image[0], height: grid.image[1])
        }
        let values =
            order == .channelsFirst
            ? planes.flatMap { $0 } : (0..<grid.width * grid.height).flatMap { place in planes.map { $0[place] } }
        let placement = InputPlacement(
            source: BoundingBox(x: 0, y: 0, width: grid.image[0], height: grid.image[1]), contentWidth: grid.content[0],
            contentHeight: grid.content[1], inputWidth: grid.input[0], inputHeight: grid.input[1])
        var labels = LabelRuns()
        values.withUnsafeBufferPointer { values in
            let layout = ScoreLayout(order, classCount: classes, height: grid.height, width: grid.width)
            ArgmaxUpsampling(ClassScores(values: values, layout: layout), placement).collect(into: &labels)
        }
        var found = [Int?](repeating: nil, count: grid.image[0] * grid.image[1])
        for label in labels.labels {
            labels.mask(label, width: grid.image[0], height: grid.image[1]).forEachPixelIndex { found[$0] = label }
        }
        var wrong = 0
        for place in found.indices {
            let scores = enlarged.map { $0.values[place] }
            let best = try #require(scores.max())
            // Where two classes are as good as equal, either may win.
            guard let label = found[place], scores[label] > best - 1e-5 else {
                wrong += 1
                continue
            }
        }
        #expect(wrong == 0)
    }

    /// Left third class 0, then a block of class 2 above and of class 1 below, and an island of class 1 at the top right.
    private static let labels: [[Int]] = [
        [0, 0, 2, 2, 2, 1],
        [0, 0, 2, 2, 2, 2],
        [0, 0, 1, 1, 2, 2],
        [0, 0, 1, 1, 1, 1],
    ]

    private static func oneHot(_ order: InputContract.Layout, flattened: Bool = false) throws -> Tensor {
        let flat = labels.flatMap { $0 }
        switch order {
        case .channelsFirst:
            return try Tensor(
                (0..<3).flatMap { label in flat.map { $0 == label ? Float(5) : 0 } }, shape: [1, 3, 4, 6])
        case .channelsLast:
            let values = flat.flatMap { label in (0..<3).map { $0 == label ? Float(5) : 0 } }
            return try Tensor(values, shape: flattened ? [1, 24, 3] : [1, 4, 6, 3])
        }
    }

    private static func segmenter(
        _ output: Tensor, _ changes: [String: String?] = [:], options: SemanticSegmenter.Options = .init()
    ) throws -> SemanticSegmenter {
        let size: [String: String?] = ["input.size": "4,6", "output.classes": "background,bird,sky"]
        let model = TestModel.semantic(size.merging(changes) { $1 }, shape: [1, 3, 4, 6])
        return try SemanticSegmenter(
            try ModelContract(model),
            FakeNetwork { inputs in
                #expect(inputs["input"]?.shape == [1, 3, 4, 6])
                return ["out": output]
            }, options: options)
    }

    private static func image(_ width: Int, _ height: Int) throws -> RGBImage {
        try RGBImage(width: width, height: height, pixels: [UInt8](repeating: 100, count: 3 * width * height))
    }

    @Test func classesAndTheirComponentsAreCandidates() throws {
        // At the network's own size the labels come back as they are.
        for tensor in [
            try Self.oneHot(.channelsFirst), try Self.oneHot(.channelsLast),
            try Self.oneHot(.channelsLast, flattened: true),
        ] {
            let candidates = try Self.segmenter(tensor).candidates(in: try Self.image(6, 4))
            #expect(candidates.map(\.label) == ["bird", "bird", "bird", "sky"])
            #expect(candidates.map(\.mask.area) == [7, 1, 6, 9])
            #expect(candidates[2].mask.boundingBox == BoundingBox(x: 2, y: 2, width: 4, height: 2))
            #expect(candidates.allSatisfy { $0.mask.width == 6 && $0.mask.height == 4 })
        }
    }

    @Test func backgroundByFlagAndSmallAreasDropped() throws {
        let options = SemanticSegmenter.Options(includesBackground: true, minimumAreaFraction: 0.05)
        let candidates = try Self.segmenter(try Self.oneHot(.channelsFirst), options: options)
            .candidates(in: try Self.image(6, 4))
        #expect(candidates.map(\.label) == ["background", "bird", "bird", "sky"])
        #expect(candidates.map(\.mask.area) == [8, 7, 6, 9])
        // Without names every class counts.
        let nameless = try Self.segmenter(try Self.oneHot(.channelsFirst), ["output.classes": nil])
            .candidates(in: try Self.image(6, 4))
        #expect(Set(nameless.map(\.label)) == ["class 0", "class 1", "class 2"])
    }

    @Test func labelMaps() throws {
        let flat = Self.labels.flatMap { $0 }
        let shapes = [[1, 4, 6], [4, 6], [1, 1, 4, 6], [1, 4, 6, 1]]
        for shape in shapes {
            let tensor = try Tensor(flat.map { Int64($0) }, shape: shape)
            let segmenter = try Self.segmenter(tensor, ["output.kind": "labels"])
            let candidates = try segmenter.candidates(in: try Self.image(12, 8))
            // Twice the size: every label becomes four pixels.
            #expect(candidates.map(\.mask.area) == [28, 4, 24, 36])
            #expect(candidates.map(\.label) == ["bird", "bird", "bird", "sky"])
        }
        let segmenter = try Self.segmenter(try Self.oneHot(.channelsFirst), ["output.kind": "labels"])
        #expect(throws: InferenceError.self) { try segmenter.candidates(in: try Self.image(6, 4)) }
    }

    @Test func panopticIdentifiers() throws {
        // Two birds that touch, and sky; -1 is nothing.
        let ids: [Int32] = [
            -1, -1, 1001, 1001, 1002, 1002,
            -1, -1, 1001, 1001, 1002, 1002,
            2000, 2000, 2000, 2000, 2000, 2000,
            2000, 2000, 2000, 2000, 2000, 2000,
        ]
        let segmenter = try Self.segmenter(
            try Tensor(ids, shape: [1, 4, 6]), ["output.kind": "panoptic", "output.labelDivisor": "1000"])
        let candidates = try segmenter.candidates(in: try Self.image(6, 4))
        #expect(candidates.map(\.label) == ["bird", "bird", "bird", "sky"])
        #expect(candidates.map(\.mask.area) == [8, 4, 4, 12])
    }

    @Test func paddingIsCroppedBeforeEnlarging() throws {
        // A picture of 12 x 4 in an input of 6 x 4: two rows of content, then padding that is all sky.
        var labels = Self.labels
        labels[2] = [2, 2, 2, 2, 2, 2]
        labels[3] = [2, 2, 2, 2, 2, 2]
        let flat = labels.flatMap { $0 }
        let tensor = try Tensor(
            (0..<3).flatMap { label in flat.map { $0 == label ? Float(5) : 0 } }, shape: [1, 3, 4, 6])
        let segmenter = try Self.segmenter(
            tensor, ["input.resize": "longest-pad"],
            options: .init(includesBackground: true))
        let candidates = try segmenter.candidates(in: try Self.image(12, 4))
        // Background: two columns of six, in all four rows.
        #expect(candidates.first?.mask == Mask(width: 12, height: 4) { x, _ in x < 4 })
        #expect(candidates.map(\.mask.area).reduce(0, max) <= 32)
    }

    @Test func tilesLabelTheirOwnPart() throws {
        // The network calls bright pixels sky, dark ones bird.
        var pixels = [UInt8](repeating: 0, count: 3 * 20 * 9)
        for y in 0..<9 { for x in 7..<16 { for channel in 0..<3 { pixels[3 * (y * 20 + x) + channel] = 255 } } }
        let image = try RGBImage(width: 20, height: 9, pixels: pixels)
        let changes: [String: String?] = [
            "input.size": "8,8", "input.resize": "tile", "output.classes": "bird,sky", "output.kind": "probabilities",
        ]
        let model = TestModel.semantic(changes, shape: [1, 3, 8, 8])
        let network = FakeNetwork { inputs in
            let red = try #require(inputs["input"]).array(of: Float.self).prefix(64)
            return [
                "out": try Tensor(
                    red.map { $0 > 0 ? Float(0) : 1 } + red.map { $0 > 0 ? Float(1) : 0 }, shape: [1, 2, 8, 8])
            ]
        }
        let candidates = try SemanticSegmenter(try ModelContract(model), network).candidates(in: image)
        #expect(candidates.map(\.label) == ["bird", "bird", "bird", "sky"])
        #expect(candidates.last?.mask == Mask(width: 20, height: 9) { x, _ in (7..<16).contains(x) })
    }

    @Test(arguments: [[1, 1, 4, 6], [2, 3, 4, 6], [1, 4, 4, 6], [1, 3, 4], [1, 3, 0, 6], [3]])
    func otherShapesAreRefused(_ shape: [Int]) throws {
        let tensor = try Tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape: shape)
        let segmenter = try Self.segmenter(tensor)
        let error = #expect(throws: InferenceError.self) { try segmenter.candidates(in: try Self.image(6, 4)) }
        #expect(error?.description.contains("[1, 3, H, W]") == true)
    }

    @Test func otherRolesAreRefused() throws {
        let contract = try ModelContract(TestModel.samEncoder)
        #expect(throws: ContractError.self) { try SemanticSegmenter(contract, FakeNetwork { _ in [:] }) }
    }

    @Test func scoresThatAreNotNumbersDoNoHarm() throws {
        let tensor = try Tensor([Float](repeating: .nan, count: 72), shape: [1, 3, 4, 6])
        let candidates = try Self.segmenter(tensor, options: .init(includesBackground: true))
            .candidates(in: try Self.image(60, 40))
        #expect(candidates.map(\.mask.area) == [2400])
    }
}
