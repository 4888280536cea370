import ArgumentParser
import Foundation
import ONNXLoader
import Runtime

/// Whole graphs through the public interface: the time of a run with one thread and with all, in turn.
@main
struct Graphs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times models on random inputs with 1 thread and with all, run by run in turn.",
        discussion: """
            Prints median milliseconds, their ratio, and billions of multiply-adds a second. With --serve one model runs \
            once for each line of standard input.
            """)

    @Option(help: "Counted runs of each.")
    var runs = 7

    @Option(help: "Threads; with --serve only.")
    var threads = ThreadPool.coreCount

    @Flag(help: "Answer each line of standard input by a run and a line of JSON: its seconds, and the peak megabytes.")
    var serve = false

    @Option(help: "Size of every symbolic dimension but the first, which is 1.")
    var side = 384

    @Argument(help: "ONNX files with float inputs.")
    var models: [String]

    func run() throws {
        guard serve else { return try compareThreads() }
        guard models.count == 1 else { throw ValidationError("Give one model to serve.") }
        let start = ContinuousClock.now
        let session = try Session(
            contentsOf: URL(fileURLWithPath: models[0]), options: .init(threads: threads))
        let opened = ContinuousClock.now
        let inputs = try self.inputs(of: session)
        let ready = ContinuousClock.now
        _ = try session.run(inputs)
        answer(["first": (opened - start + (ContinuousClock.now - ready)).seconds])
        while readLine() != nil {
            let start = ContinuousClock.now
            _ = try session.run(inputs)
            answer(["seconds": (ContinuousClock.now - start).seconds, "peak": peakMegabytes])
        }
    }

    private func answer(_ values: [String: Double]) {
        print("{\(values.map { "\"\($0)\": \($1)" }.joined(separator: ", "))}")
        fflush(nil)
    }

    private func compareThreads() throws {
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
                    if run > 0 { times[index].append((ContinuousClock.now - start).seconds * 1e3) }
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
            // Inputs of SAM's decoder that mean something.
            let values: [Float] =
                switch input.name {
                case "orig_im_size": [1500, 2250]
                case "point_coords": (0..<count).map { _ in Float.random(in: 0..<1024) }
                case "point_labels": (0..<count).map { Float($0 % 2) }
                default: (0..<count).map { _ in Float.random(in: -1...1) }
                }
            inputs[input.name] = try Tensor(values, shape: shape)
        }
    }

    /// The most memory that this process has had, as Linux tells it.
    private var peakMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0) / 1024
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
