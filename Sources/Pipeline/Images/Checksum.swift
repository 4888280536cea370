import COpenSSL
import Foundation

/// SHA-256 (FIPS 180-4) by OpenSSL.
enum Checksum {
    /// The digest as 64 lower-case hexadecimal digits.
    static func sha256(_ bytes: [UInt8]) throws(ImageError.Problem) -> String {
        guard let digest = bytes.withUnsafeBytes(hexadecimalDigest) else { throw refused }
        return digest
    }

    static func sha256(_ bytes: UnsafeRawBufferPointer) throws(ImageError.Problem) -> String {
        guard let digest = hexadecimalDigest(bytes) else { throw refused }
        return digest
    }

    /// The digest of a file, which is mapped for it.
    static func sha256(ofFile path: String) throws(ImageError) -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw ImageError(file: path, problem: .unreadable(reason: error.localizedDescription))
        }
        guard let digest = data.withUnsafeBytes(hexadecimalDigest) else {
            throw ImageError(file: path, problem: refused)
        }
        return digest
    }

    private static let refused = ImageError.Problem.unreadable(reason: "OpenSSL refuses SHA-256")

    private static func hexadecimalDigest(_ bytes: UnsafeRawBufferPointer) -> String? {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &count, EVP_sha256(), nil) == 1 else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
