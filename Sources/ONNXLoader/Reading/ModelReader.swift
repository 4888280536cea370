import Foundation

/// Turns a parsed file into plain values and collects what is wrong on the way.
final class ModelReader {
    let file: MappedFile
    let limits: Limits
    let externalData: ExternalData
    var problems = ProblemList()
    /// Bytes that sparse tensors have taken so far, of `limits.denseBytes`.
    var denseBytes = 0
    /// Types that the attribute references of the function being read declare.
    var referenceTypes: [String: AttributeType] = [:]

    init(file: MappedFile, url: URL, limits: Limits) {
        self.file = file
        self.limits = limits
        externalData = ExternalData(folder: url.deletingLastPathComponent().path)
    }

    func model(_ message: Message) -> Model {
        typealias Field = Fields.Model
        var model = Model(
            irVersion: Int(message.int(Field.irVersion)),
            producerName: message.string(Field.producerName),
            producerVersion: message.string(Field.producerVersion),
            domain: message.string(Field.domain),
            version: Int(message.int(Field.version)),
            documentation: message.string(Field.documentation),
            metadata: entries(message, Field.metadata))
        if !message.has(Field.irVersion) {
            problems.add(.missing, at: "model", "has no ir_version")
        }
        model.opsets = opsets(message, Field.opsetImport, at: "model")
        if model.opsets.isEmpty, model.irVersion < 3 {
            model.opsets = ["": 1]
        }
        if let graph = message.child(Field.graph) {
            model.graph = self.graph(graph, at: "")
        }
        model.functions = message.children(Field.functions).map(function)
        model.warnings = warnings(model)
        if message.has(Field.trainingInfo) {
            model.warnings.append("the file's training information is left out")
        }
        return model
    }

    private func warnings(_ model: Model) -> [String] {
        var warnings: [String] = []
        if model.irVersion > Model.newestKnown.irVersion {
            warnings.append(
                "IR version \(model.irVersion) is newer than \(Model.newestKnown.irVersion), the newest known")
        }
        if let opset = model.opsets[""], opset > Model.newestKnown.opset {
            warnings.append("operator set \(opset) is newer than \(Model.newestKnown.opset), the newest known")
        }
        return warnings
    }

    private func function(_ message: Message) -> Function {
        typealias Field = Fields.Function
        let name = message.string(Field.name)
        let location = "function \(quoted(name))"
        referenceTypes = [:]
        var function = Function(
            name: name, domain: canonicalDomain(message.string(Field.domain)),
            overload: message.string(Field.overload), inputs: message.strings(Field.input),
            outputs: message.strings(Field.output), attributes: message.strings(Field.attribute),
            opsets: opsets(message, Field.opsetImport, at: location),
            documentation: message.string(Field.documentation))
        function.defaults = attributes(message, Field.attributeProto, at: location)
        function.nodes = nodes(message, Field.node, at: location)
        function.attributeTypes = referenceTypes
        return function
    }

    private func opsets(_ message: Message, _ field: Int32, at location: String) -> [String: Int] {
        var opsets: [String: Int] = [:]
        for entry in message.children(field) {
            let domain = canonicalDomain(entry.string(Fields.OperatorSet.domain))
            let version = Int(entry.int(Fields.OperatorSet.version))
            if let earlier = opsets.updateValue(version, forKey: domain), earlier != version {
                problems.add(
                    .operatorSet, at: location,
                    "imports the operator set of domain \(quoted(domain)) as version \(earlier) and \(version)")
            }
        }
        return opsets
    }

    func entries(_ message: Message, _ field: Int32) -> [String: String] {
        var entries: [String: String] = [:]
        for entry in message.children(field) {
            entries[entry.string(Fields.Entry.key)] = entry.string(Fields.Entry.value)
        }
        return entries
    }
}

/// `ai.onnx` is another name of the default domain.
func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
