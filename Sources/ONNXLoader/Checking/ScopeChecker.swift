/// Checks the names in a graph or in the body of a function: every name is defined once, before it is used.
final class ScopeChecker {
    let nodes: [Node]
    private let inputs: [String]
    private let constants: Set<String>
    private let outputs: [String]
    /// The attributes of the function that this is inside of; nil outside of functions.
    private let attributes: Set<String>?
    private let parent: ScopeChecker?

    /// The node that gives a value.
    private var producers: [String: Int] = [:]
    /// The values that are defined before `current`.
    private var defined: Set<String> = []
    private var current = 0
    /// For each node, those that it depends on, directly or with its inner graphs.
    private var dependencies: [[Int]]
    /// Uses of values that a later node gives.
    private var early: [(user: Int, name: String)] = []
    /// Uses of values that nothing gives, by name.
    private var undefined: [String: (first: Int, count: Int)] = [:]

    init(
        inputs: [String], constants: Set<String> = [], nodes: [Node], outputs: [String],
        attributes: Set<String>? = nil, parent: ScopeChecker? = nil
    ) {
        self.inputs = inputs
        self.constants = constants
        self.nodes = nodes
        self.outputs = outputs
        self.attributes = attributes
        self.parent = parent
        dependencies = Array(repeating: [], count: nodes.count)
    }

    func check(at location: String, _ problems: inout ProblemList) {
        define(at: location, &problems)
        for (index, node) in nodes.enumerated() {
            current = index
            node.inputs.forEach(use)
            checkReferences(node, at: location, &problems)
            for inner in node.innerGraphs {
                ScopeChecker(
                    inputs: inner.graph.inputs.map(\.name), constants: Set(inner.graph.initializers.keys),
                    nodes: inner.graph.nodes, outputs: inner.graph.outputs.map(\.name), attributes: attributes,
                    parent: self
                ).check(at: joined(place(index, at: location), inner.place), &problems)
            }
            defined.formUnion(node.outputs)
        }
        reportUndefined(at: location, &problems)
        reportOrder(at: location, &problems)
        checkOutputs(at: location, &problems)
    }

    private func place(_ index: Int, at location: String) -> String { joined(location, nodes[index].place(index)) }

    /// Defines inputs and constants, and finds the producers of everything else.
    private func define(at location: String, _ problems: inout ProblemList) {
        for name in inputs {
            let place = joined(location, "input \(quoted(name))")
            if name.isEmpty {
                problems.add(.missing, at: place, "has no name")
            } else if !defined.insert(name).inserted {
                problems.add(.duplicate, at: place, "is declared more than once")
            }
        }
        defined.formUnion(constants)
        for (index, node) in nodes.enumerated() {
            for name in node.outputs where !name.isEmpty {
                if let earlier = producers[name] {
                    problems.add(
                        .duplicate, at: place(index, at: location),
                        "gives \(quoted(name)), which \(nodes[earlier].place(earlier)) gives as well")
                } else if defined.contains(name) {
                    problems.add(
                        .duplicate, at: place(index, at: location),
                        "gives \(quoted(name)), which is an \(constants.contains(name) ? "initializer" : "input")")
                } else {
                    producers[name] = index
                }
            }
        }
    }

    private func use(_ name: String) {
        guard !name.isEmpty, !resolve(name) else { return }
        undefined[name, default: (current, 0)].count += 1
    }

    /// Whether a name stands for a value at the current node.
    private func resolve(_ name: String) -> Bool {
        if let producer = producers[name] {
            dependencies[current].append(producer)
            if producer >= current { early.append((current, name)) }
            return true
        }
        return defined.contains(name) || parent?.resolve(name) == true
    }

    private func checkReferences(_ node: Node, at location: String, _ problems: inout ProblemList) {
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            guard case .reference(let referenced) = attribute else { continue }
            let place = joined(place(current, at: location), "attribute \(quoted(name))")
            if let attributes {
                guard !attributes.contains(referenced) else { continue }
                problems.add(
                    .undefined, at: place,
                    "refers to the attribute \(quoted(referenced)), which the function does not have")
            } else {
                problems.add(
                    .attribute, at: place,
                    "refers to the attribute \(quoted(referenced)) of a function, but is not inside of one")
            }
        }
    }

    private func reportUndefined(at location: String, _ problems: inout ProblemList) {
        for (name, use) in undefined.sorted(by: { ($0.value.first, $0.key) < ($1.value.first, $1.key) }) {
            let others = use.count > 1 ? " (\(use.count) uses)" : ""
            problems.add(
                .undefined, at: place(use.first, at: location),
                "uses \(quoted(name)), which no input, initializer or node defines\(others)")
        }
    }

    private func reportOrder(at location: String, _ problems: inout ProblemList) {
        guard let first = early.first, let producer = producers[first.name] else { return }
        if let cycle = cycle(in: dependencies) {
            let places = cycle.prefix(10).map { nodes[$0].place($0) }
            problems.add(
                .cycle, at: place(cycle[0], at: location),
                "depends on itself through \(places.joined(separator: ", "))\(cycle.count > 10 ? ", …" : "")")
        } else {
            let count = Set(early.map(\.user)).count
            problems.add(
                .order, at: place(first.user, at: location),
                "uses \(quoted(first.name)) before \(nodes[producer].place(producer)) gives it"
                    + (count > 1 ? ", like \(count - 1) further nodes with other values" : "")
                    + "; there is no cycle, so sort the graph's nodes topologically")
        }
    }

    private func checkOutputs(at location: String, _ problems: inout ProblemList) {
        for name in outputs {
            let place = joined(location, "output \(quoted(name))")
            if name.isEmpty {
                problems.add(.missing, at: place, "has no name")
            } else if !defined.contains(name), parent?.resolve(name) != true {
                problems.add(.undefined, at: place, "no input, initializer or node gives it")
            }
        }
    }
}

/// Some vertices that depend on each other in a circle, each on the next; nil when there is an order.
/// - Parameter dependencies: for each vertex, those that it depends on.
func cycle(in dependencies: [[Int]]) -> [Int]? {
    var users = [[Int]](repeating: [], count: dependencies.count)
    var open = dependencies.map(\.count)
    for (vertex, needed) in dependencies.enumerated() {
        for other in needed { users[other].append(vertex) }
    }
    var ready = open.indices.filter { open[$0] == 0 }
    while let vertex = ready.popLast() {
        for user in users[vertex] {
            open[user] -= 1
            if open[user] == 0 { ready.append(user) }
        }
    }
    // Every vertex that is left depends on another one that is left.
    guard var vertex = open.firstIndex(where: { $0 > 0 }) else { return nil }
    var path: [Int] = []
    var positions: [Int: Int] = [:]
    while positions[vertex] == nil {
        positions[vertex] = path.count
        path.append(vertex)
        guard let next = dependencies[vertex].first(where: { open[$0] > 0 }) else { return nil }
        vertex = next
    }
    return positions[vertex].map { Array(path[$0...]) }
}
