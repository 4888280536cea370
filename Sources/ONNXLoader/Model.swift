/// An ONNX file as plain values: what it says, nothing about how it is computed.
public struct Model: Sendable, Equatable {
    public var irVersion: Int
    /// Operator set versions by domain; the default domain is the empty string.
    public var opsets: [String: Int]
    public var producerName: String
    public var producerVersion: String
    public var domain: String
    public var version: Int
    public var documentation: String
    /// `metadata_props`.
    public var metadata: [String: String]
    public var graph: Graph
    /// The functions that the file defines itself.
    public var functions: [Function]
    /// What was odd but harmless when the file was read.
    public var warnings: [String] = []

    public init(
        irVersion: Int = 8, opsets: [String: Int] = ["": 17], producerName: String = "", producerVersion: String = "",
        domain: String = "", version: Int = 0, documentation: String = "", metadata: [String: String] = [:],
        graph: Graph = Graph(), functions: [Function] = []
    ) {
        self.irVersion = irVersion
        self.opsets = opsets
        self.producerName = producerName
        self.producerVersion = producerVersion
        self.domain = domain
        self.version = version
        self.documentation = documentation
        self.metadata = metadata
        self.graph = graph
        self.functions = functions
    }
}

/// Nodes in topological order, with the constants and declarations that they refer to by value name.
public struct Graph: Sendable, Equatable {
    public var name: String
    public var nodes: [Node]
    public var inputs: [ValueDeclaration]
    public var outputs: [ValueDeclaration]
    /// Types that the file declares for inner values.
    public var valueTypes: [String: ValueDeclaration.Kind]
    /// Constants by value name; sparse initializers arrive here as dense ones.
    public var initializers: [String: ConstantTensor]
    public var documentation: String

    public init(
        name: String = "", nodes: [Node] = [], inputs: [ValueDeclaration] = [], outputs: [ValueDeclaration] = [],
        valueTypes: [String: ValueDeclaration.Kind] = [:], initializers: [String: ConstantTensor] = [:],
        documentation: String = ""
    ) {
        self.name = name
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
        self.valueTypes = valueTypes
        self.initializers = initializers
        self.documentation = documentation
    }
}

/// One application of an operator. An empty input or output name means that it is absent.
public struct Node: Sendable, Equatable {
    public var name: String
    public var operatorName: String
    /// The operator's domain; `ai.onnx` is written as the empty string.
    public var domain: String
    public var overload: String
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: Attribute]
    public var documentation: String
    /// `metadata_props`: where an exporter got the node from, for instance.
    public var metadata: [String: String]

    public init(
        name: String = "", operatorName: String, domain: String = "", overload: String = "", inputs: [String] = [],
        outputs: [String] = [], attributes: [String: Attribute] = [:], documentation: String = "",
        metadata: [String: String] = [:]
    ) {
        self.name = name
        self.operatorName = operatorName
        self.domain = domain
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.documentation = documentation
        self.metadata = metadata
    }
}

/// The value of a node's attribute.
public enum Attribute: Sendable, Equatable {
    case float(Float)
    case int(Int64)
    case string([UInt8])
    case tensor(ConstantTensor)
    case graph(Graph)
    case type(ValueDeclaration.Kind)
    case floats([Float])
    case ints([Int64])
    case strings([[UInt8]])
    case tensors([ConstantTensor])
    case graphs([Graph])
    case types([ValueDeclaration.Kind])
    /// Inside a function: the caller's attribute of this name.
    case reference(String)
}

/// The types of attributes, with `AttributeProto.AttributeType`'s numbers.
public enum AttributeType: Int, Sendable, Hashable, CaseIterable {
    case float = 1
    case int = 2
    case string = 3
    case tensor = 4
    case graph = 5
    case floats = 6
    case ints = 7
    case strings = 8
    case tensors = 9
    case graphs = 10
    case sparseTensor = 11
    case sparseTensors = 12
    case type = 13
    case types = 14
}

/// A function that the file defines: a node calls it by domain, name and overload.
public struct Function: Sendable, Equatable {
    public var name: String
    public var domain: String
    public var overload: String
    public var inputs: [String]
    public var outputs: [String]
    /// Names of attributes without a default.
    public var attributes: [String]
    /// Attributes with a default value.
    public var defaults: [String: Attribute]
    /// Types of the function's attributes, as the references to them in its body declare.
    public var attributeTypes: [String: AttributeType] = [:]
    public var opsets: [String: Int]
    public var nodes: [Node]
    public var documentation: String

    public init(
        name: String, domain: String, overload: String = "", inputs: [String] = [], outputs: [String] = [],
        attributes: [String] = [], defaults: [String: Attribute] = [:], opsets: [String: Int] = [:], nodes: [Node] = [],
        documentation: String = ""
    ) {
        self.name = name
        self.domain = domain
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.defaults = defaults
        self.opsets = opsets
        self.nodes = nodes
        self.documentation = documentation
    }
}

/// A value's name with the type that the file declares for it.
public struct ValueDeclaration: Sendable, Hashable {
    public indirect enum Kind: Sendable, Hashable {
        /// A nil shape has an unknown rank.
        case tensor(ElementType, shape: [Dimension]?)
        case sparseTensor(ElementType, shape: [Dimension]?)
        case sequence(Kind)
        case optional(Kind)
        case map(key: ElementType, value: Kind)
        case undeclared
    }

    public enum Dimension: Sendable, Hashable {
        case fixed(Int)
        case symbolic(String)
        case unknown
    }

    public var name: String
    public var kind: Kind
    public var documentation: String

    public init(name: String, kind: Kind, documentation: String = "") {
        self.name = name
        self.kind = kind
        self.documentation = documentation
    }
}
