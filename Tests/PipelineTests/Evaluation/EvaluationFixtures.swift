import Foundation
import Testing

@testable import Pipeline

/// What Tests/Fixtures/evaluation.py says: figures of scikit-learn, SciPy, NumPy and OpenCV.
struct EvaluationFixtures: Decodable {
    struct Pixels: Decodable, CustomTestStringConvertible {
        let name: String
        let levels: [UInt16]
        /// A digit a pixel.
        let truth: String
        let threshold: Double
        let strict: Bool
        let figures: [PixelFigure: Double]
        let area: Double

        var testDescription: String { name }
        var histogram: ScoreHistogram { get throws { try EvaluationFixtures.histogram(levels, truth) } }
    }

    struct Images: Decodable {
        let name: String
        let scores: [Double]
        let labels: [Int]
        let auc: Double
        let f1: Double
        let balanced: Double
        let accuracy: Double
    }

    struct Band: Decodable {
        let width: Int
        let height: Int
        let mask: String
        let classes: String
    }

    struct Better: Decodable {
        let levels: [UInt16]
        let truth: String
        let f1: Double
        let bestF1: Double
        let auc: Double
        let ap: Double
        let mcc: Double
    }

    struct Blur: Decodable {
        let width: Int
        let height: Int
        let rgb: [UInt8]
        let results: [String: [Int]]
    }

    struct Resized: Decodable {
        let width: Int
        let height: Int
        let levels: [UInt16]
        /// By width and height, such as `16x9`.
        let results: [String: [UInt16]]
    }

    struct Resampling: Decodable {
        let values: [Double]
        let seed: UInt64
        let count: Int
        let low: Double
        let high: Double
    }

    let pixels: [Pixels]
    let images: [Images]
    let bands: [Band]
    let better: Better
    let blur: Blur
    let bootstrap: Resampling
    let resized: Resized

    static let shared: EvaluationFixtures = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/evaluation.json").standardizedFileURL
        do {
            return try JSONDecoder().decode(EvaluationFixtures.self, from: Data(contentsOf: file))
        } catch {
            preconditionFailure("\(file.path): \(error)")
        }
    }()

    static func flags(_ digits: String) -> [Bool] { digits.map { $0 == "1" } }

    static func histogram(_ levels: [UInt16], _ truth: String) throws -> ScoreHistogram {
        try ScoreHistogram(
            LevelMap(width: levels.count, height: 1, levels: levels),
            truth: PixelTruth(BinaryMask(width: levels.count, height: 1, values: flags(truth))))
    }
}
