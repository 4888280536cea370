import CONNX

/// Fills one protobuf message; fields are named by their numbers. Repeated fields are appended to, others set.
struct MessageBuilder {
    struct OutOfMemory: Error {}

    let document: Document
    let pointer: OpaquePointer

    /// An empty ModelProto.
    static func model() throws -> MessageBuilder {
        guard let document = connx_create().map(Document.init(owning:)) else { throw OutOfMemory() }
        return MessageBuilder(document: document, pointer: connx_root(document.pointer))
    }

    func add(_ field: Int32, _ value: Int) throws {
        try require(connx_add_integer(pointer, field, Int64(value)))
    }

    func add(_ field: Int32, _ value: Float) throws { try require(connx_add_float(pointer, field, value)) }

    func add(_ field: Int32, _ bytes: [UInt8]) throws {
        try require(bytes.withUnsafeBytes { connx_add_text(pointer, field, $0.baseAddress, $0.count) })
    }

    func add(_ field: Int32, _ text: String) throws { try add(field, Array(text.utf8)) }

    /// Leaves the field out when the text is empty.
    func addUnlessEmpty(_ field: Int32, _ text: String) throws {
        if !text.isEmpty { try add(field, text) }
    }

    func addEach(_ field: Int32, _ texts: [String]) throws {
        for text in texts { try add(field, text) }
    }

    func add(_ field: Int32) throws -> MessageBuilder {
        guard let child = connx_add_child(document.pointer, pointer, field) else { throw OutOfMemory() }
        return MessageBuilder(document: document, pointer: child)
    }

    /// The `raw_data` of a tensor; the region must live until the document has been written.
    func addPayload(_ region: ByteRegion) throws {
        try require(connx_add_payload(pointer, region.start, region.count))
    }

    private func require(_ success: Bool) throws {
        guard success else { throw OutOfMemory() }
    }
}
