import CZip
import Foundation

/// Arrays by name in a zip archive, as `numpy.savez` and `numpy.savez_compressed` write them.
public enum NumPyArchive {
    /// The arrays of the entries that end in `.npy`, named without that ending.
    static func read(_ zip: ZipReader, file: String, limits: ArchiveLimits) throws -> [String: ConstantTensor] {
        var budget = ByteBudget(limits)
        var arrays: [String: ConstantTensor] = [:]
        for (index, name) in zip.names.enumerated() where name.hasSuffix(".npy") {
            arrays[String(name.dropLast(4))] = try naming(file, name) {
                let bytes = try zip.read(index, budget: &budget)
                return try NumPyArray.read(bytes, limits: limits, budget: &budget)
            }
        }
        guard !arrays.isEmpty || zip.names.isEmpty else {
            throw ArchiveError(file: file, problem: .noTensors("no entry of the zip archive ends in .npy"))
        }
        return arrays
    }

    /// Writes arrays uncompressed, in the order of their names, so that the same arrays give the same file.
    ///
    /// bfloat16 and the 8-bit float types are written as unsigned integers of the same bits, which NumPy lacks.
    /// - Throws: `ArchiveError` when the file cannot be written or an element type has no counterpart (packed 4- and
    ///   2-bit types).
    public static func write(_ arrays: [String: ConstantTensor], to url: URL) throws {
        let file = url.path
        guard !arrays.isEmpty else {
            throw ArchiveError(file: file, problem: .noTensors("there is nothing to write"))
        }
        var code: Int32 = 0
        guard let archive = zip_open(file, ZIP_CREATE | ZIP_TRUNCATE, &code) else {
            var error = zip_error_t()
            zip_error_init_with_code(&error, code)
            defer { zip_error_fini(&error) }
            throw ArchiveError(file: file, problem: .inaccessible(String(cString: zip_error_strerror(&error))))
        }
        var isClosed = false
        defer { if !isClosed { zip_discard(archive) } }
        // libzip reads the buffers when the archive is closed.
        var buffers: [ByteRegion] = []
        for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
            let parts = try naming(file, name) { try npyParts(array) }
            buffers += parts
            var fragments = parts.map { part in
                zip_buffer_fragment_t(
                    data: UnsafeMutablePointer(
                        mutating: part.start?.assumingMemoryBound(to: zip_uint8_t.self)),
                    length: UInt64(part.count))
            }
            guard let source = zip_source_buffer_fragment(archive, &fragments, UInt64(fragments.count), 0) else {
                throw failure(archive, file)
            }
            let index = zip_file_add(archive, name + ".npy", source, zip_flags_t(ZIP_FL_ENC_UTF_8))
            guard index >= 0 else {
                zip_source_free(source)
                throw failure(archive, file)
            }
            guard zip_set_file_compression(archive, UInt64(index), Int32(ZIP_CM_STORE), 0) == 0,
                zip_file_set_dostime(archive, UInt64(index), 0, 0x21, 0) == 0
            else { throw failure(archive, file) }
        }
        try withExtendedLifetime(buffers) {
            guard zip_close(archive) == 0 else { throw failure(archive, file) }
            isClosed = true
        }
    }

    private static func failure(_ archive: OpaquePointer, _ file: String) -> ArchiveError {
        ArchiveError(file: file, problem: .inaccessible(String(cString: zip_strerror(archive))))
    }

    /// The header of an array, padded to a multiple of 64 bytes, and its elements.
    private static func npyParts(_ array: ConstantTensor) throws -> [ByteRegion] {
        let (descriptor, elements) = try content(array)
        let shape = "(" + array.shape.map { "\($0)," }.joined(separator: " ") + ")"
        var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
        let unpadded = 10 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        guard text.utf8.count <= UInt16.max else {
            throw ArchiveError.Problem.malformed("the shape has too many dimensions to be written")
        }
        let length = [UInt8(text.utf8.count & 0xff), UInt8(text.utf8.count >> 8)]
        return [ByteRegion(copying: NumPyHeader.magic + [1, 0] + length + Array(text.utf8)), elements]
    }

    private static func content(_ array: ConstantTensor) throws -> (descriptor: String, elements: ByteRegion) {
        switch array.payload {
        case .bytes(let bytes):
            guard let descriptor = descriptors[array.elementType] else {
                throw ArchiveError.Problem.unsupportedType(array.elementType.name)
            }
            return (descriptor, bytes)
        case .strings(let strings):
            let texts = strings.map { String(decoding: $0, as: UTF8.self).unicodeScalars.map(\.value) }
            let length = Swift.max(texts.map(\.count).max() ?? 1, 1)
            let bytes = texts.flatMap { text in
                (text + Array(repeating: 0, count: length - text.count)).flatMap { value in
                    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
                }
            }
            return ("<U\(length)", ByteRegion(copying: bytes))
        }
    }

    private static let descriptors: [ElementType: String] = [
        .bool: "|b1", .int8: "|i1", .int16: "<i2", .int32: "<i4", .int64: "<i8", .uint8: "|u1", .uint16: "<u2",
        .uint32: "<u4", .uint64: "<u8", .float16: "<f2", .float32: "<f4", .float64: "<f8", .complex64: "<c8",
        .complex128: "<c16", .bfloat16: "<u2", .float8E4M3FN: "|u1", .float8E4M3FNUZ: "|u1", .float8E5M2: "|u1",
        .float8E5M2FNUZ: "|u1", .float8E8M0: "|u1",
    ]
}
