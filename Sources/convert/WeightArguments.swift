import ArgumentParser
import Foundation
import ONNXLoader

struct WeightArguments: ParsableArguments {
    @Option(
        name: .customLong("weights"),
        help: ArgumentHelp(
            "Weights to put in place of the model's, by name: .onnx, .safetensors, .npz, or PyTorch's .pt/.pth with a "
                + "state dictionary. Nothing in the file is run.", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("map"),
        help: ArgumentHelp(
            "Renames the weights: a text file with two columns, the name in the weights' file and the name in the model; "
                + "* stands for any text.", valueName: "file"))
    var mapFile: String?

    @Flag(help: "Accept names without a counterpart in the model or in the weights' file.")
    var allowMissing = false

    @Option(
        help: ArgumentHelp(
            "The epsilon of BatchNorms that the model's exporter has merged into other layers without recording it; with a "
                + "pattern, of those whose path in the model fits it, such as 'backbone.*=1e-3'. Repeat for more: the first "
                + "that fits counts.", valueName: "[pattern=]number"))
    var batchnormEpsilon: [BatchNormEpsilon] = []

    func validate() throws {
        if file == nil, mapFile != nil || allowMissing || !batchnormEpsilon.isEmpty {
            throw ValidationError("--map, --allow-missing and --batchnorm-epsilon go with --weights.")
        }
    }

    /// Replaces the model's weights, if a file was given.
    func replace(in model: inout Model, report: inout Report) throws {
        guard let file else { return }
        let map = try mapFile.map { try WeightMap(contentsOf: URL(fileURLWithPath: $0)) }
        let archive = try TensorArchive(contentsOf: URL(fileURLWithPath: file))
        let result = try model.replaceWeights(
            with: archive, from: file,
            options: WeightSwapOptions(map: map, allowsMissing: allowMissing, epsilons: batchnormEpsilon))
        report.describe(result, archive: archive, file: file)
    }
}

extension BatchNormEpsilon: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
