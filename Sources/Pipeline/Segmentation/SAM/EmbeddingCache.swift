import Foundation
import ONNXLoader
import Runtime

/// SAM's embeddings in a folder, found again by the image's content, the encoder's file and the part of the image.
///
/// A file appears under its name only when it is complete. One that is damaged, of another key, or too large is passed
/// over and replaced.
public struct EmbeddingCache: Sendable {
    public let folder: URL
    private let encoder: String

    /// The largest file that is read: embeddings of a frame of 4096 x 4096 pixels with positions take half of it.
    static let largestFile = 256 << 20

    /// - Parameters:
    ///   - folder: is made when there is none.
    ///   - encoder: the checksum of the encoder's file and of the weights that lie beside it.
    public init(folder: URL, encoder: String) {
        self.folder = folder
        self.encoder = encoder
    }

    /// The content of an image: its size and the SHA-256 of its pixels.
    struct Source: Sendable, Hashable {
        let name: String

        /// - Throws: `ImageError` when OpenSSL refuses SHA-256.
        init(_ image: RGBImage) throws(ImageError) {
            do throws(ImageError.Problem) {
                name = "\(image.width)x\(image.height) \(try Checksum.sha256(image.pixels))"
            } catch {
                throw ImageError(file: "the picture", problem: error)
            }
        }
    }

    /// The tensors of those names, from the folder or from `make`, whose results are then written.
    /// - Throws: `ImageError` when the folder cannot be written, or what `make` throws.
    func tensors(
        named names: [String], of source: Source, part: BoundingBox, make: () throws -> [String: Tensor]
    ) throws -> [String: Tensor] {
        let description = "\(source.name) \(part.x),\(part.y),\(part.width),\(part.height) \(encoder)"
        let key: String
        do throws(ImageError.Problem) {
            key = try Checksum.sha256(Array(description.utf8))
        } catch {
            throw ImageError(file: folder.path, problem: error)
        }
        let path = folder.appendingPathComponent(key + ".embedding").path
        if let bytes = try? FileBytes.read(path, limit: Self.largestFile),
            let tensors = EmbeddingFile.read(bytes, key: key), Set(tensors.keys) == Set(names)
        {
            return tensors
        }
        let made = try make()
        guard let bytes = EmbeddingFile.bytes(made, key: key), bytes.count <= Self.largestFile else { return made }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ImageError(file: path, problem: .unwritable(reason: error.localizedDescription))
        }
        return made
    }
}

/// The layout of a file of embeddings: a mark, the key, then for every tensor its name, element type, sizes and elements,
/// and at the end the SHA-256 of all that. Numbers are little-endian.
enum EmbeddingFile {
    private static let mark = Array("TAMPERSCOPE EMBEDDING 1\n".utf8)
    private static let digestCount = 64
    private static let types: [(code: UInt32, type: ElementType)] = [(1, .float32), (2, .float16)]

    /// - Returns: nil for tensors that are not of a floating-point type kept here.
    static func bytes(_ tensors: [String: Tensor], key: String) -> [UInt8]? {
        var bytes = mark + Array(key.utf8)
        append(UInt32(tensors.count), to: &bytes)
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            guard let code = types.first(where: { $0.type == tensor.elementType })?.code else { return nil }
            append(UInt32(name.utf8.count), to: &bytes)
            bytes += name.utf8
            append(code, to: &bytes)
            append(UInt32(tensor.shape.count), to: &bytes)
            for size in tensor.shape { append(UInt32(clamping: size), to: &bytes) }
            tensor.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        guard let digest = try? Checksum.sha256(bytes) else { return nil }
        return bytes + Array(digest.utf8)
    }

    /// - Returns: nil unless the file is whole and of that key.
    static func read(_ bytes: [UInt8], key: String) -> [String: Tensor]? {
        let head = mark + Array(key.utf8)
        guard bytes.count >= head.count + digestCount, bytes.starts(with: head) else { return nil }
        let content = Array(bytes.dropLast(digestCount))
        guard let digest = try? Checksum.sha256(content), bytes.suffix(digestCount).elementsEqual(digest.utf8) else {
            return nil
        }
        var reader = Reader(rest: content.dropFirst(head.count))
        guard let count = reader.number(), count <= 16 else { return nil }
        var tensors: [String: Tensor] = [:]
        for _ in 0..<count {
            guard let length = reader.number(), let name = reader.take(length), let code = reader.number(),
                let type = types.first(where: { $0.code == UInt32(code) })?.type, let rank = reader.number(), rank <= 8
            else { return nil }
            var shape: [Int] = []
            for _ in 0..<rank {
                guard let size = reader.number() else { return nil }
                shape.append(size)
            }
            guard let elements = try? ConstantTensor.count(of: shape), let byteCount = type.byteCount(of: elements),
                let data = reader.take(byteCount),
                let constant = try? ConstantTensor(
                    elementType: type, shape: shape, payload: .bytes(ByteRegion(copying: data)))
            else { return nil }
            tensors[String(decoding: name, as: UTF8.self)] = Tensor(constant)
        }
        return reader.rest.isEmpty ? tensors : nil
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    /// Takes bytes from the front.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }

        mutating func number() -> Int? {
            take(4).map { bytes in bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
        }
    }
}
