extension ModelWriter {
    func write(_ attribute: Attribute, named name: String, to message: MessageBuilder, function: Function?) throws {
        typealias Field = Fields.Attribute
        try message.add(Field.name, name)
        if let type = attribute.type(in: function) { try message.add(Field.type, type.rawValue) }
        switch attribute {
        case .float(let value): try message.add(Field.float, value)
        case .int(let value): try message.add(Field.int, Int(value))
        case .string(let value): try message.add(Field.string, value)
        case .tensor(let value): try write(value, named: "", to: message.add(Field.tensor))
        case .graph(let value): try write(value, to: message.add(Field.graph), function: function)
        case .type(let value): try write(value, to: message.add(Field.typeProto))
        case .floats(let values): for value in values { try message.add(Field.floats, value) }
        case .ints(let values): for value in values { try message.add(Field.ints, Int(value)) }
        case .strings(let values): for value in values { try message.add(Field.strings, value) }
        case .tensors(let values):
            for value in values { try write(value, named: "", to: message.add(Field.tensors)) }
        case .graphs(let values):
            for value in values { try write(value, to: message.add(Field.graphs), function: function) }
        case .types(let values):
            for value in values { try write(value, to: message.add(Field.typeProtos)) }
        case .reference(let name): try message.add(Field.reference, name)
        }
    }

    /// - Parameter externalData: where the data goes if it is large; nil for into the message.
    func write(
        _ tensor: ConstantTensor, named name: String, to message: MessageBuilder,
        externalData: ExternalDataWriter? = nil
    ) throws {
        typealias Field = Fields.Tensor
        for size in tensor.shape { try message.add(Field.dimensions, size) }
        try message.add(Field.elementType, tensor.elementType.rawValue)
        try message.addUnlessEmpty(Field.name, name)
        switch tensor.payload {
        case .strings(let strings):
            for string in strings { try message.add(Field.stringData, string) }
            try message.addUnlessEmpty(Field.documentation, tensor.documentation)
        case .bytes(let region):
            if let externalData, region.count >= 1024 {
                let offset = try externalData.append(region)
                let entries = [
                    ("location", externalData.location), ("offset", "\(offset)"), ("length", "\(region.count)"),
                ]
                for (key, value) in entries {
                    let entry = try message.add(Field.externalData)
                    try entry.add(Fields.Entry.key, key)
                    try entry.add(Fields.Entry.value, value)
                }
                try message.add(Field.dataLocation, 1)
            } else {
                try message.addPayload(region)
            }
            // Also when it is empty: it ends the padding of the payload.
            try message.add(Field.documentation, tensor.documentation)
        }
    }

    func write(_ declaration: ValueDeclaration, to message: MessageBuilder) throws {
        typealias Field = Fields.ValueInfo
        try message.add(Field.name, declaration.name)
        if declaration.kind != .undeclared { try write(declaration.kind, to: message.add(Field.type)) }
        try message.addUnlessEmpty(Field.documentation, declaration.documentation)
    }

    private func write(_ kind: ValueDeclaration.Kind, to message: MessageBuilder) throws {
        typealias Field = Fields.TypeProto
        switch kind {
        case .undeclared: break
        case .tensor(let elementType, let shape):
            try write(elementType, shape, to: message.add(Field.tensor))
        case .sparseTensor(let elementType, let shape):
            try write(elementType, shape, to: message.add(Field.sparseTensor))
        case .sequence(let element):
            try write(element, to: message.add(Field.sequence).add(Field.element))
        case .optional(let element):
            try write(element, to: message.add(Field.optional).add(Field.element))
        case .map(let key, let value):
            let map = try message.add(Field.map)
            try map.add(Field.element, key.rawValue)
            try write(value, to: map.add(Field.value))
        }
    }

    private func write(
        _ elementType: ElementType, _ shape: [ValueDeclaration.Dimension]?, to message: MessageBuilder
    ) throws {
        try message.add(Fields.TypeProto.element, elementType.rawValue)
        guard let shape else { return }
        let list = try message.add(Fields.TypeProto.shape)
        for dimension in shape {
            let entry = try list.add(Fields.Shape.dimension)
            switch dimension {
            case .fixed(let size): try entry.add(Fields.Shape.value, size)
            case .symbolic(let name): try entry.add(Fields.Shape.parameter, name)
            case .unknown: break
            }
        }
    }
}

extension Attribute {
    /// The attribute's type; of a reference, what the function that it stands in knows about it.
    fileprivate func type(in function: Function?) -> AttributeType? {
        switch self {
        case .float: .float
        case .int: .int
        case .string: .string
        case .tensor: .tensor
        case .graph: .graph
        case .type: .type
        case .floats: .floats
        case .ints: .ints
        case .strings: .strings
        case .tensors: .tensors
        case .graphs: .graphs
        case .types: .types
        case .reference(let name):
            function.flatMap { $0.attributeTypes[name] ?? $0.defaults[name]?.type(in: nil) }
        }
    }
}
