import Foundation

// Softmax and activations in place: in C for binary32, in binary64 else.
extension MutableElements where Element: FloatingElement {
    /// The softmax of the elements in `range`, in their place.
    func softmax(_ range: Range<Int>) {
        if let single = self as? MutableElements<Float> {
            return SoftmaxKernel.apply(single.readable, to: single, range, logarithm: false)
        }
        let maximum = range.reduce(-Double.infinity) { max($0, self[$1].double) }
        let sum = range.reduce(0) { $0 + exp(self[$1].double - maximum) }
        for index in range { self[index] = Element(exp(self[index].double - maximum) / sum) }
    }

    /// An activation of the elements in `range`, in their place.
    func apply(_ activation: ActivationKernel, _ range: Range<Int>) {
        if let single = self as? MutableElements<Float> { return activation.apply(to: single, range) }
        guard activation != .none else { return }
        for index in range { self[index] = Element(activation.value(at: self[index].double)) }
    }
}
