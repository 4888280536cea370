import ArgumentParser
import Foundation
import ONNXLoader
import Runtime

/// Whole graphs through the public interface: the time of a run with one thread and with all, in turn.
@main
struct Graphs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times models on random inputs with 1 thread and with all, run by run in turn.",
        discussion: "Prints median milliseconds, their ratio, and billions of multiply-adds a second.")

    @Option(help: "Counted runs of each.")
    var runs = 7

    @Option(help: "Size of every symbolic dimension but the first, which is 1.")
    var side = 384

    @Argument(help: "ONNX files with float inputs.")
    var models: [String]

    func run() throws {
        print("| graph | 1 thread, ms | \(ThreadPool.coreCount) threads, ms | ratio | GMAC/s |\n|---|---|---|---|---|")
        for path in models {
            let model = try Model(contentsOf: URL(fileURLWithPath: path))
            let single = try Session(model, options: .init(threads: 1))
            let all = try Session(model)
            let inputs = try self.inputs(of: single)
            var times: [[Double]] = [[], []]
            for run in 0...max(1, runs) {
                for (index, session) in [single, all].enumerated() {
                    let start = ContinuousClock.now
                    _ = try session.run(inputs)
                    let time = (ContinuousClock.now - start).components
                    if run > 0 { times[index].append(Double(time.seconds) * 1e3 + Double(time.attoseconds) * 1e-15) }
                }
            }
            let medians = times.map { $0.sorted()[$0.count / 2] }
            let work = try all.summary(for: inputs.mapValues { ValueType($0) }).multiplyAdds
            let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            print(
                "| \(name) |", medians.map { String(format: "%.1f", $0) }.joined(separator: " | "), "|",
                String(format: "%.2f | %.1f |", medians[0] / medians[1], Double(work) / medians[1] / 1e6))
        }
    }

    private func inputs(of session: Session) throws -> [String: Tensor] {
        try session.inputs.reduce(into: [:]) { inputs, input in
            guard case .tensor(.float32, let dimensions?) = input.kind else {
                throw ValidationError("The input \(input.name) is not a float tensor of known rank.")
            }
            let shape = dimensions.enumerated().map { index, dimension in
                if case .fixed(let size) = dimension { size } else { index == 0 ? 1 : side }
            }
            let count = shape.reduce(1, *)
            inputs[input.name] = try Tensor((0..<count).map { _ in Float.random(in: -1...1) }, shape: shape)
        }
    }
}
