import COpenBLAS

/// Matrix products by OpenBLAS, each on the thread that asks for it.
enum BLAS {
    /// Keeps OpenBLAS from starting threads of its own: the runtime's pool is the only one.
    static func useCallingThreadOnly() { _ = configured }

    private static let configured: Void = openblas_set_num_threads(1)

    /// A row-major matrix inside a larger array.
    struct Matrix<Element: TensorElement> {
        var elements: Elements<Element>
        /// Index of the first element.
        var start = 0
        /// Elements from one stored row to the next.
        var rowStride: Int
        var isTransposed = false

        /// Whether a `rows`×`columns` matrix (as used, after transposition) lies inside the array.
        func holds(rows: Int, columns: Int) -> Bool {
            let (storedRows, storedColumns) = isTransposed ? (columns, rows) : (rows, columns)
            return rows == 0 || columns == 0
                || (start >= 0 && storedColumns <= rowStride
                    && start + (storedRows - 1) * rowStride + storedColumns <= elements.count)
        }
    }

    /// `result = alpha · left · right + beta · result`, where `left` is `rows`×`inner` and `right` is `inner`×`columns`.
    ///
    /// `result` has `resultStride` elements from row to row.
    static func multiply(
        _ left: Matrix<Float>, _ right: Matrix<Float>, rows: Int, columns: Int, inner: Int, alpha: Float = 1,
        beta: Float = 0, into result: MutableElements<Float>, at start: Int = 0, resultStride: Int
    ) {
        guard rows > 0, columns > 0 else { return }
        precondition(
            left.holds(rows: rows, columns: inner) && right.holds(rows: inner, columns: columns) && start >= 0
                && columns <= resultStride && start + (rows - 1) * resultStride + columns <= result.count,
            "matrix out of bounds")
        let target = (result.base + start * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
        guard inner > 0, let a = left.elements.base, let b = right.elements.base else {
            for row in 0..<rows {
                for column in 0..<columns {
                    // With a factor of 0 the old value does not count, not even a NaN.
                    let index = row * resultStride + column
                    target[index] = beta == 0 ? 0 : target[index] * beta
                }
            }
            return
        }
        cblas_sgemm(
            CblasRowMajor, left.isTransposed ? CblasTrans : CblasNoTrans,
            right.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(rows), blasint(columns), blasint(inner), alpha,
            (a + left.start * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self), blasint(left.rowStride),
            (b + right.start * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self),
            blasint(right.rowStride), beta, target, blasint(resultStride))
    }

    /// `result = alpha · left · right + beta · result` in binary64.
    static func multiply(
        _ left: Matrix<Double>, _ right: Matrix<Double>, rows: Int, columns: Int, inner: Int, alpha: Double = 1,
        beta: Double = 0, into result: MutableElements<Double>, at start: Int = 0, resultStride: Int
    ) {
        guard rows > 0, columns > 0 else { return }
        precondition(
            left.holds(rows: rows, columns: inner) && right.holds(rows: inner, columns: columns) && start >= 0
                && columns <= resultStride && start + (rows - 1) * resultStride + columns <= result.count,
            "matrix out of bounds")
        let target = (result.base + start * MemoryLayout<Double>.stride).assumingMemoryBound(to: Double.self)
        guard inner > 0, let a = left.elements.base, let b = right.elements.base else {
            for row in 0..<rows {
                for column in 0..<columns {
                    // With a factor of 0 the old value does not count, not even a NaN.
                    let index = row * resultStride + column
                    target[index] = beta == 0 ? 0 : target[index] * beta
                }
            }
            return
        }
        cblas_dgemm(
            CblasRowMajor, left.isTransposed ? CblasTrans : CblasNoTrans,
            right.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(rows), blasint(columns), blasint(inner), alpha,
            (a + left.start * MemoryLayout<Double>.stride).assumingMemoryBound(to: Double.self),
            blasint(left.rowStride),
            (b + right.start * MemoryLayout<Double>.stride).assumingMemoryBound(to: Double.self),
            blasint(right.rowStride), beta, target, blasint(resultStride))
    }
}

extension MutableElements {
    /// The same memory for reading.
    var readable: Elements<Element> { Elements(base: UnsafeRawPointer(base), count: count, owner: nil) }
}

extension BLAS {
    /// The product in whichever of the two types.
    static func multiply<Element: FloatingElement>(
        _ left: Matrix<Element>, _ right: Matrix<Element>, rows: Int, columns: Int, inner: Int, alpha: Element = 1,
        beta: Element = 0, into result: MutableElements<Element>, at start: Int = 0, resultStride: Int
    ) {
        if let left = left as? Matrix<Float>, let right = right as? Matrix<Float>,
            let result = result as? MutableElements<Float>
        {
            multiply(
                left, right, rows: rows, columns: columns, inner: inner, alpha: Float(alpha), beta: Float(beta),
                into: result, at: start, resultStride: resultStride)
        } else if let left = left as? Matrix<Double>, let right = right as? Matrix<Double>,
            let result = result as? MutableElements<Double>
        {
            multiply(
                left, right, rows: rows, columns: columns, inner: inner, alpha: Double(alpha), beta: Double(beta),
                into: result, at: start, resultStride: resultStride)
        } else {
            preconditionFailure("there is no product of \(Element.self)")
        }
    }
}
