import Foundation

extension Report {
    private enum CodingKeys: CodingKey {
        case model, runs, error, irVersion, opsets, producer, inputs, outputs, parameters, nodesBefore, nodesAfter
        case passes, multiplyAdds, peakPlannedBytes, constantBytes, dynamicSteps, role, roleOrigin, weights, loadSeconds
        case firstMilliseconds, medianMilliseconds, runMilliseconds, peakMegabytes, saved, profile, output, warnings
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(runs, forKey: .runs)
        try container.encodeIfPresent(error, forKey: .error)
        guard irVersion != nil else { return }
        try container.encode(irVersion, forKey: .irVersion)
        let named = opsets.map { ($0.key.isEmpty ? "ai.onnx" : $0.key, $0.value) }
        try container.encode(Dictionary(named) { first, _ in first }, forKey: .opsets)
        try container.encodeIfPresent(producer, forKey: .producer)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(outputs, forKey: .outputs)
        try container.encode(parameters, forKey: .parameters)
        try container.encode(nodesBefore, forKey: .nodesBefore)
        try container.encode(nodesAfter, forKey: .nodesAfter)
        try container.encode(passes, forKey: .passes)
        try container.encode(plan?.multiplyAdds, forKey: .multiplyAdds)
        try container.encode(plan.map { $0.arenaBytes + $0.outputBytes }, forKey: .peakPlannedBytes)
        try container.encode(plan?.constantBytes, forKey: .constantBytes)
        try container.encode(plan?.dynamicSteps, forKey: .dynamicSteps)
        try container.encode(role, forKey: .role)
        try container.encodeIfPresent(roleOrigin, forKey: .roleOrigin)
        try container.encodeIfPresent(weights, forKey: .weights)
        if let run {
            try container.encode(run.loadSeconds, forKey: .loadSeconds)
            try container.encode(run.first, forKey: .firstMilliseconds)
            try container.encode(run.median, forKey: .medianMilliseconds)
            try container.encode(run.milliseconds, forKey: .runMilliseconds)
            try container.encode(run.peakMegabytes, forKey: .peakMegabytes)
            try container.encodeIfPresent(run.saved, forKey: .saved)
        }
        try container.encodeIfPresent(profile, forKey: .profile)
        try container.encodeIfPresent(output, forKey: .output)
        try container.encode(warnings, forKey: .warnings)
    }

    /// One document on one line.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
