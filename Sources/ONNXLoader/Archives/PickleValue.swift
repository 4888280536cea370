/// What a restricted pickle can hold. Containers live in the machine's heap and are referred to by index, so that
/// neither cycles nor depth can leak memory or overflow the stack.
enum PickleValue: Sendable {
    case none
    case boolean(Bool)
    case integer(Int64)
    /// A Python integer of more than 64 bits; its value is not kept.
    case largeInteger
    case real(Double)
    case text(String)
    /// A byte string; its content is not kept.
    case bytes
    case list(Int)
    case tuple(Int)
    case dictionary(Int)
    case name(PickleName)
    case storage(Int)
    case tensor(Int)
    /// An object that matters to PyTorch alone, such as a device.
    case opaque
}

/// The names of Python objects that a state dictionary's pickle may refer to.
enum PickleName: Sendable, Hashable {
    case orderedDictionary
    case rebuildTensor
    case rebuildTensorV2
    case rebuildTensorV3
    case rebuildParameter
    case rebuildParameterWithState
    case size
    case device
    /// A storage class: its element type, or nil for untyped bytes.
    case storage(ElementType?)
    case elementType(ElementType)

    /// - Throws: `ArchiveError.Problem.refusedName` for every other name.
    init(module: String, name: String) throws {
        let path = module + "." + name
        if let known = Self.known[path] {
            self = known
        } else if module == "torch" || module == "torch.storage", let type = Self.storages[name] {
            self = .storage(type)
        } else if module == "torch", let type = Self.elementTypes[name] {
            self = .elementType(type)
        } else {
            throw ArchiveError.Problem.refusedName(path)
        }
    }

    var path: String {
        switch self {
        case .storage: "torch storage class"
        case .elementType: "torch.dtype"
        default: Self.known.first { $0.value == self }?.key ?? "unknown"
        }
    }

    private static let known: [String: PickleName] = [
        "collections.OrderedDict": .orderedDictionary,
        "torch._utils._rebuild_tensor": .rebuildTensor,
        "torch._utils._rebuild_tensor_v2": .rebuildTensorV2,
        "torch._utils._rebuild_tensor_v3": .rebuildTensorV3,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch._utils._rebuild_parameter_with_state": .rebuildParameterWithState,
        "torch.Size": .size,
        "torch.device": .device,
    ]

    private static let storages: [String: ElementType?] = [
        "UntypedStorage": nil, "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
        "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool, "ComplexFloatStorage": .complex64,
        "ComplexDoubleStorage": .complex128,
    ]

    private static let elementTypes: [String: ElementType] = [
        "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16, "int64": .int64,
        "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32,
        "uint64": .uint64, "bool": .bool, "complex64": .complex64, "complex128": .complex128,
        "float8_e4m3fn": .float8E4M3FN, "float8_e4m3fnuz": .float8E4M3FNUZ, "float8_e5m2": .float8E5M2,
        "float8_e5m2fnuz": .float8E5M2FNUZ, "float8_e8m0fnu": .float8E8M0,
    ]
}

/// The bytes that tensors look into, kept in an entry of the archive.
struct PickleStorage: Sendable {
    let key: String
    /// nil for untyped bytes.
    let elementType: ElementType?
    /// Elements, or bytes of untyped storage.
    let count: Int
}

/// A view of a storage.
struct PickleTensor: Sendable {
    let storage: Int
    let elementType: ElementType
    /// In elements, like the strides.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}
