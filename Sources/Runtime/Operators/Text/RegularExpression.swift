import CRE2

/// A compiled pattern of RE2's syntax, <https://github.com/google/re2/wiki/Syntax>.
final class RegularExpression: Sendable {
    private nonisolated(unsafe) let compiled: OpaquePointer

    /// - Throws: `OperatorError` with RE2's reason.
    init(_ pattern: String) throws {
        var reason = [CChar](repeating: 0, count: 256)
        var pattern = pattern
        let compiled = pattern.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_compile($0.baseAddress, $0.count, &reason, reason.count)
            }
        }
        guard let compiled else {
            let text = String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw OperatorError("the pattern “\(pattern)” is not one of RE2's: \(text)")
        }
        self.compiled = compiled
    }

    deinit { cre2_destroy(compiled) }

    /// Whether the whole text matches; takes time linear in its length.
    func matchesWhole(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_matches(compiled, $0.baseAddress, $0.count) }
        }
    }
}
