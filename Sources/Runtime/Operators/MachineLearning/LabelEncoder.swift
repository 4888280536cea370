import ONNXLoader

/// LabelEncoder (opsets 2–4 of `ai.onnx.ml`): every element replaced by the value that belongs to it as a key, or by a
/// default.
struct LabelEncoder: Operator {
    private let keyType: ElementType
    private let places: [FeatureKey: Int]
    private let values: Tensor
    private let absent: Tensor

    init(_ node: inout NodeReader) throws {
        let keys = try Self.list(&node, "keys")
        let values = try Self.list(&node, "values")
        guard keys.count == values.count else {
            throw OperatorError("there are \(keys.count) keys for \(values.count) values")
        }
        keyType = keys.elementType
        places = Dictionary(zip(try keys.featureKeys(), 0...)) { $1 }
        self.values = values
        let (integer, float, string) = (
            try node.int("default_int64", or: -1), try node.float("default_float", or: -0.0),
            try node.string("default_string", or: "_Unused")
        )
        if let absent = try node.tensor("default_tensor") {
            self.absent = absent
        } else if values.elementType == .string {
            absent = try Tensor(strings: [string], shape: [1])
        } else if values.elementType == .float32 || values.elementType == .float64 {
            absent = try Tensor([float], shape: [1]).converted(to: values.elementType)
        } else {
            absent = try Tensor([Int64(integer)], shape: [1]).converted(to: values.elementType)
        }
        guard absent.elementType == values.elementType, absent.count == 1 else {
            throw OperatorError("the default is \(ValueType(absent)), the values \(values.elementType.name)")
        }
    }

    /// The one of the attributes `…_tensor`, `…_int64s`, `…_floats` and `…_strings` that is there.
    private static func list(_ node: inout NodeReader, _ name: String) throws -> Tensor {
        var found: [Tensor] = []
        if let tensor = try node.tensor("\(name)_tensor") { found.append(tensor) }
        if let integers = try node.optionalInts("\(name)_int64s") {
            found.append(try Tensor(integers.map { Int64($0) }, shape: [integers.count]))
        }
        if let floats = try node.optionalFloats("\(name)_floats") {
            found.append(try Tensor(floats, shape: [floats.count]))
        }
        if let strings = try node.strings("\(name)_strings") {
            found.append(try Tensor(strings: strings, shape: [strings.count]))
        }
        guard found.count == 1 else { throw OperatorError("one attribute \(name)_… is wanted, not \(found.count)") }
        return found[0]
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.elementType == keyType else {
            throw OperatorError("the input is \(input.elementType.name), the keys \(keyType.name)")
        }
        return [ValueType(values.elementType, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let places = try step.input(0).featureKeys().map { self.places[$0] }
        for (index, place) in places.enumerated() {
            try step.copy(
                place == nil ? absent : values, place.map { $0..<$0 + 1 } ?? 0..<1, to: 0, at: index)
        }
    }
}

/// An element of a tensor to look up: NaN equals itself, 0 equals -0, strings are their bytes.
enum FeatureKey: Hashable {
    case integer(Int64), number(Double), notANumber, string([UInt8])

    init(_ value: Double) { self = value.isNaN ? .notANumber : .number(value) }
}

extension Tensor {
    func featureKeys() throws -> [FeatureKey] {
        switch elementType {
        case .string: return strings.map { .string(Array($0.utf8)) }
        case .float32: return try elements(of: Float.self).map { FeatureKey(Double($0)) }
        case .float64: return try elements(of: Double.self).map { FeatureKey($0) }
        case .int64, .int32, .int16: return try integers().map { .integer(Int64($0)) }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}
