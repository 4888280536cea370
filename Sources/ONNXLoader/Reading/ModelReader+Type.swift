extension ModelReader {
    /// A declared type. Opaque types, and what newer versions may add, are `undeclared`.
    func kind(_ message: Message?, at location: String) -> ValueDeclaration.Kind {
        typealias Field = Fields.TypeProto
        guard let message else { return .undeclared }
        if let tensor = message.child(Field.tensor) {
            guard let elementType = elementType(tensor, at: location) else { return .undeclared }
            return .tensor(elementType, shape: shape(tensor))
        }
        if let tensor = message.child(Field.sparseTensor) {
            guard let elementType = elementType(tensor, at: location) else { return .undeclared }
            return .sparseTensor(elementType, shape: shape(tensor))
        }
        if let sequence = message.child(Field.sequence) {
            return .sequence(kind(sequence.child(Field.element), at: location))
        }
        if let optional = message.child(Field.optional) {
            return .optional(kind(optional.child(Field.element), at: location))
        }
        if let map = message.child(Field.map) {
            guard let key = elementType(map, at: location) else { return .undeclared }
            return .map(key: key, value: kind(map.child(Field.value), at: location))
        }
        return .undeclared
    }

    private func elementType(_ message: Message, at location: String) -> ElementType? {
        let number = Int(message.int(Fields.TypeProto.element))
        let elementType = ElementType(rawValue: number)
        if elementType == nil, number != 0 {
            problems.add(.type, at: location, "is declared with the unknown element type \(number)")
        }
        return elementType
    }

    private func shape(_ message: Message) -> [ValueDeclaration.Dimension]? {
        message.child(Fields.TypeProto.shape)?.children(Fields.Shape.dimension).map { dimension in
            if dimension.has(Fields.Shape.value) {
                // Some exporters write −1 for a size that is not known.
                let size = Int(dimension.int(Fields.Shape.value))
                return size < 0 ? .unknown : .fixed(size)
            }
            let name = dimension.string(Fields.Shape.parameter)
            return name.isEmpty ? .unknown : .symbolic(name)
        }
    }
}
