import Foundation

/// Maps a whole file.
func mapFile(at url: URL) throws -> ByteRegion {
    guard let data = try? Data(contentsOf: url, options: .alwaysMapped) else {
        throw ArchiveError.Problem.inaccessible("the file cannot be read")
    }
    return ByteRegion(copying: data)
}
