import ArgumentParser
import ONNXLoader
import Pipeline

struct MetadataArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the model is for, recorded in the file: \(ModelRole.names).", valueName: "name"))
    var role: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "An entry to record in the file, such as input.layout=NCHW or input.mean=0.485,0.456,0.406; an empty value "
                + "removes it. Repeat for more.", valueName: "key=value"))
    var settings: [String] = []

    /// Writes the role and the settings into the model's metadata.
    /// - Throws: `ContractError` when the model could not be used with them.
    func record(in model: inout Model, file: String) throws {
        guard role != nil || !settings.isEmpty else { return }
        model.metadata = try ModelContract.recording(role: role, settings: settings, in: model, file: file)
    }
}
