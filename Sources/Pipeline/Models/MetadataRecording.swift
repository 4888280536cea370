import ONNXLoader

extension ModelContract {
    /// The metadata of a model after a role and settings have been recorded, checked as a whole: the model can be used
    /// with it, or this throws.
    ///
    /// - Parameters:
    ///   - role: a role's name; nil keeps the file's.
    ///   - settings: of the form `key=value`; a later one goes before an earlier one, and all before the file's own.
    ///     An empty value removes the key.
    ///   - model: the file that they are for.
    ///   - file: its name, for messages.
    /// - Returns: all entries to write as `metadata_props`, those of other tools among them.
    /// - Throws: `ContractError`.
    public static func recording(
        role: String?, settings: [String], in model: Model, file: String = "MODEL.onnx"
    ) throws(ContractError) -> [String: String] {
        var model = model
        if let role {
            guard ModelRole(rawValue: role) != nil else { throw .unknownRole(role) }
            model.metadata[MetadataKey.role.rawValue] = role
        }
        for setting in settings {
            guard let separator = setting.firstIndex(of: "="), separator > setting.startIndex else {
                throw .malformedSetting(setting)
            }
            let name = String(setting[..<separator])
            let value = String(setting[setting.index(after: separator)...])
            guard let key = MetadataKey(rawValue: name) else { throw .unknownKey(name) }
            if key == .role, ModelRole(rawValue: value) == nil { throw .unknownRole(value) }
            model.metadata[name] = value.isEmpty ? nil : value
        }
        let contract = try ModelContract(model, file: file)
        // What was recognised from the signature is written down, so that other readers need not recognise it.
        model.metadata[MetadataKey.role.rawValue] = contract.role.rawValue
        return model.metadata
    }
}
