import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Views are what moving the elements gives.
@Suite struct StridedViewTests {
    /// The elements that a view sees, by number.
    private func elements(_ view: StridedView) -> [Int] {
        view.shape.indices.reduce([view.start]) { starts, axis in
            starts.flatMap { start in view.offsets(axis).map { start + $0 } }
        }
    }

    @Test func randomChains() throws {
        var random = SplitMix64(state: 31)
        let context = RunContext(pool: ThreadPool(threads: 1), budget: MemoryBudget(limit: nil))
        for _ in 0..<300 {
            let shape = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 1...4, using: &random) }
            var view = StridedView(shape)
            var moved = try Tensor((0..<shape.reduce(1, *)).map { Int32($0) }, shape: shape)
            var isWhole = true
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    let order = Array(view.shape.indices).shuffled(using: &random)
                    let target = try context.budget.allocate(ValueType(.int32, order.map { view.shape[$0] }))
                    let step = Step(name: "", operatorName: "", inputs: [], outputs: [], arity: 0, context: context)
                    try step.copy(StridedCopy(transposing: view.shape, order), from: moved, to: target)
                    view.transpose(order)
                    moved = target
                case 1:
                    // Dimensions joined and split anew.
                    var sizes = view.shape
                    if sizes.count > 1 {
                        let axis = Int.random(in: 0..<sizes.count - 1, using: &random)
                        sizes.replaceSubrange(axis...axis + 1, with: [sizes[axis] * sizes[axis + 1]])
                    }
                    if let axis = sizes.firstIndex(where: { $0 % 2 == 0 }) {
                        sizes.replaceSubrange(axis...axis, with: [2, sizes[axis] / 2])
                    }
                    var reshaped = view
                    guard reshaped.reshape(sizes) else { continue }
                    view = reshaped
                    moved = try moved.reshaped(to: sizes)
                default:
                    let axis = Int.random(in: 0..<view.shape.count, using: &random)
                    let first = Int.random(in: 0..<view.shape[axis], using: &random)
                    var sliced = view
                    let range = first..<Int.random(in: first + 1...view.shape[axis], using: &random)
                    guard sliced.slice(axis, range) else { continue }
                    isWhole = isWhole && range == 0..<view.shape[axis]
                    let target = try context.budget.allocate(ValueType(.int32, sliced.shape))
                    let own = strides(of: view.shape)
                    let step = Step(name: "", operatorName: "", inputs: [], outputs: [], arity: 0, context: context)
                    try step.copy(
                        StridedCopy(shape: sliced.shape, sourceStart: first * own[axis], sourceStrides: own),
                        from: moved, to: target)
                    view = sliced
                    moved = target
                }
                #expect(view.shape == moved.shape)
                #expect(try elements(view) == moved.array(of: Int32.self).map { Int($0) })
                #expect((view.inverse != nil) == isWhole)
                if let inverse = view.inverse {
                    let places = elements(inverse)
                    #expect(elements(view).map { places[$0] } == Array(0..<places.count))
                }
            }
        }
    }

    @Test func whatCannotBeTold() {
        var view = StridedView([4, 6])
        view.transpose([1, 0])
        // Elements 0, 6, 12, 18, 1, … have no single distance in rows of three.
        let (uneven, other, even) = (view.reshape([8, 3]), view.reshape([5, 5]), view.reshape([2, 3, 4]))
        #expect(!uneven && !other && even)
        let isSliced = view.slice(1, 1..<2)
        #expect(isSliced && view.shape == [2, 1, 4])
        #expect(view.inverse == nil)
    }
}
