extension Model {
    /// Everything that is wrong with the model's structure, whatever its operators are: names that are defined twice,
    /// or used but not defined; nodes out of order or in a cycle; domains without an operator set version; functions
    /// that are defined twice or call themselves. Empty for a sound model; at most 1000 problems.
    ///
    /// Inner graphs may use the names of what contains them, and may define the same names for themselves.
    public func problems() -> [Problem] {
        var problems = ProblemList()
        let identities = Set(functions.map(FunctionIdentity.init))
        checkVersions(opsets, at: "model", &problems)
        check(
            ScopeChecker(
                inputs: graph.inputs.map(\.name), constants: Set(graph.initializers.keys), nodes: graph.nodes,
                outputs: graph.outputs.map(\.name)),
            opsets: opsets, functions: identities, at: "", &problems)
        for function in functions {
            let location = "function \(quoted(function.name))"
            checkVersions(function.opsets, at: location, &problems)
            let checker = ScopeChecker(
                inputs: function.inputs, nodes: function.nodes, outputs: function.outputs,
                attributes: Set(function.attributes).union(function.defaults.keys))
            check(checker, opsets: function.opsets, functions: identities, at: location, &problems)
        }
        checkFunctions(&problems)
        return problems.all
    }

    private func check(
        _ checker: ScopeChecker, opsets: [String: Int], functions: Set<FunctionIdentity>, at location: String,
        _ problems: inout ProblemList
    ) {
        checker.check(at: location, &problems)
        checkDomains(of: checker.nodes, opsets: opsets, functions: functions, at: location, &problems)
    }

    private func checkVersions(_ opsets: [String: Int], at location: String, _ problems: inout ProblemList) {
        for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) where version < 1 {
            problems.add(
                .operatorSet, at: location, "imports version \(version) of the operator set \(quoted(domain))")
        }
    }

    private func checkDomains(
        of nodes: [Node], opsets: [String: Int], functions: Set<FunctionIdentity>, at location: String,
        _ problems: inout ProblemList
    ) {
        var users: [String: (first: String, count: Int)] = [:]
        forEachNode(nodes, at: location) { node, place in
            guard opsets[node.domain] == nil, !functions.contains(FunctionIdentity(calledBy: node)) else { return }
            users[node.domain, default: (place(), 0)].count += 1
        }
        for (domain, user) in users.sorted(by: { $0.key < $1.key }) {
            let others = user.count > 1 ? ", like \(user.count - 1) further nodes," : ""
            problems.add(
                .operatorSet, at: user.first,
                "its operator\(others) is of the domain \(quoted(domain)), "
                    + "of which no operator set version is imported")
        }
    }

    private func checkFunctions(_ problems: inout ProblemList) {
        var indices: [FunctionIdentity: Int] = [:]
        for (index, function) in functions.enumerated() {
            let identity = FunctionIdentity(function)
            if indices[identity] != nil {
                problems.add(
                    .duplicate, at: "function \(quoted(function.name))",
                    "is defined more than once in the domain \(quoted(function.domain))")
            }
            indices[identity] = index
        }
        let calls = functions.map { function in
            var called: [Int] = []
            forEachNode(function.nodes, at: "") { node, _ in
                if let index = indices[FunctionIdentity(calledBy: node)] { called.append(index) }
            }
            return called
        }
        if let cycle = cycle(in: calls) {
            let names = cycle.prefix(10).map { quoted(functions[$0].name) }
            problems.add(
                .cycle, at: "function \(names[0])", "calls itself through \(names.joined(separator: ", "))")
        }
    }
}

/// What a node names to call a function.
private struct FunctionIdentity: Hashable {
    let domain: String
    let name: String
    let overload: String

    init(_ function: Function) {
        domain = function.domain
        name = function.name
        overload = function.overload
    }

    init(calledBy node: Node) {
        domain = node.domain
        name = node.operatorName
        overload = node.overload
    }
}

/// Visits nodes and those of the graphs in their attributes; the place is made only when it is asked for.
private func forEachNode(_ nodes: [Node], at location: String, _ visit: (Node, () -> String) -> Void) {
    for (index, node) in nodes.enumerated() {
        let place = { joined(location, node.place(index)) }
        visit(node, place)
        for inner in node.innerGraphs {
            forEachNode(inner.graph.nodes, at: joined(place(), inner.place), visit)
        }
    }
}

extension Node {
    /// The graphs in the node's attributes, in the order of the attributes' names, with their places in the node.
    var innerGraphs: [(place: String, graph: Graph)] {
        var graphs: [(place: String, graph: Graph)] = []
        for (name, attribute) in attributes {
            switch attribute {
            case .graph(let graph): graphs.append(("attribute \(quoted(name))", graph))
            case .graphs(let list):
                for (index, graph) in list.enumerated() {
                    graphs.append(("attribute \(quoted(name))[\(index)]", graph))
                }
            default: break
            }
        }
        return graphs.count > 1 ? graphs.sorted { $0.place < $1.place } : graphs
    }
}
