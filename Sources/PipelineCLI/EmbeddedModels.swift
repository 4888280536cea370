import Foundation

/// The models that come with the product.
enum EmbeddedModels {
    /// The folder `models` above the executable, as in a built checkout or beside an installed `bin`; else the working
    /// folder's.
    static var folder: URL {
        var folder = executable.deletingLastPathComponent()
        while folder.path != "/" {
            let models = folder.appendingPathComponent("models", isDirectory: true)
            if FileManager.default.fileExists(atPath: models.appendingPathComponent("wcbnet-tiny.onnx").path) {
                return models
            }
            folder = folder.deletingLastPathComponent()
        }
        return URL(fileURLWithPath: "models", isDirectory: true)
    }

    private static var executable: URL {
        (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])).resolvingSymlinksInPath()
    }
}
