import ONNXLoader
import Testing

@testable import Runtime

/// Files written down byte by byte. The formats of libraries are compared by the onnx package's cases.
@Suite struct ImageDecoderTests {
    private func decode(_ bytes: [UInt8], _ format: String = "RGB") throws -> Tensor {
        try run(
            "ImageDecoder", [Tensor(bytes, shape: [bytes.count])], opset: 20, threads: 1,
            attributes: ["pixel_format": .string(Array(format.utf8))])
    }

    @Test(arguments: [
        ("P3 2 1 # two pixels\n15\n0 15 3 1 2 4", [2, 1], [0, 255, 51, 17, 34, 68]),
        ("P1 3 1\n101", [3, 1], [0, 0, 0, 255, 255, 255, 0, 0, 0]),
        ("P5 1 2 255\nAB", [1, 2], [65, 65, 65, 66, 66, 66]),
    ])
    func portableImages(_ text: String, _ size: [Int], _ expected: [UInt8]) throws {
        let image = try decode(Array(text.utf8))
        #expect(image.shape == [size[1], size[0], 3])
        #expect(try image.array(of: UInt8.self) == expected)
    }

    @Test func pixelFormats() throws {
        let file = Array("P6 1 1 255\n".utf8) + [10, 20, 30]
        #expect(try decode(file, "BGR").array(of: UInt8.self) == [30, 20, 10])
        let gray = try decode(file, "Grayscale")
        #expect(gray.shape == [1, 1, 1])
        #expect(try gray.array(of: UInt8.self) == [18])
    }

    @Test(arguments: ["", "x", "P6 1 1 255\n", "P6 2000000000 2000000000 1\n", "P5 1 1 70000\nA", "BM", "P7 1 1 1 1"])
    func damagedBytesGiveNoPixels(_ text: String) throws {
        do {
            #expect(try decode(Array(text.utf8)).count == 0)
        } catch let error as RuntimeError {
            #expect(["memory", "limit", "shape"].contains { "\(error)".contains($0) }, "\(error)")
        }
    }

    @Test func otherFormatsAreNamed() throws {
        let error = #expect(throws: RuntimeError.self) {
            try decode([0, 0, 0, 12] + Array("jP  ".utf8) + [13, 10, 0x87, 10])
        }
        #expect(error?.description.contains("JPEG 2000") == true)
    }
}
