import ONNXLoader
import Testing

@testable import Runtime

private func run(_ node: Node, _ inputs: [String: Tensor] = [:], threads: Int = 2) throws -> Tensor {
    var graph = Graph()
    graph.inputs = inputs.map {
        ValueDeclaration(name: $0.key, kind: .tensor($0.value.elementType, shape: $0.value.shape.map { .fixed($0) }))
    }
    graph.nodes = [node]
    graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
    let session = try Session(Model(opsets: ["": 15], graph: graph), options: .init(threads: threads))
    return try #require(session.run(inputs)["y"])
}

private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
}

/// Mean and variance of the distributions; the bounds are five standard errors or more.
@Test func randomDistributions() throws {
    let shape = Attribute.ints([100, 1000])
    let uniform = try run(
        Node(
            operatorName: "RandomUniform", outputs: ["y"],
            attributes: ["shape": shape, "seed": .float(1), "low": .float(-1), "high": .float(3)]))
    #expect(uniform.shape == [100, 1000])
    let values = try uniform.array(of: Float.self).map { Double($0) }
    #expect(values.allSatisfy { $0 >= -1 && $0 <= 3 })
    #expect(abs(moments(values).mean - 1) < 0.02)
    #expect(abs(moments(values).variance - 16.0 / 12) < 0.03)

    let normal = try run(
        Node(
            operatorName: "RandomNormal", outputs: ["y"],
            attributes: ["shape": shape, "dtype": .int(11), "seed": .float(2), "mean": .float(5), "scale": .float(2)]))
    let (mean, variance) = moments(try normal.array(of: Double.self))
    #expect(abs(mean - 5) < 0.04)
    #expect(abs(variance - 4) < 0.1)

    let probabilities = try Tensor(Array(repeating: Float(0.25), count: 50_000), shape: [50_000])
    let flips = try run(
        Node(
            operatorName: "Bernoulli", inputs: ["x"], outputs: ["y"], attributes: ["seed": .float(3), "dtype": .int(6)]),
        ["x": probabilities])
    #expect(abs(moments(try flips.array(of: Int32.self).map { Double($0) }).mean - 0.25) < 0.01)

    // Odds of 1 : 3 and of nothing but the first class.
    let logits = try Tensor([Float(0), 1.0986123, 0, -200], shape: [2, 2])
    let samples = try run(
        Node(
            operatorName: "Multinomial", inputs: ["x"], outputs: ["y"],
            attributes: ["seed": .float(4), "sample_size": .int(50_000), "dtype": .int(7)]), ["x": logits])
    let classes = try samples.array(of: Int64.self).map { Double($0) }
    #expect(samples.shape == [2, 50_000])
    #expect(abs(moments(Array(classes[..<50_000])).mean - 0.75) < 0.01)
    #expect(classes[50_000...].allSatisfy { $0 == 0 })
}

/// A seed gives the same numbers for any number of threads; without one they differ from run to run.
@Test func randomSeeds() throws {
    let template = try Tensor(Array(repeating: Float(0), count: 40_000), shape: [40_000])
    func numbers(_ attributes: [String: Attribute], threads: Int = 1) throws -> [Float] {
        try run(
            Node(operatorName: "RandomNormalLike", inputs: ["x"], outputs: ["y"], attributes: attributes),
            ["x": template], threads: threads
        ).array(of: Float.self)
    }
    let seeded = try numbers(["seed": .float(1.5)])
    #expect(try numbers(["seed": .float(1.5)], threads: 3) == seeded)
    #expect(try numbers(["seed": .float(2.5)]) != seeded)
    #expect(try numbers([:]) != numbers([:]))
    let like = try run(
        Node(
            operatorName: "RandomUniformLike", inputs: ["x"], outputs: ["y"], attributes: ["dtype": .int(10)]),
        ["x": template])
    #expect(like.elementType == .float16 && like.shape == [40_000])
}
