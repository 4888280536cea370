import COpenSSL

/// SHA-256 (FIPS 180-4) by OpenSSL.
enum Checksum {
    /// The digest as 64 lower-case hexadecimal digits.
    static func sha256(_ bytes: [UInt8]) throws(ImageError.Problem) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil) == 1 else {
            throw .unreadable(reason: "OpenSSL refuses SHA-256")
        }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
