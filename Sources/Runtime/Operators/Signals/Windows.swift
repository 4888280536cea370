import Foundation
import ONNXLoader

/// HannWindow, HammingWindow, BlackmanWindow (opset 17): `Σ aₖ · cos(2πkn / N)` at `n` = 0, 1, …, where `N` is the number
/// of elements for a periodic window and one less for a symmetric one.
struct WindowFunction: Operator {
    private enum Function: String {
        case hann = "HannWindow"
        case hamming = "HammingWindow"
        case blackman = "BlackmanWindow"

        /// The factor of each multiple of the angle.
        var factors: [Double] {
            switch self {
            case .hann: [0.5, -0.5]
            case .hamming: [25.0 / 46, -21.0 / 46]
            case .blackman: [0.42, -0.5, 0.08]
            }
        }
    }

    private let function: Function
    private let elementType: ElementType
    private let isPeriodic: Bool

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        elementType = try node.elementType("output_datatype") ?? .float32
        isPeriodic = try node.flag("periodic", or: true)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try inputs.integers(0)
        guard sizes.count == 1, sizes[0] >= 0 else { throw OperatorError("a window cannot have \(sizes) elements") }
        return [ValueType(elementType, sizes)]
    }

    func run(_ step: inout Step) throws {
        let type = ValueType(try step.output(0))
        let numbers = try step.context.budget.allocate(ValueType(.float64, type.shape))
        let elements = try numbers.uncheckedMutableElements(of: Double.self)
        let period = Double(isPeriodic ? elements.count : max(1, elements.count - 1))
        let factors = function.factors
        try step.parallel(elements.count, grain: Step.elementGrain) { range in
            for position in range {
                let angle = 2 * Double.pi * Double(position) / period
                elements[position] = factors.enumerated().reduce(0) { $0 + $1.element * cos(Double($1.offset) * angle) }
            }
        }
        try numbers.convert(into: step.output(0))
    }
}
