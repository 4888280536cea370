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
        name: .customLong("batchnorm-epsilon"),
        help: ArgumentHelp(
            "The epsilon of BatchNorms that the model's exporter has merged into other layers without recording it.",
            valueName: "number"))
    var epsilon: Double?

    func validate() throws {
        if file == nil, mapFile != nil || allowMissing || epsilon != nil {
            throw ValidationError("--map, --allow-missing and --batchnorm-epsilon go with --weights.")
        }
        if let epsilon, !(epsilon > 0 && epsilon < 1) {
            throw ValidationError("--batchnorm-epsilon is \(epsilon), but must lie between 0 and 1.")
        }
    }

    /// Replaces the model's weights, if a file was given.
    func replace(in model: inout Model, report: inout Report) throws {
        guard let file else { return }
        let map = try mapFile.map { try WeightMap(contentsOf: URL(fileURLWithPath: $0)) }
        let archive = try TensorArchive(contentsOf: URL(fileURLWithPath: file))
        let result = try model.replaceWeights(
            with: archive, from: file,
            options: WeightSwapOptions(map: map, allowsMissing: allowMissing, epsilon: epsilon))
        report.describe(result, archive: archive, file: file)
    }
}
