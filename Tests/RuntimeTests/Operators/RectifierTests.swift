import ONNXLoader
import Testing

/// Expected values by hand.
@Test(arguments: [
    Case("Relu", opset: 14, inputs: [[-2, 0, 2.5]], outputs: [[0, 0, 2.5]]),
    Case("Relu", opset: 14, inputs: [.int32([[-2, 0], [7, -1]])], outputs: [.int32([[0, 0], [7, 0]])]),
    Case("Relu", opset: 14, inputs: [.half([-1, 0.5])], outputs: [.half([0, 0.5])]),
])
func rectifier(_ example: Case) throws { try example.check() }
