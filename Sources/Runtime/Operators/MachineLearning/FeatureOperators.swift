import ONNXLoader

/// Binarizer (opset 1 of `ai.onnx.ml`): 1 above a threshold, else 0.
struct Binarizer: NumericOperator {
    private let threshold: Float

    init(_ node: inout NodeReader) throws { threshold = try node.float("threshold", or: 0) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let threshold = Double(threshold)
        try step.map(step.elements(0, of: type), to: step.mutableElements(0, of: type)) {
            $0.double > threshold ? 1 : 0
        }
    }
}

/// ArrayFeatureExtractor (opset 1 of `ai.onnx.ml`): elements at given places of the last dimension.
struct ArrayFeatureExtractor: MovementOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, indices) = (try inputs.required(0), try inputs.required(1))
        guard !input.shape.isEmpty, indices.elementType == .int64 else {
            throw OperatorError("\(indices.type) does not select from \(input.type)")
        }
        let count = try elementCount(of: indices.shape)
        return [ValueType(input.elementType, (input.shape.count == 1 ? [1] : input.shape.dropLast()) + [count])]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        let size = input.shape.last ?? 1
        let places = try step.input(1).indices(below: size)
        guard size > 0 else { return }
        for row in 0..<input.count / size {
            for (column, place) in places.enumerated() {
                let source = row * size + place
                try step.copy(input, source..<source + 1, to: 0, at: row * places.count + column)
            }
        }
    }
}

/// Scaler (opset 1 of `ai.onnx.ml`): `(x - offset) · scale`, for all features alike or for each of its own.
struct Scaler: FeatureMap {
    private let offsets, scales: [Float]

    init(_ node: inout NodeReader) throws {
        offsets = try node.optionalFloats("offset") ?? [0]
        scales = try node.optionalFloats("scale") ?? [1]
    }

    func map(_ row: ArraySlice<Double>) throws -> [Double] {
        guard [1, row.count].contains(offsets.count), [1, row.count].contains(scales.count) else {
            throw OperatorError("\(offsets.count) offsets and \(scales.count) scales for \(row.count) features")
        }
        return row.enumerated().map { index, value in
            (value - Double(offsets[offsets.count == 1 ? 0 : index])) * Double(scales[scales.count == 1 ? 0 : index])
        }
    }
}

/// Normalizer (opset 1 of `ai.onnx.ml`): every row divided by its norm, unless that is 0.
struct Normalizer: FeatureMap {
    enum Norm: String, CaseIterable {
        case largest = "MAX", sum = "L1", euclidean = "L2"
    }
    private let norm: Norm

    init(_ node: inout NodeReader) throws { norm = try node.choice("norm", or: .largest) }

    func map(_ row: ArraySlice<Double>) -> [Double] {
        let divisor =
            switch norm {
            case .largest: row.reduce(0) { max($0, abs($1)) }
            case .sum: row.reduce(0) { $0 + abs($1) }
            case .euclidean: row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            }
        return divisor == 0 ? Array(row) : row.map { $0 / divisor }
    }
}

/// An operator that makes as many binary32 numbers of the features of one sample, the last dimension, as there are.
protocol FeatureMap: Operator {
    func map(_ row: ArraySlice<Double>) throws -> [Double]
}

extension FeatureMap {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.float32, try inputs.required(0).shape)]
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let source = try input.converted(to: .float64, budget: step.context.budget).elements(of: Double.self)
        let output = try step.mutableElements(0, of: Float.self)
        let size = input.shape.last ?? 1
        guard input.count > 0 else { return }
        for start in stride(from: 0, to: input.count, by: size) {
            let row = (start..<start + size).map { source[$0] }
            for (index, value) in try map(row[...]).enumerated() { output[start + index] = Float(value) }
        }
    }
}

/// Imputer (opset 1 of `ai.onnx.ml`): one value, such as NaN, replaced by others.
struct Imputer: NumericOperator {
    private let replacedFloat: Float
    private let replacedInteger: Int
    private let floats: [Float]?
    private let integers: [Int]?

    init(_ node: inout NodeReader) throws {
        replacedFloat = try node.float("replaced_value_float", or: 0)
        replacedInteger = try node.int("replaced_value_int64", or: 0)
        floats = try node.optionalFloats("imputed_value_floats")
        integers = try node.optionalInts("imputed_value_int64s")
        guard (floats == nil) != (integers == nil) else {
            throw OperatorError("one of the attributes imputed_value_floats and imputed_value_int64s must be given")
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let count = floats?.count ?? integers?.count ?? 0
        guard count == 1 || count == input.shape.last else {
            throw OperatorError("\(count) values to impute for \(input.type)")
        }
        return [input.type]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let values =
            floats?.map { Element(saturating: Double($0)) } ?? integers?.map { Element(saturating: Double($0)) } ?? []
        let replaced = floats == nil ? Double(replacedInteger) : Double(replacedFloat)
        let source = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        for index in 0..<source.count {
            let value = source[index].double
            let isReplaced = value == replaced || value.isNaN && replaced.isNaN
            output[index] = isReplaced ? values[values.count == 1 ? 0 : index % values.count] : source[index]
        }
    }
}

/// OneHotEncoder (opset 1 of `ai.onnx.ml`): for every element a row with 1 at its category's place.
struct OneHotEncoder: Operator {
    private let places: [FeatureKey: Int]
    private let count: Int
    private let takesStrings: Bool
    private let allowsUnknown: Bool

    init(_ node: inout NodeReader) throws {
        let integers = try node.optionalInts("cats_int64s")
        let strings = try node.strings("cats_strings")
        allowsUnknown = try node.flag("zeros", or: true)
        guard (integers == nil) != (strings == nil) else {
            throw OperatorError("one of the attributes cats_int64s and cats_strings must be given")
        }
        let keys: [FeatureKey] =
            strings?.map { .string(Array($0.utf8)) } ?? integers?.map { .integer(Int64($0)) } ?? []
        takesStrings = strings != nil
        count = keys.count
        places = Dictionary(zip(keys, 0...)) { $1 }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard (input.elementType == .string) == takesStrings else {
            throw OperatorError("\(input.elementType.name) does not fit the categories")
        }
        return [ValueType(.float32, input.shape + [count])]
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let keys = try (takesStrings ? input : input.converted(to: .int64, budget: step.context.budget)).featureKeys()
        let output = try step.mutableElements(0, of: Float.self)
        output.fill(0..<output.count, with: 0)
        for (row, key) in keys.enumerated() {
            if let place = places[key] {
                output[row * count + place] = 1
            } else if !allowsUnknown {
                throw OperatorError("element \(row) is of no category")
            }
        }
    }
}

/// FeatureVectorizer (opset 1 of `ai.onnx.ml`): the features of all inputs side by side, as binary32.
struct FeatureVectorizer: Operator {
    private let sizes: [Int]?

    init(_ node: inout NodeReader) throws { sizes = try node.optionalInts("inputdimensions") }

    /// Samples, and features of each input.
    private func layout(_ shapes: [[Int]]) throws -> (rows: Int, columns: [Int]) {
        let matrices = try shapes.map { shape in
            guard (1...2).contains(shape.count) else { throw OperatorError("an input has the shape \(shape)") }
            return shape.count == 1 ? [1, shape[0]] : shape
        }
        let columns = matrices.map { $0[1] }
        guard let rows = matrices.first?[0], matrices.allSatisfy({ $0[0] == rows }), sizes ?? columns == columns else {
            throw OperatorError("inputs of shapes \(shapes) do not stand side by side")
        }
        return (rows, columns)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let layout = try layout(inputs.indices.map { try inputs.required($0).shape })
        return [ValueType(.float32, [layout.rows, try layout.columns.reduce(0) { try $0.adding($1) }])]
    }

    func run(_ step: inout Step) throws {
        let inputs = try (0..<step.inputCount).map { try step.input($0) }
        let layout = try layout(inputs.map(\.shape))
        let output = try step.mutableElements(0, of: Float.self)
        let width = layout.columns.reduce(0, +)
        var first = 0
        for (input, columns) in zip(inputs, layout.columns) {
            let source = try input.converted(to: .float32, budget: step.context.budget).elements(of: Float.self)
            for row in 0..<layout.rows {
                output.copy(source, row * columns..<(row + 1) * columns, to: row * width + first)
            }
            first += columns
        }
    }
}
