import ArgumentParser
import Foundation
import ONNXLoader
import Pipeline
import Runtime

@main
struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Checks, optimises, describes, re-weights and runs ONNX models.",
        discussion: """
            Without further options the model is checked, optimised and summarised, and MODEL.optimized.onnx is written: \
            a standard ONNX file for any tool, with its weights aligned for mapping. With --check, --run or --profile \
            nothing is written unless --output names a file.

            The exit code is 0 when all went well, 1 when the model would not run or something failed, and 64 when the \
            arguments make no sense.
            """,
        version: Tamperscope.version)

    @Argument(help: "The ONNX file.")
    var model: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the optimised model goes.", valueName: "file"))
    var output: String?

    @Flag(help: "Report only; the exit code says whether the model would run.")
    var check = false

    @Flag(help: "Print one JSON document instead of text.")
    var json = false

    @OptionGroup(title: "Metadata")
    var metadata: MetadataArguments

    @OptionGroup(title: "Weights")
    var weights: WeightArguments

    @OptionGroup(title: "Running")
    var running: RunArguments

    func validate() throws {
        if check, output != nil { throw ValidationError("--check writes nothing: leave out --output.") }
        if check, running.isWanted { throw ValidationError("--check runs nothing: leave out --run and --profile.") }
    }

    func run() throws {
        var report = Report(model: model)
        do {
            try work(&report)
        } catch {
            report.error = "\(error)"
        }
        print(json ? try report.json() : report.text, terminator: "")
        if let error = report.error {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func work(_ report: inout Report) throws {
        let inputs = try running.inputFile.map { try TensorArchive(contentsOf: URL(fileURLWithPath: $0)) }
        let start = ContinuousClock.now
        var model = try Model(contentsOf: URL(fileURLWithPath: model))
        report.describe(model)
        try weights.replace(in: &model, report: &report)
        try metadata.record(in: &model, file: self.model)
        report.recognise(model, file: self.model)
        try running.fixDimensions(of: &model)
        report.describe(model)
        let session = try Session(model, options: .init(threads: running.threads))
        let loadSeconds = (ContinuousClock.now - start).inSeconds

        if running.isWanted {
            try running.execute(session, archive: inputs, loadSeconds: loadSeconds, report: &report)
        }
        let types = try running.inputTypes(of: session, archive: inputs)
        if let types { report.plan = try session.summary(for: types) }
        let (optimized, passes) = try Optimizer.optimize(model)
        report.describe(passes)
        report.runs = true
        if output != nil || !(check || running.isWanted) {
            let path = output ?? optimizedName
            try optimized.write(to: URL(fileURLWithPath: path))
            report.output = path
        }
    }

    /// The model's name with `.optimized` before its ending.
    private var optimizedName: String {
        model.hasSuffix(".onnx") ? model.dropLast(".onnx".count) + ".optimized.onnx" : model + ".optimized.onnx"
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
