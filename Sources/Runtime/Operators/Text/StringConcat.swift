import ONNXLoader

/// StringConcat (opset 20): strings joined pair by pair, broadcast to a common shape.
struct StringConcat: Operator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let type = try inputs.broadcastPair()
        guard type.elementType == .string else { throw OperatorError("\(type.elementType.name) is not supported") }
        return [type]
    }

    func run(_ step: inout Step) throws {
        let (left, right) = (try step.input(0).strings, try step.input(1).strings)
        let output = try step.output(0)
        let broadcasting = try step.broadcasting(2)
        let steps = broadcasting.steps
        func forEachPair(_ body: (Int, String, String) -> Void) {
            broadcasting.forEachRun(in: 0..<output.count) { run, starts in
                for (offset, index) in run.enumerated() {
                    body(index, left[starts[0] + offset * steps[0]], right[starts[1] + offset * steps[1]])
                }
            }
        }
        var byteCount = 0
        forEachPair { byteCount = byteCount.addingReportingOverflow($1.utf8.count &+ $2.utf8.count).partialValue }
        output.storage.strings = try step.context.budget.withReservation(byteCount: byteCount) {
            var joined = [String](repeating: "", count: output.count)
            forEachPair { joined[$0] = $1 + $2 }
            return joined
        }
    }
}
