import Foundation
import Testing

@testable import Pipeline

@Suite struct ActivationFusionTests {
    private static func view(_ name: String, _ values: [Float], width: Int, imageWidth: Int, imageHeight: Int) throws
        -> ActivationView
    {
        ActivationView(
            name: name, map: try FloatMap(width: width, height: values.count / width, values: values),
            placement: .stretched(imageWidth: imageWidth, imageHeight: imageHeight, inputWidth: 64, inputHeight: 64))
    }

    private static func maps() -> [FloatMap] {
        [(4, 3), (7, 5), (2, 2)].map { width, height in
            FloatMap(
                uncheckedWidth: width, height: height,
                values: (0..<width * height).map { Float(($0 * 37 + width) % 19) * 0.7 - 3 })
        }
    }

    /// The definition with maps enlarged whole by the images' own resizing, each pixel's mean taken by roots.
    @Test(arguments: [Float(1e-3), 0]) func equalsTheDefinition(_ floor: Float) throws {
        let (width, height) = (31, 22)
        let maps = Self.maps()
        let enlarged = try maps.map { map in
            let (low, high) = (try #require(map.values.min()), try #require(map.values.max()))
            let scaled = FloatMap(
                uncheckedWidth: map.width, height: map.height, values: map.values.map { ($0 - low) / (high - low) })
            return try scaled.resized(width: width, height: height)
        }
        let views = try maps.enumerated().map {
            try Self.view("\($0)", $1.values, width: $1.width, imageWidth: width, imageHeight: height)
        }
        let fused = ActivationFusion(floor: floor).fuse(views, width: width, height: height)
        #expect(fused.excluded.isEmpty && fused.warnings.isEmpty)
        for index in 0..<width * height {
            let product = enlarged.map { Double(max($0.values[index], floor)) }.reduce(1, *)
            #expect(abs(Double(fused.map.values[index]) - cbrt(product)) < 2e-5)
        }
    }

    @Test func literalZerosErase() throws {
        let a = try Self.view("a", [0, 1, 0.5, 0.25], width: 2, imageWidth: 2, imageHeight: 2)
        let b = try Self.view("b", [4, 0, 2, 1], width: 2, imageWidth: 2, imageHeight: 2)
        let literal = ActivationFusion(floor: 0).fuse([a, b], width: 2, height: 2).map.values
        #expect(literal[0] == 0 && literal[1] == 0 && abs(literal[2] - 0.5) < 1e-6 && abs(literal[3] - 0.25) < 1e-6)
        let floored = ActivationFusion().fuse([a, b], width: 2, height: 2).map.values
        // sqrt(0.001 * 1)
        #expect(abs(floored[0] - 0.0316228) < 1e-6 && abs(floored[1] - 0.0316228) < 1e-6)
    }

    @Test func viewsWithoutInformationLeaveTheMean() throws {
        let good = try Self.view("logit_2", [0, 1, 0.5, 0.25], width: 2, imageWidth: 2, imageHeight: 2)
        let flat = try Self.view("logit_3", [3, 3, 3, 3], width: 2, imageWidth: 2, imageHeight: 2)
        let broken = try Self.view("logit_4", [3, .nan, 3, 0], width: 2, imageWidth: 2, imageHeight: 2)
        let fused = ActivationFusion().fuse([flat, good, broken], width: 2, height: 2)
        #expect(fused.map.values == [0.001, 1, 0.5, 0.25])
        #expect(fused.excluded.map(\.view) == ["logit_3", "logit_4"])
        #expect(fused.excluded.map(\.reason) == [.constant(3), .notFinite])
        #expect(fused.warnings.count == 2 && fused.warnings[0].contains("logit_3"))
        let none = ActivationFusion().fuse([flat], width: 2, height: 2)
        #expect(none.map.values == [0, 0, 0, 0])
    }

    @Test func theLargestNumbersKeepTheirRange() throws {
        let huge = Float.greatestFiniteMagnitude
        let view = try Self.view("a", [-huge, huge, 0, 0], width: 2, imageWidth: 2, imageHeight: 2)
        #expect(ActivationFusion().fuse([view], width: 2, height: 2).map.values == [0.001, 1, 0.5, 0.5])
    }

    /// Padding neither takes part in the scaling nor reaches into the picture.
    @Test func paddingIsLeftOut() throws {
        let placement = InputPlacement(
            source: BoundingBox(x: 0, y: 0, width: 8, height: 4), contentWidth: 64, contentHeight: 32, inputWidth: 64,
            inputHeight: 64)
        let map = try FloatMap(width: 4, height: 4, values: [1, 2, 3, 4, 5, 6, 7, 8] + [90, 90, 90, 90, -90, 0, 0, 0])
        let fused = ActivationFusion().fuse(
            [ActivationView(name: "a", map: map, placement: placement)], width: 8, height: 4)
        let content = try FloatMap(width: 4, height: 2, values: (0..<8).map { Float($0) / 7 })
        let expected = try content.resized(width: 8, height: 4)
        for (value, wanted) in zip(fused.map.values, expected.values) { #expect(abs(value - max(wanted, 1e-3)) < 1e-6) }
    }
}
