import ONNXLoader
import Testing

@testable import Runtime

/// One application of an operator with its expected outputs, worked out by hand or by the reference that the table names.
struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let domain: String
    let opset: Int
    let attributes: [String: Attribute]
    let inputs: [Literal?]
    /// Nil for one that the node does not name.
    let outputs: [Literal?]
    let note: String
    /// Allowed difference, relative to the largest expected magnitude.
    let tolerance: Double

    init(
        _ name: String, domain: String = "", opset: Int, _ attributes: [String: Attribute] = [:], inputs: [Literal?],
        outputs: [Literal?], tolerance: Double = 1e-6, note: String = ""
    ) {
        self.name = name
        self.domain = domain
        self.opset = opset
        self.attributes = attributes
        self.inputs = inputs
        self.outputs = outputs
        self.tolerance = tolerance
        self.note = note
    }

    var testDescription: String { "\(name)-\(opset) \(attributes.keys.sorted().joined(separator: ",")) \(note)" }

    /// Runs the operator on given inputs, on constants (where it is folded), and on an inner value that it may overwrite;
    /// compares each result. Then compares the gradient, where the operator has one, with differences.
    func check(gradient: Bool = true) throws {
        let tensors = try inputs.map { try $0?.tensor() }
        let expected = try outputs.map { try $0?.tensor() }
        for style in Style.allCases {
            let results = try run(tensors, style)
            for (index, (result, wanted)) in zip(results, expected).enumerated() {
                guard let result, let wanted else { continue }
                #expect(result.elementType == wanted.elementType, "\(style), output \(index)")
                #expect(result.shape == wanted.shape, "\(style), output \(index)")
                guard result.elementType == wanted.elementType, result.shape == wanted.shape else { continue }
                #expect(difference(result, wanted) <= tolerance, "\(style), output \(index): \(describe(result))")
            }
        }
        if gradient { try checkGradient() }
    }

    /// The names of the outputs, empty for those that are not named.
    var outputNames: [String] { outputs.indices.map { outputs[$0] == nil ? "" : "output\($0)" } }

    /// The versions of the domains: the case's own, and for another domain the newest of the default one.
    var opsets: [String: Int] { domain.isEmpty ? ["": opset] : ["": Registry.newestOpset, domain: opset] }

    /// Runs the operator in little memory and time, whatever comes out: for cases that make no sense.
    func attempt() throws {
        let tensors = try inputs.map { try $0?.tensor() }
        for style in [Style.given, .constant] {
            _ = try? run(tensors, style, .init(threads: 2, memoryLimit: 1 << 28), deadline: .now + .seconds(5))
        }
    }

    private enum Style: CaseIterable { case given, constant, inner }

    private func run(
        _ tensors: [Tensor?], _ style: Style, _ options: Session.Options = .init(),
        deadline: ContinuousClock.Instant? = nil
    ) throws -> [Tensor?] {
        var graph = Graph()
        var node = Node(name: "case", operatorName: name, domain: domain, attributes: attributes)
        var feed: [String: Tensor] = [:]
        for (index, tensor) in tensors.enumerated() {
            guard let tensor else {
                node.inputs.append("")
                continue
            }
            let input = "input\(index)"
            if style == .constant {
                graph.initializers[input] = try ConstantTensor(tensor)
                node.inputs.append(input)
                continue
            }
            graph.inputs.append(
                ValueDeclaration(
                    name: input, kind: .tensor(tensor.elementType, shape: tensor.shape.map { .fixed($0) })))
            feed[input] = tensor
            guard style == .inner, !tensor.shape.isEmpty else {
                node.inputs.append(input)
                continue
            }
            // Joining one tensor copies it: an inner value whose memory the operator may take over.
            graph.nodes.append(
                Node(
                    name: "copy\(index)", operatorName: "Concat", inputs: [input], outputs: ["inner\(index)"],
                    attributes: ["axis": .int(0)]))
            node.inputs.append("inner\(index)")
        }
        node.outputs = outputNames
        graph.nodes.append(node)
        graph.outputs = node.outputs.filter { !$0.isEmpty }.map { ValueDeclaration(name: $0, kind: .undeclared) }
        let session = try Session(Model(opsets: opsets, graph: graph), options: options)
        let results = try session.run(feed, deadline: deadline)
        return try node.outputs.map { name in
            guard !name.isEmpty else { return nil }
            let result: Tensor = try #require(results[name])
            return result
        }
    }
}

/// A tensor written down: numbers and nested arrays are `float`; other types are named, as in `.int64([1, 2])`.
struct Literal: Sendable, ExpressibleByArrayLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    private indirect enum Content: Sendable {
        case number(Double)
        case list([Content])
    }

    private var content: Content
    private var elementType = ElementType.float32
    private var shape: [Int]?
    private var strings: [String]?

    init(arrayLiteral elements: Literal...) { content = .list(elements.map(\.content)) }
    init(floatLiteral value: Double) { content = .number(value) }
    init(integerLiteral value: Int) { content = .number(Double(value)) }

    /// Elements in row-major order under a shape, for sizes of zero and long lists.
    static func flat(_ values: [Double], _ shape: [Int], _ type: ElementType = .float32) -> Literal {
        var literal = Literal(integerLiteral: 0)
        literal.content = .list(values.map { .number($0) })
        literal.shape = shape
        literal.elementType = type
        return literal
    }

    /// The same numbers as another type, if they are `float`.
    func converted(to type: ElementType) -> Literal { elementType == .float32 ? .typed(type, self) : self }

    static func strings(_ values: [String], _ shape: [Int]) -> Literal {
        var literal = Literal.flat([], shape, .string)
        literal.strings = values
        return literal
    }

    static func typed(_ type: ElementType, _ value: Literal) -> Literal {
        var literal = value
        literal.elementType = type
        return literal
    }

    static func int64(_ value: Literal) -> Literal { typed(.int64, value) }
    static func int32(_ value: Literal) -> Literal { typed(.int32, value) }
    static func uint8(_ value: Literal) -> Literal { typed(.uint8, value) }
    static func int8(_ value: Literal) -> Literal { typed(.int8, value) }
    static func double(_ value: Literal) -> Literal { typed(.float64, value) }
    static func half(_ value: Literal) -> Literal { typed(.float16, value) }
    static func bool(_ value: Literal) -> Literal { typed(.bool, value) }

    func tensor() throws -> Tensor {
        var values: [Double] = []
        var sizes: [Int] = []
        func visit(_ content: Content, _ depth: Int) {
            switch content {
            case .number(let value): values.append(value)
            case .list(let children):
                if sizes.count == depth { sizes.append(children.count) }
                for child in children { visit(child, depth + 1) }
            }
        }
        visit(content, 0)
        let shape = shape ?? sizes
        if let strings { return try Tensor(strings: strings, shape: shape) }
        return try Tensor(values, shape: shape).converted(to: elementType)
    }
}

/// The largest difference, relative to the largest expected magnitude; infinite where only one is NaN or infinite.
func difference(_ result: Tensor, _ expected: Tensor) -> Double {
    guard result.shape == expected.shape else { return .infinity }
    if result.elementType == .string { return result.strings == expected.strings ? 0 : .infinity }
    guard let left = try? result.converted(to: .float64).array(of: Double.self),
        let right = try? expected.converted(to: .float64).array(of: Double.self)
    else { return .infinity }
    var largest = 0.0
    var scale = 1e-30
    for (left, right) in zip(left, right) {
        if left.isNaN && right.isNaN || left == right {
            if right.isFinite { scale = max(scale, abs(right)) }
            continue
        }
        guard left.isFinite, right.isFinite else { return .infinity }
        largest = max(largest, abs(left - right))
        scale = max(scale, abs(right))
    }
    return largest / scale
}

/// The first elements, for a failure's message.
private func describe(_ tensor: Tensor) -> String {
    guard let values = try? tensor.converted(to: .float64).array(of: Double.self) else { return "\(tensor.strings)" }
    return "\(values.prefix(24))"
}
