extension Report {
    /// The report as lines for people; ends with a line break unless it is empty.
    var text: String {
        guard irVersion != nil else { return "" }
        var lines: [(String, String)] = [("model", model)]
        if let irVersion {
            let sets = opsets.sorted { $0.key < $1.key }.map { ($0.key.isEmpty ? "opset" : $0.key) + " \($0.value)" }
            lines.append(
                ("format", (["IR \(irVersion)"] + sets + [producer].compactMap { $0 }).joined(separator: ", ")))
        }
        lines += inputs.map { ("input", $0.summary) } + outputs.map { ("output", $0.summary) }
        if let parameters { lines.append(("parameters", grouped(parameters))) }
        if let nodesBefore { lines.append(("nodes", nodesText(nodesBefore))) }
        if let plan {
            lines.append(("multiply-adds", grouped(plan.multiplyAdds)))
            let dynamic = plan.dynamicSteps > 0 ? ", and what \(plan.dynamicSteps) data-dependent steps allocate" : ""
            lines.append(("peak memory", megabytes(plan.arenaBytes + plan.outputBytes) + " planned" + dynamic))
        } else if runs {
            lines.append(("multiply-adds", "unknown: give sizes for the symbolic dimensions with --dim NAME=SIZE"))
        }
        if let role {
            lines.append(("role", role + (roleOrigin.map { " (from its \($0))" } ?? "")))
        } else {
            lines.append(("role", "not recorded"))
        }
        if let weights { lines += weightLines(weights) }
        if let run {
            let others = run.milliseconds.count - 1
            lines.append(("load", fixed(run.loadSeconds, 3) + " s"))
            lines.append(("first run", fixed(run.first, 2) + " ms"))
            if others > 0 { lines.append(("median", fixed(run.median, 2) + " ms of \(others) further runs")) }
            lines.append(("peak resident", fixed(run.peakMegabytes, 1) + " MB"))
            if let saved = run.saved { lines.append(("saved", saved)) }
        }
        if let output { lines.append(("written", output)) }
        lines += warnings.map { ("warning", $0) }
        let width = lines.map(\.0.count).max() ?? 0
        let text = lines.map { label, value in
            label + String(repeating: " ", count: width - label.count + 2)
                + value.replacing("\n", with: "\n" + String(repeating: " ", count: width + 2)) + "\n"
        }.joined()
        return text + (profile.map { "\n" + $0.text } ?? "")
    }

    private func nodesText(_ before: Int) -> String {
        guard let nodesAfter else { return grouped(before) }
        let changes = passes.filter { $0.removedNodes != 0 }.map { "\($0.name) \(-$0.removedNodes)" }
        return "\(grouped(before)) → \(grouped(nodesAfter))"
            + (changes.isEmpty ? "" : " (\(changes.joined(separator: ", ")))")
    }

    private func weightLines(_ weights: Weights) -> [(String, String)] {
        var details = ["\(weights.replaced) replaced"]
        if weights.mergedBatchNorms > 0 { details.append("\(weights.mergedBatchNorms) BatchNorms merged") }
        if weights.converted > 0 { details.append("\(weights.converted) converted") }
        if weights.ignored > 0 { details.append("\(weights.ignored) ignored") }
        var lines = [("weights", "\(weights.file) (\(weights.format)): \(details.joined(separator: ", "))")]
        lines += weights.notes.map { ("", $0) }
        if !weights.missing.isEmpty { lines.append(("not in the file", weights.missing.joined(separator: "\n"))) }
        if !weights.unused.isEmpty { lines.append(("not in the model", weights.unused.joined(separator: "\n"))) }
        return lines
    }
}
