import Foundation

/// The discrete Fourier transform of one length, in binary64: by halving (Cooley and Tukey, 1965) where the length is a
/// power of two, as a convolution (Bluestein, 1970) where it is not.
struct FourierTransform: Sendable {
    let length: Int
    /// The power of two that is transformed inside.
    private let inner: Int
    /// cos and −sin of 2πk / inner, for the first half of them.
    private let roots: Elements<Double>
    /// exp(−iπk² / length) for each k, and the transform of the convolution's kernel; nil for a power of two.
    private let chirp, kernel: Elements<Double>?

    /// Numbers of room that `apply` wants besides its data.
    var scratchCount: Int { chirp == nil ? 0 : 2 * inner }

    /// - Throws: `OperatorError` unless the length is at least 1; `RuntimeError.memoryLimit`.
    init(length: Int, budget: MemoryBudget) throws {
        guard (1...Int.max >> 8).contains(length) else {
            throw OperatorError("there is no transform of length \(length)")
        }
        func table(_ count: Int) throws -> (Tensor, MutableElements<Double>) {
            let tensor = try budget.allocate(ValueType(.float64, [count]))
            return (tensor, try tensor.uncheckedMutableElements(of: Double.self))
        }
        self.length = length
        let isPower = length & (length - 1) == 0
        var inner = 1
        while inner < (isPower ? length : 2 * length - 1) { inner *= 2 }
        self.inner = inner
        let (rootTable, roots) = try table(inner)
        for index in 0..<inner / 2 {
            let angle = 2 * Double.pi * Double(index) / Double(inner)
            (roots[2 * index], roots[2 * index + 1]) = (cos(angle), -sin(angle))
        }
        self.roots = try rootTable.elements(of: Double.self)
        guard !isPower else {
            (chirp, kernel) = (nil, nil)
            return
        }
        let (chirpTable, chirp) = try table(2 * length)
        let (kernelTable, kernel) = try table(2 * inner)
        kernel.fill(0..<2 * inner, with: 0)
        for index in 0..<length {
            // k² modulo twice the length, so that large angles lose no precision.
            let square = index.multipliedFullWidth(by: index)
            let angle = Double.pi * Double((2 * length).dividingFullWidth(square).remainder) / Double(length)
            (chirp[2 * index], chirp[2 * index + 1]) = (cos(angle), -sin(angle))
            for place in index == 0 ? [0] : [index, inner - index] {
                (kernel[2 * place], kernel[2 * place + 1]) = (cos(angle), sin(angle))
            }
        }
        Self.transform(kernel, inner, self.roots)
        self.chirp = try chirpTable.elements(of: Double.self)
        self.kernel = try kernelTable.elements(of: Double.self)
    }

    /// Transforms `length` complex numbers, real and imaginary parts in turn, in place. The inverse is not scaled.
    func apply(_ data: MutableElements<Double>, inverse: Bool, scratch: MutableElements<Double>) {
        precondition(data.count >= 2 * length && scratch.count >= scratchCount, "not enough memory")
        if inverse { conjugate(data) }
        defer { if inverse { conjugate(data) } }
        guard let chirp, let kernel else { return Self.transform(data, inner, roots) }
        scratch.fill(2 * length..<2 * inner, with: 0)
        for index in 0..<length {
            scratch.setProduct(index, data[2 * index], data[2 * index + 1], chirp[2 * index], chirp[2 * index + 1])
        }
        Self.transform(scratch, inner, roots)
        // The inverse transform of the product is that of its conjugate, conjugated.
        for index in 0..<inner {
            scratch.setProduct(
                index, scratch[2 * index], scratch[2 * index + 1], kernel[2 * index], kernel[2 * index + 1])
            scratch[2 * index + 1] = -scratch[2 * index + 1]
        }
        Self.transform(scratch, inner, roots)
        let scale = 1 / Double(inner)
        for index in 0..<length {
            data.setProduct(
                index, scratch[2 * index] * scale, -scratch[2 * index + 1] * scale, chirp[2 * index],
                chirp[2 * index + 1])
        }
    }

    private func conjugate(_ data: MutableElements<Double>) {
        for index in 0..<length { data[2 * index + 1] = -data[2 * index + 1] }
    }

    /// The transform of a power of two.
    private static func transform(_ data: MutableElements<Double>, _ count: Int, _ roots: Elements<Double>) {
        var reversed = 0
        for index in 1..<max(1, count) {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            guard index < reversed else { continue }
            for part in 0..<2 {
                let value = data[2 * index + part]
                data[2 * index + part] = data[2 * reversed + part]
                data[2 * reversed + part] = value
            }
        }
        var half = 1
        while half < count {
            let stride = count / (2 * half)
            for start in Swift.stride(from: 0, to: count, by: 2 * half) {
                for index in 0..<half {
                    let (cosine, sine) = (roots[2 * index * stride], roots[2 * index * stride + 1])
                    let (low, high) = (2 * (start + index), 2 * (start + index + half))
                    let real = data[high] * cosine - data[high + 1] * sine
                    let imaginary = data[high] * sine + data[high + 1] * cosine
                    (data[high], data[high + 1]) = (data[low] - real, data[low + 1] - imaginary)
                    (data[low], data[low + 1]) = (data[low] + real, data[low + 1] + imaginary)
                }
            }
            half *= 2
        }
    }
}

extension MutableElements<Double> {
    /// Sets a complex number to the product of two.
    fileprivate func setProduct(_ index: Int, _ a: Double, _ b: Double, _ c: Double, _ d: Double) {
        self[2 * index] = a * c - b * d
        self[2 * index + 1] = a * d + b * c
    }
}
