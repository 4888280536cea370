import Foundation

/// Files that may be images, from files and folders.
public enum ImageFiles {
    /// The files that are named, and of folders all images in them and in the folders inside, by path. None twice.
    ///
    /// - Parameter folder: what lies in it is left out, unless it is named itself: results of an earlier run.
    /// - Throws: `DatasetError` for a folder that cannot be read.
    public static func list(_ urls: [URL], excluding folder: URL) throws(DatasetError) -> [URL] {
        let excluded = folder.standardizedFileURL.path + "/"
        var files: [URL] = []
        var seen: Set<String> = []
        for url in urls {
            var isDirectory: ObjCBool = false
            let found: [URL]
            if FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue {
                found = try FileTree(url).files.sorted { $0.path < $1.path }.map(\.url)
                    .filter { !$0.standardizedFileURL.path.hasPrefix(excluded) && FileHeader.problem($0) == nil }
            } else {
                found = [url]
            }
            files += found.filter { seen.insert($0.standardizedFileURL.path).inserted }
        }
        return files
    }
}
