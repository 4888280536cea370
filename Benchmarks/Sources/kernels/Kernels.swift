import ArgumentParser
import BLASForComparison
import Foundation
import Runtime

/// Single layers beside OpenBLAS's product of matrices of the same sizes, whose patches it finds ready made.
@main
struct Kernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Times layers of the benchmark's graphs and OpenBLAS's products of the same sizes, run by run in turn.",
        discussion: """
            Rates are billions of multiply-adds a second that the layer's definition counts; a kernel that needs fewer \
            can exceed what the processor computes. The first row is OpenBLAS on large square matrices.
            """)

    @Option(help: "Counted runs of each.")
    var runs = 7

    @Option(help: "Threads.")
    var threads = ThreadPool.coreCount

    func run() throws {
        print("| graph | layer | kernel | GMAC/s | OpenBLAS, GMAC/s | ratio of times |\n|---|---|---|---|---|---|")
        let side = 2048
        let peak = try Product(rows: side, columns: side, inner: side)
        let seconds = median((0..<runs).map { _ in time { peak.run(threads: threads) } })
        print("| | \(side)³ | | |", rate(side * side * side, seconds), "| |")
        for layer in Layer.all {
            let session = try Session(layer.model(), options: .init(threads: threads))
            let inputs = ["input": try Layer.random(layer.inputShape)]
            let product = try Product(rows: layer.rows, columns: layer.columns, inner: layer.inner)
            var times: [[Double]] = [[], []]
            for run in 0...max(1, runs) {
                // OpenBLAS's threads wait actively for a while.
                Thread.sleep(forTimeInterval: 0.05)
                let ours = try time { _ = try session.run(inputs) }
                Thread.sleep(forTimeInterval: 0.05)
                let theirs = time { product.run(threads: threads) }
                guard run > 0 else { continue }
                times[0].append(ours)
                times[1].append(theirs)
            }
            let kernel = try session.summary(for: inputs.mapValues { ValueType($0) }).steps.first?.kernel ?? ""
            let work = layer.rows * layer.columns * layer.inner
            let medians = times.map(median)
            print(
                "| \(layer.graph) | \(layer.description) | \(kernel) |", rate(work, medians[0]), "|",
                rate(work, medians[1]), "|", String(format: "%.2f |", medians[0] / medians[1]))
        }
    }

    private func rate(_ multiplyAdds: Int, _ seconds: Double) -> String {
        String(format: "%.0f", Double(multiplyAdds) / seconds * 1e-9)
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func time(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

/// A product of random matrices by OpenBLAS.
private final class Product {
    private let rows, columns, inner: Int
    private let left, right: [Float]
    private var result: [Float]

    init(rows: Int, columns: Int, inner: Int) throws {
        (self.rows, self.columns, self.inner) = (rows, columns, inner)
        left = try Layer.random([rows, inner]).array(of: Float.self)
        right = try Layer.random([inner, columns]).array(of: Float.self)
        result = Array(repeating: 0, count: rows * columns)
    }

    func run(threads: Int) {
        openblas_set_num_threads(Int32(threads))
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(columns), blasint(inner), 1, left,
            blasint(inner), right, blasint(columns), 0, &result, blasint(columns))
        openblas_set_num_threads(1)
    }
}
