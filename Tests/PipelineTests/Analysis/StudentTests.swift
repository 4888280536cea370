import Foundation
import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

@Suite struct StudentTests {
    private static let metadata = [
        "tamperscope.role": "student", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.mean": "0,0,0", "input.std": "1,1,1", "input.size": "8,8", "input.resize": "stretch",
    ]

    private static func student(
        _ kind: String, shape: [Int], _ values: [Float], _ changes: [String: String] = [:]
    ) throws -> Student {
        var metadata = metadata.merging(["output.kind": kind]) { $1 }
        metadata.merge(changes) { $1 }
        let isDynamic = metadata["input.size"]?.hasPrefix("dynamic") == true
        let model = TestModel.model(
            [TestGraph.value("image", isDynamic ? [1, 3, nil, nil] : [1, 3, 8, 8])], [TestGraph.value("map", nil)],
            metadata)
        return try Student(
            try ModelContract(model), FakeNetwork { _ in ["map": try Tensor(values, shape: shape)] })
    }

    private static func image(_ width: Int, _ height: Int) throws -> RGBImage {
        try RGBImage(width: width, height: height, pixels: [UInt8](repeating: 9, count: 3 * width * height))
    }

    /// PyTorch's map of a photo, with its own network (Tests/Fixtures/student.py).
    @Test func equalsPyTorch() throws {
        struct Expected: Decodable {
            let photo: String
            let width: Int
            let height: Int
            let map: [Float]
        }
        let folder = ImageFixtures.folder.appending(path: "../student").standardizedFileURL
        let expected = try JSONDecoder().decode(
            Expected.self, from: try Data(contentsOf: folder.appending(path: "expected.json")))
        var opener = ModelOpener(folder: folder)
        let student = try opener.student(folder.appending(path: "student.onnx"))
        let result = try student.localize(try ImageFile.load(ImageFixtures.path(expected.photo)).image)
        #expect(result.map.width == expected.width && result.map.height == expected.height)
        let difference = zip(result.map.values, expected.map).map { abs($0 - $1) }.max() ?? 1
        #expect(difference < 1e-4, "\(difference)")
        #expect(result.probability == Double(result.map.values.max() ?? 0))
        #expect(try opener.used().map(\.role) == ["student"])
    }

    @Test(arguments: [[1, 1, 2, 3], [1, 2, 3, 1], [1, 2, 3], [2, 3]]) func outputs(_ shape: [Int]) throws {
        let values: [Float] = [-2, 0, 1, 3, -40, 200]
        let coarse = try FloatMap(width: 3, height: 2, values: values)
        let result = try Self.student("logits", shape: shape, values).localize(try Self.image(17, 11))
        let enlarged = try coarse.resized(width: 17, height: 11).values
        for (found, logit) in zip(result.map.values, enlarged) {
            #expect(abs(found - 1 / (1 + Float(exp(-Double(logit))))) < 1e-6)
        }
        let probabilities: [Float] = [0.25, 0, 1, 0.5, 1.25, -1]
        let plain = try Self.student("probabilities", shape: shape, probabilities).localize(try Self.image(3, 2))
        #expect(plain.map.values == [0.25, 0, 1, 0.5, 1, 0] && plain.probability == 1)
    }

    /// Padding has no part in the map: a pad of high values on the right does not show.
    @Test func paddingIsLeftOut() throws {
        let values = (0..<64).map { Float($0 % 8 < 4 ? 0.25 : 1) }
        let result = try Self.student(
            "probabilities", shape: [1, 1, 8, 8], values, ["input.resize": "longest-pad"]
        ).localize(try Self.image(20, 40))
        #expect(result.map.values.allSatisfy { $0 == 0.25 })
    }

    @Test func tilesCoverAnImage() throws {
        let shares = Counter()
        let result = try Self.student(
            "probabilities", shape: [1, 1, 2, 2], [0.5, 0.5, 0.5, 0.5], ["input.resize": "tile"]
        ).localize(try Self.image(19, 13)) { _ in _ = shares.increment() }
        #expect(result.map.values.count == 19 * 13 && result.map.values.allSatisfy { $0 == 0.5 })
        #expect(shares.increment() > 4)
    }

    @Test func whatIsNoMapIsRefused() throws {
        for (shape, values) in [
            ([1, 2, 2, 2], [Float](repeating: 0, count: 8)), ([4], [0, 0, 0, 0]), ([1, 1, 1, 2], [.nan, 0]),
            ([1, 1, 0, 2], []), ([1, 1, 1, 2], [.infinity, 0]),
        ] as [([Int], [Float])] {
            #expect(throws: InferenceError.self) {
                try Self.student("logits", shape: shape, values).localize(try Self.image(4, 4))
            }
        }
        let contract = try ModelContract(TestModel.semantic())
        #expect(throws: ContractError.self) { try Student(contract, FakeNetwork { _ in [:] }) }
    }
}
