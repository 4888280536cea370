extension ModelReader {
    func attributes(_ message: Message, _ field: Int32, at location: String) -> [String: Attribute] {
        var attributes: [String: Attribute] = [:]
        for attribute in message.children(field) {
            let name = attribute.string(Fields.Attribute.name)
            let place = joined(location, "attribute \(quoted(name))")
            if name.isEmpty { problems.add(.missing, at: place, "has no name") }
            guard let value = self.attribute(attribute, at: place) else { continue }
            if attributes.updateValue(value, forKey: name) != nil {
                problems.add(.duplicate, at: place, "is given more than once")
            }
        }
        return attributes
    }

    private func attribute(_ message: Message, at location: String) -> Attribute? {
        typealias Field = Fields.Attribute
        let number = Int(message.int(Field.type))
        let stated = AttributeType(rawValue: number)
        if message.has(Field.reference) {
            let name = message.string(Field.reference)
            if !name.isEmpty {
                referenceTypes[name] = stated
                return .reference(name)
            }
        }
        let present = AttributeType.allCases.filter { message.has($0.field) }
        guard let type = stated ?? (number == 0 && present.count == 1 ? present.first : nil) else {
            problems.add(
                .attribute, at: location,
                number == 0
                    ? "has no type, and \(present.isEmpty ? "no" : "more than one") value"
                    : "has the unknown type \(number)")
            return nil
        }
        guard present.contains(type) || present.isEmpty else {
            problems.add(
                .attribute, at: location, "is declared as \(type) but has a value of type \(present[0])")
            return nil
        }
        return value(message, type, at: location)
    }

    private func value(_ message: Message, _ type: AttributeType, at location: String) -> Attribute? {
        typealias Field = Fields.Attribute
        func missing() -> Attribute? {
            problems.add(.attribute, at: location, "is declared as \(type) but has no value")
            return nil
        }
        switch type {
        case .float: return .float(message.float(Field.float))
        case .int: return .int(message.int(Field.int))
        case .string: return .string(message.bytes(Field.string))
        case .floats: return .floats(message.floats(Field.floats))
        case .ints: return .ints(message.int64s(Field.ints))
        case .strings:
            return .strings((0..<message.count(Field.strings)).map { message.bytes(Field.strings, $0) })
        case .tensor:
            guard let child = message.child(Field.tensor) else { return missing() }
            return tensor(child, at: location).map(Attribute.tensor)
        case .sparseTensor:
            guard let child = message.child(Field.sparseTensor) else { return missing() }
            return sparseTensor(child, at: location).map(Attribute.tensor)
        case .graph:
            guard let child = message.child(Field.graph) else { return missing() }
            return .graph(graph(child, at: location))
        case .type:
            guard let child = message.child(Field.typeProto) else { return missing() }
            return .type(kind(child, at: location))
        case .tensors:
            return .tensors(message.children(Field.tensors).compactMap { tensor($0, at: location) })
        case .sparseTensors:
            return .tensors(message.children(Field.sparseTensors).compactMap { sparseTensor($0, at: location) })
        case .graphs:
            return .graphs(
                message.children(Field.graphs).enumerated().map { graph($1, at: "\(location)[\($0)]") })
        case .types:
            return .types(message.children(Field.typeProtos).map { kind($0, at: location) })
        }
    }
}

extension AttributeType {
    /// The field of AttributeProto that holds a value of this type.
    var field: Int32 {
        switch self {
        case .float: Fields.Attribute.float
        case .int: Fields.Attribute.int
        case .string: Fields.Attribute.string
        case .tensor: Fields.Attribute.tensor
        case .graph: Fields.Attribute.graph
        case .floats: Fields.Attribute.floats
        case .ints: Fields.Attribute.ints
        case .strings: Fields.Attribute.strings
        case .tensors: Fields.Attribute.tensors
        case .graphs: Fields.Attribute.graphs
        case .sparseTensor: Fields.Attribute.sparseTensor
        case .sparseTensors: Fields.Attribute.sparseTensors
        case .type: Fields.Attribute.typeProto
        case .types: Fields.Attribute.typeProtos
        }
    }
}
