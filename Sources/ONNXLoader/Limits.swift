/// How much a file may ask for. Everything else is bounded by the bytes that the file has.
public struct Limits: Sendable, Hashable {
    /// Bytes of protobuf structure: the file without the payloads of its tensors. Protobuf itself ends at 2 GB.
    public var structureBytes: Int
    /// Fields of all messages together. An empty message takes two bytes in a file and over a hundred in memory.
    public var fields: Int
    /// Messages inside messages; one graph inside another takes three.
    public var depth: Int
    /// Bytes of all sparse tensors together once they are dense: their dimensions are not backed by bytes in the file.
    public var denseBytes: Int

    public init(
        structureBytes: Int = Int(Int32.max), fields: Int = 5_000_000, depth: Int = 100, denseBytes: Int = 1 << 28
    ) {
        self.structureBytes = structureBytes
        self.fields = fields
        self.depth = depth
        self.denseBytes = denseBytes
    }
}
