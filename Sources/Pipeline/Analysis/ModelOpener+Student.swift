import Foundation

extension ModelOpener {
    /// A student from its own file.
    ///
    /// - Throws: `ModelSetError` for a file that cannot be read or is no student; `LoaderError`.
    public mutating func student(_ url: URL) throws -> Student {
        do {
            let file = try ModelFile(url, role: .student)
            return try Student(file.contract, session(file))
        } catch let error as ContractError {
            throw ModelSetError(file: url.path, reason: "\(error)")
        }
    }
}
