import ArgumentParser
import Pipeline

@main
struct PipelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline", abstract: "Finds out which part of a photo was manipulated.",
        version: Tamperscope.version,
        subcommands: [Run.self, Segment.self, Cam.self, PseudoMask.self, Eval.self])
}
