import CONNX

/// A parsed file: owns its messages.
final class Document {
    let pointer: OpaquePointer
    /// Whether some text was not UTF-8, so that characters in it were replaced.
    fileprivate(set) var hasRepairedText = false

    /// Takes over a document.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { connx_destroy(pointer) }

    var root: Message { Message(document: self, pointer: connx_root(pointer)) }
}

/// One protobuf message; fields are named by their numbers.
struct Message {
    let document: Document
    let pointer: OpaquePointer

    func count(_ field: Int32) -> Int { connx_count(document.pointer, pointer, field) }

    func has(_ field: Int32) -> Bool { count(field) > 0 }

    /// 0 when the field is absent.
    func int(_ field: Int32) -> Int64 { connx_integer(pointer, field) }

    /// 0 when the field is absent.
    func float(_ field: Int32) -> Float { connx_float(pointer, field) }

    /// Empty when the field is absent.
    func bytes(_ field: Int32, _ index: Int = 0) -> [UInt8] {
        let bytes = connx_text(pointer, field, index)
        return Array(UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
    }

    /// Empty when the field is absent; what is not UTF-8 is replaced.
    func string(_ field: Int32, _ index: Int = 0) -> String {
        let bytes = connx_text(pointer, field, index)
        let buffer = UnsafeRawBufferPointer(start: bytes.start, count: bytes.count)
        if let text = String(validating: buffer, as: UTF8.self) { return text }
        document.hasRepairedText = true
        return String(decoding: buffer, as: UTF8.self)
    }

    func strings(_ field: Int32) -> [String] { (0..<count(field)).map { string(field, $0) } }

    func child(_ field: Int32, _ index: Int = 0) -> Message? {
        connx_child(document.pointer, pointer, field, index).map { Message(document: document, pointer: $0) }
    }

    func children(_ field: Int32) -> [Message] { (0..<count(field)).compactMap { child(field, $0) } }

    func int32s(_ field: Int32) -> [Int32] { elements(field) { connx_copy_int32s(pointer, field, $0) } }
    func int64s(_ field: Int32) -> [Int64] { elements(field) { connx_copy_int64s(pointer, field, $0) } }
    func uint64s(_ field: Int32) -> [UInt64] { elements(field) { connx_copy_uint64s(pointer, field, $0) } }
    func floats(_ field: Int32) -> [Float] { elements(field) { connx_copy_floats(pointer, field, $0) } }
    func doubles(_ field: Int32) -> [Double] { elements(field) { connx_copy_doubles(pointer, field, $0) } }

    /// Where in the file a tensor's `raw_data`, `float_data` or `double_data` lies in one piece.
    func payload(_ field: Int32) -> (offset: Int, count: Int)? {
        var offset = 0
        var count = 0
        return connx_payload(pointer, field, &offset, &count) ? (offset, count) : nil
    }

    private func elements<Element>(_ field: Int32, _ copy: (UnsafeMutablePointer<Element>) -> Void) -> [Element] {
        let count = count(field)
        guard count > 0 else { return [] }
        return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let start = buffer.baseAddress else { return }
            copy(start)
            initialized = count
        }
    }
}
