import ArgumentParser
import Foundation
import ONNXLoader
import Runtime

struct RunArguments: ParsableArguments {
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "Run on the arrays of this file (.npz, .safetensors), which are named as the inputs.", valueName: "file"))
    var inputFile: String?

    @Option(
        name: .customLong("save"),
        help: ArgumentHelp("Save the outputs of the run under their names.", valueName: "out.npz"))
    var outputFile: String?

    @Option(
        help: ArgumentHelp("Run as often again after the first time, and print the median time.", valueName: "count"))
    var `repeat`: Int?

    @Flag(
        help: """
            Print time, GFLOP/s and kernel per node and per operator, and the memory plan; on random inputs unless --run \
            gives some.
            """)
    var profile = false

    @Option(
        name: .customLong("dim"),
        help: ArgumentHelp(
            "A size for a symbolic dimension of the inputs; the written model has it fixed. Repeat for more.",
            valueName: "name=size"))
    var dimensions: [Dimension] = []

    @Option(help: ArgumentHelp("Threads (default: one per core).", valueName: "count"))
    var threads: Int?

    @OptionGroup
    var gradient: GradientArguments

    struct Dimension: ExpressibleByArgument {
        let name: String
        let size: Int

        init?(argument: String) {
            guard let separator = argument.lastIndex(of: "="), separator > argument.startIndex,
                let size = Int(argument[argument.index(after: separator)...]), size > 0
            else { return nil }
            name = String(argument[..<separator])
            self.size = size
        }
    }

    var isWanted: Bool { inputFile != nil || profile }

    func validate() throws {
        if outputFile != nil, inputFile == nil { throw ValidationError("--save goes with --run.") }
        if gradient.gradient != nil, inputFile == nil { throw ValidationError("--gradient goes with --run.") }
        if let `repeat` {
            guard isWanted else { throw ValidationError("--repeat goes with --run or --profile.") }
            guard (1...1_000_000).contains(`repeat`) else {
                throw ValidationError("--repeat is \(`repeat`), but must lie between 1 and 1000000.")
            }
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but must lie between 1 and 1024.")
        }
        let names = dimensions.map(\.name)
        if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ValidationError("--dim gives '\(name)' more than one size.")
        }
    }

    func fixDimensions(of model: inout Model) throws {
        try model.graph.fixDimensions(Dictionary(uniqueKeysWithValues: dimensions.map { ($0.name, $0.size) }))
    }

    /// Types of the inputs: of the arrays to run on, else as declared; nil when a size is not known.
    func inputTypes(of session: Session, archive: TensorArchive?) throws -> [String: ValueType]? {
        if let archive { return try tensors(archive, for: session).mapValues(ValueType.init) }
        var types: [String: ValueType] = [:]
        for input in session.inputs {
            guard let type = input.fixedType else { return nil }
            types[input.name] = type
        }
        return types
    }

    /// Runs the model, and takes times and memory.
    func execute(
        _ session: Session, archive: TensorArchive?, loadSeconds: Double, report: inout Report
    ) throws {
        let inputs = try archive.map { try tensors($0, for: session) } ?? randomInputs(of: session)
        var milliseconds: [Double] = []
        var outputs: [String: Tensor] = [:]
        if inputFile != nil {
            for _ in 0...(`repeat` ?? 0) {
                let start = ContinuousClock.now
                outputs =
                    try gradient.gradient.map { try gradient.execute($0, session, inputs) } ?? session.run(inputs)
                milliseconds.append((ContinuousClock.now - start).inSeconds * 1000)
            }
            report.run = Report.Run(
                loadSeconds: loadSeconds, milliseconds: milliseconds, peakMegabytes: Self.peakMegabytes)
        }
        if profile {
            let measured = try session.profile(inputs, runs: 1 + (`repeat` ?? 5))
            report.profile = ProfileReport(measured)
            if inputFile == nil {
                report.run = Report.Run(
                    loadSeconds: loadSeconds, milliseconds: [measured.totalSeconds * 1000],
                    peakMegabytes: Self.peakMegabytes)
            }
        }
        if let outputFile {
            try NumPyArchive.write(
                try outputs.mapValues { try ConstantTensor($0) }, to: URL(fileURLWithPath: outputFile))
            report.run?.saved = outputFile
        }
    }

    /// The file's arrays as the graph's inputs; a single unnamed array is its single input.
    private func tensors(_ archive: TensorArchive, for session: Session) throws -> [String: Tensor] {
        var tensors = archive.tensors.mapValues { Tensor($0) }
        if tensors.count == 1, session.inputs.count == 1, let tensor = tensors.removeValue(forKey: "") {
            tensors[session.inputs[0].name] = tensor
        }
        return tensors
    }

    private func randomInputs(of session: Session) throws -> [String: Tensor] {
        var generator = SystemRandomNumberGenerator()
        return try session.inputs.reduce(into: [:]) { inputs, input in
            guard let type = input.fixedType else { throw UnknownSize(input: input) }
            inputs[input.name] = try Tensor(random: type, using: &generator)
        }
    }

    /// The most memory that the process has had resident, in units of 2^20 bytes; 0 where the kernel does not say.
    ///
    /// Not from `getrusage`, whose figure starts at that of the process that started this one.
    private static var peakMegabytes: Double {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                Double($0)
            })
        else { return 0 }
        return kilobytes / 1024
    }
}

/// An input cannot be made up because its shape is not known.
struct UnknownSize: Error, CustomStringConvertible {
    let input: ValueDeclaration

    var description: String {
        "the input '\(input.name)' is \(input.kind.summary): give a size for each of its symbolic dimensions with --dim "
            + "NAME=SIZE, or arrays with --run"
    }
}

extension ValueDeclaration {
    /// The type when every size is fixed.
    fileprivate var fixedType: ValueType? {
        guard case .tensor(let elementType, let shape?) = kind else { return nil }
        let sizes = shape.compactMap { if case .fixed(let size) = $0 { size } else { nil } }
        return sizes.count == shape.count ? ValueType(elementType, sizes) : nil
    }
}

extension Tensor {
    /// Elements between 0 and 1 of a floating-point type, 0 or 1 of another.
    fileprivate init(random type: ValueType, using generator: inout some RandomNumberGenerator) throws {
        let count = try ConstantTensor.count(of: type.shape)
        guard count <= 1 << 30 else { throw TensorError.badShape(type.shape) }
        let zeroes = try ConstantTensor(
            elementType: type.elementType, shape: type.shape,
            payload: type.elementType == .string
                ? .strings(Array(repeating: [], count: count))
                : .bytes(ByteRegion(count: try type.byteCount) { _ in }))
        switch type.elementType {
        case .float32:
            self = try Tensor((0..<count).map { _ in Float.random(in: 0..<1, using: &generator) }, shape: type.shape)
        case .float64:
            self = try Tensor((0..<count).map { _ in Double.random(in: 0..<1, using: &generator) }, shape: type.shape)
        default:
            self = Tensor(zeroes)
        }
    }
}
