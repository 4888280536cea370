import Foundation
import ONNXLoader

/// A model with the file that it came from and its contract.
public struct ModelFile: Sendable {
    public let url: URL
    public let model: Model
    public let contract: ModelContract

    /// - Parameters:
    ///   - url: an ONNX file.
    ///   - role: what the user says that it is; the file's own metadata goes first.
    ///   - open: reads the file.
    /// - Throws: `ContractError`, or what `open` throws.
    public init(_ url: URL, role: ModelRole? = nil, open: (URL) throws -> Model = { try Model(contentsOf: $0) }) throws
    {
        try self.init(url, try open(url), role: role)
    }

    init(_ url: URL, _ model: Model, role: ModelRole? = nil) throws(ContractError) {
        self.url = url
        self.model = model
        contract = try ModelContract(model, role: role, file: url.lastPathComponent)
    }
}

/// The models of a folder, found by what their files say that they are; names do not matter.
public struct ModelFolder: Sendable {
    public let url: URL
    private let entries: [Entry]

    private enum Entry: Sendable {
        case model(ModelFile)
        /// A model that says nothing of its role.
        case unnamed(URL, Model)
        /// A file that cannot be used, and why.
        case unusable(URL, String)

        init(_ url: URL, open: (URL) throws -> Model) {
            do {
                let model = try open(url)
                do throws(ContractError) {
                    self = .model(try ModelFile(url, model))
                } catch {
                    if case .noRole = error {
                        self = .unnamed(url, model)
                    } else {
                        self = .unusable(url, error.description)
                    }
                }
            } catch {
                self = .unusable(url, "\(error)")
            }
        }

        var summary: String {
            switch self {
            case .model(let file): "\(file.url.lastPathComponent) is a \(file.contract.role.rawValue)"
            case .unnamed(let url, _): "\(url.lastPathComponent) does not say what it is for"
            case .unusable(let url, let reason): "\(url.lastPathComponent) cannot be used: \(reason)"
            }
        }
    }

    /// Looks into every `.onnx` file of a folder, but not into folders inside it.
    /// - Parameter open: reads a file.
    /// - Throws: `ModelFolderError.unreadable`.
    public init(_ url: URL, open: (URL) throws -> Model = { try Model(contentsOf: $0) }) throws(ModelFolderError) {
        self.url = url
        let files: [URL]
        do {
            files = try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
        } catch {
            throw .unreadable(folder: url.path)
        }
        entries = files.filter { $0.pathExtension.lowercased() == "onnx" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { Entry($0, open: open) }
    }

    /// All models of a role, by file name.
    /// - Parameter isStated: whether the user has said that a model of this role is there: then, when no file says so of
    ///   itself, those that say nothing of their role but have all else that it needs are taken.
    /// - Throws: `ModelFolderError.noModel` when there is none.
    public func models(for role: ModelRole, isStated: Bool = false) throws(ModelFolderError) -> [ModelFile] {
        var files = entries.compactMap { entry -> ModelFile? in
            if case .model(let file) = entry, file.contract.role == role { file } else { nil }
        }
        guard files.isEmpty else { return files }

        var command: String?
        for case .unnamed(let url, let model) in entries {
            do throws(ContractError) {
                files.append(try ModelFile(url, model, role: role))
            } catch {
                if case .missing(_, _, let line) = error { command = command ?? line }
            }
        }
        guard isStated, !files.isEmpty else {
            throw .noModel(role, folder: url.path, found: entries.map(\.summary), command: command)
        }
        return files
    }

    /// The only model of a role; see `models`.
    /// - Throws: `ModelFolderError.noModel`, or `severalModels`.
    public func model(for role: ModelRole, isStated: Bool = false) throws(ModelFolderError) -> ModelFile {
        let files = try models(for: role, isStated: isStated)
        guard files.count == 1 else {
            throw .severalModels(role, folder: url.path, files: files.map(\.url.lastPathComponent))
        }
        return files[0]
    }
}

extension ModelFolder {
    /// The classifier: one file, or several that are views of one model. They are when each names its views in its
    /// metadata, no two views have the same name, and all take the same input.
    ///
    /// - Returns: the files in the order of their views' names.
    /// - Throws: `ModelFolderError.noModel`, or `severalModels` when several files are not views of one model.
    public func classifiers() throws(ModelFolderError) -> [ModelFile] {
        let files = try models(for: .classifier)
        guard files.count > 1 else { return files }
        let views = files.map { $0.contract.views.map(\.logit) }
        let first = files[0].contract
        guard views.allSatisfy({ !$0.isEmpty }), Set(views.joined()).count == views.joined().count,
            files.allSatisfy({ $0.contract.input == first.input && $0.contract.errorLevels == first.errorLevels })
        else { return [try model(for: .classifier)] }
        return zip(files, views).sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }
}

/// Why a folder gives no model for a role.
public enum ModelFolderError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(folder: String)
    /// What each file of the folder is instead, and a command that would give one of them the role.
    case noModel(ModelRole, folder: String, found: [String], command: String?)
    case severalModels(ModelRole, folder: String, files: [String])

    public var description: String {
        switch self {
        case .unreadable(let folder):
            "there is no folder \(folder) with models, or it cannot be read; name another with --models"
        case .noModel(let role, let folder, let found, let command):
            "no \(role.rawValue) in \(folder) ("
                + (found.isEmpty ? "there are no .onnx files" : found.joined(separator: "; "))
                + "). " + (command.map { "If one of them is one, record it: \($0)" } ?? Self.remedy(role))
        case .severalModels(let role, let folder, let files):
            "\(folder) holds \(files.count) models of role \(role.rawValue) (\(files.joined(separator: ", "))) where one is"
                + " wanted: leave one of them there, or name another folder with --models"
                + (role == .classifier
                    ? "; files with views of one model are used together when their metadata gives each view another name"
                    : "")
        }
    }

    /// How to come by a model of a role.
    private static func remedy(_ role: ModelRole) -> String {
        switch role {
        case .samEncoder, .samDecoder:
            "To make one: export SAM with its published exporter, samexporter or Optimum; it is recognised by its inputs and outputs"
        case .classifier, .deeplab, .pspnet, .student:
            "To make one: export a trained network to ONNX and record what it is with"
                + " `convert FILE.onnx --role \(role.rawValue) --set key=value …`"
        }
    }
}
