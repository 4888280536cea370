import Foundation
import Testing

@testable import Pipeline

/// Values made by Tests/Fixtures/method.py with PyTorch and the published Segment Anything package.
struct MethodFixtures: Decodable {
    struct Upsampling: Decodable {
        struct Case: Decodable {
            let width: Int
            let height: Int
            let values: [Float]
        }
        let side: Int
        let frame: Int
        let logits: [Float]
        let cases: [Case]
    }

    struct Generation: Decodable {
        struct Options: Decodable {
            let pointsPerSide: Int
            let cropLayers: Int?
            let cropPointsDivisor: Int?

            enum CodingKeys: String, CodingKey {
                case pointsPerSide = "points_per_side"
                case cropLayers = "crop_n_layers"
                case cropPointsDivisor = "crop_n_points_downscale_factor"
            }
        }
        struct Mask: Decodable {
            let bbox: [Int]
            let area: Int
            let quality: Double
            let stability: Double
        }
        let width: Int
        let height: Int
        let options: Options
        let masks: [Mask]
    }

    let upsampling: Upsampling
    let generation: [Generation]

    static func load() throws -> MethodFixtures {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try JSONDecoder().decode(
            MethodFixtures.self, from: Data(contentsOf: folder.appendingPathComponent("Fixtures/method.json")))
    }
}

@Suite struct ResamplingAxisTests {
    @Test(arguments: [(1, 5), (2, 7), (9, 4), (16, 16), (5, 1), (3, 100)])
    func bilinearEqualsTheImagesResizing(_ source: Int, _ count: Int) throws {
        let values = (0..<source).map { Float(($0 * 13) % 7) - 2 }
        let axis = ResamplingAxis.bilinear(sourceCount: source, count: count, scale: Double(source) / Double(count))
        let row = InterpolatedPlane(
            values: values, columns: axis, rows: .bilinear(sourceCount: 1, count: 1, scale: 1))
        var result = [Float](repeating: 0, count: count)
        result.withUnsafeMutableBufferPointer { row.row(0, into: $0) }
        let expected = try FloatMap(width: source, height: 1, values: values).resized(width: count, height: 1)
        for (value, wanted) in zip(result, expected.values) { #expect(abs(value - wanted) < 1e-5) }
    }

    /// Two resizes with a crop between them as one, against PyTorch doing one after the other.
    @Test func composedEqualsTwoResizes() throws {
        let fixture = try MethodFixtures.load().upsampling
        for test in fixture.cases {
            let frame = SAMFrame(imageWidth: test.width, imageHeight: test.height, side: fixture.frame)
            let axes = frame.axes(maskWidth: fixture.side, maskHeight: fixture.side)
            let plane = InterpolatedPlane(values: fixture.logits, columns: axes.columns, rows: axes.rows)
            var row = [Float](repeating: 0, count: test.width)
            var largest: Float = 0
            for y in 0..<test.height {
                row.withUnsafeMutableBufferPointer { plane.row(y, into: $0) }
                for x in 0..<test.width { largest = max(largest, abs(row[x] - test.values[y * test.width + x])) }
            }
            #expect(largest < 1e-5, "\(test.width) x \(test.height)")
        }
    }

    @Test func weightsAddUpToOne() {
        let frame = SAMFrame(imageWidth: 40000, imageHeight: 8, side: 1024)
        #expect(frame.contentWidth == 1024 && frame.contentHeight == 1)
        let axes = frame.axes(maskWidth: 256, maskHeight: 256)
        for axis in [axes.columns, axes.rows] {
            for index in 0..<axis.count {
                let weights = axis.weights[index * axis.tapCount..<(index + 1) * axis.tapCount]
                #expect(abs(weights.reduce(0, +) - 1) < 1e-5 && weights.allSatisfy { $0 >= 0 })
                #expect(axis.starts[index] >= 0 && axis.starts[index] + axis.tapCount <= axis.sourceCount)
            }
        }
    }
}
