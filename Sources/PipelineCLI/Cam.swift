import ArgumentParser
import Foundation
import Pipeline

/// `pipeline cam`: draws where a classifier sees a class.
struct Cam: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws class activation maps of any classifier, whatever it was trained for.",
        discussion: """
            For each photo the folder given by --out gets NAME.cam.heatmap.png (16-bit grey) and NAME.cam.overlay.png. \
            Pre-processing comes from the model's metadata or from --set, never from a guess: without it the command says \
            what is missing.

            A file that cannot be read is reported, the others are still drawn, and the exit code is 1.
            """)

    @Argument(help: ArgumentHelp("The classifier.", valueName: "model.onnx"))
    var model: String

    @Argument(help: "Photos.")
    var images: [String]

    @Option(
        help: ArgumentHelp(
            "The value of the graph whose features are weighed (default: what the last global pooling pools).",
            valueName: "name"))
    var layer: String?

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "The class, by its number from 0 or its name (default: the most likely one).", valueName: "class"))
    var target: String?

    @Option(help: "How the map is made: gradcam, gradcam++, layercam or cam.")
    var method = ActivationMethod.gradCAM

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "An entry of the model's metadata for this run, such as input.mean=0.485,0.456,0.406. Repeat for more.",
            valueName: "key=value"))
    var settings: [String] = []

    @Option(help: ArgumentHelp("The folder for results.", valueName: "dir"))
    var out = "out"

    @Option(help: "Threads (default: one per core).")
    var threads: Int?

    @Flag(help: "Print one JSON document per photo on a line instead of text.")
    var json = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but must lie between 1 and 1024.")
        }
    }

    func run() throws {
        let explainer: ClassExplainer
        do {
            explainer = try ClassExplainer(
                URL(fileURLWithPath: model), settings: settings, layer: layer,
                target: target.map { name in Int(name).map { .index($0) } ?? .name(name) } ?? .best, method: method,
                threads: threads)
        } catch {
            let message = "\(error)"
            throw Failure(message.hasPrefix(model) ? message : "\(model): \(message)")
        }
        var files = ExplanationFiles(folder: URL(fileURLWithPath: out))
        var failures = 0
        for image in images {
            do {
                let report = try files.write(explainer.explain(image), layer: explainer.layer, method: method)
                print(json ? try report.line() : text(report))
            } catch {
                failures += 1
                // Errors of files begin with the file's name; others do not.
                let message = "\(error)"
                printError(message.hasPrefix(image) ? message : "\(image): \(message)")
            }
        }
        if failures > 0 { throw ExitCode(1) }
    }

    private func text(_ report: ExplanationFiles.Report) -> String {
        let name = report.className.map { " “\($0)”" } ?? ""
        var lines = [
            "\(report.image): class \(report.class)\(name), logit \((report.logit * 1000).rounded() / 1000)",
            "  layer    \(report.layer) by \(report.method)", "  heat map \(report.heatmap)",
            "  overlay  \(report.overlay)",
        ]
        lines += report.warnings.map { "  warning: \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension ActivationMethod: ExpressibleByArgument {}
