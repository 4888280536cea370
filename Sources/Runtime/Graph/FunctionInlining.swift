import ONNXLoader

extension Model {
    /// Replaces calls of the file's own functions by their nodes.
    /// - Throws: `RuntimeError.node` when calls nest more than 64 deep, which only a recursive function does.
    mutating func inlineFunctions() throws {
        guard !functions.isEmpty else { return }
        let byKey = Dictionary(
            functions.map { (FunctionKey(domain: $0.domain, name: $0.name, overload: $0.overload), $0) },
            uniquingKeysWith: { first, _ in first })
        var inliner = FunctionInliner(functions: byKey)
        graph.nodes = try inliner.inline(graph.nodes, depth: 0)
        // A function may import domains that the model itself does not.
        for function in functions {
            opsets.merge(function.opsets) { model, _ in model }
        }
        functions = []
    }
}

private struct FunctionKey: Hashable {
    let domain, name, overload: String
}

private struct FunctionInliner {
    let functions: [FunctionKey: Function]
    private var calls = 0

    init(functions: [FunctionKey: Function]) { self.functions = functions }

    mutating func inline(_ nodes: [Node], depth: Int) throws -> [Node] {
        var result: [Node] = []
        for node in nodes {
            let key = FunctionKey(domain: node.domain, name: node.operatorName, overload: node.overload)
            guard let function = functions[key] else {
                var node = node
                for (name, var graph) in node.subgraphs {
                    graph.nodes = try inline(graph.nodes, depth: depth)
                    node.attributes[name] = .graph(graph)
                }
                result.append(node)
                continue
            }
            guard depth < 64 else {
                throw RuntimeError.node(
                    node.name, operatorName: node.operatorName, inputs: [], reason: "function calls nest too deep")
            }
            calls += 1
            guard calls < 100_000 else {
                throw RuntimeError.node(
                    node.name, operatorName: node.operatorName, inputs: [], reason: "too many function calls")
            }
            result += try inline(body(of: function, calledBy: node, call: calls), depth: depth + 1)
        }
        return result
    }

    /// The function's nodes with the caller's names and attributes in place of its own.
    private func body(of function: Function, calledBy call: Node, call number: Int) -> [Node] {
        var names: [String: String] = ["": ""]
        for (index, input) in function.inputs.enumerated() {
            names[input] = index < call.inputs.count ? call.inputs[index] : ""
        }
        for (index, output) in function.outputs.enumerated()
        where index < call.outputs.count && !call.outputs[index].isEmpty {
            names[output] = call.outputs[index]
        }
        let prefix = "\(call.name.isEmpty ? call.operatorName : call.name)#\(number)/"
        func rename(_ name: String) -> String { names[name] ?? prefix + name }
        return function.nodes.map { node in
            var copy = node.replacing(inputs: rename, outputs: rename) { attribute in
                guard case .reference(let reference) = attribute else { return attribute }
                return call.attributes[reference] ?? function.defaults[reference]
            }
            copy.name = prefix + node.name
            return copy
        }
    }
}
