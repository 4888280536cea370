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
    static func multiply<Element: MatrixElement>(
        _ left: Matrix<Element>, _ right: Matrix<Element>, rows: Int, columns: Int, inner: Int, alpha: Element = 1,
        beta: Element = 0, into result: MutableElements<Element>, at start: Int = 0, resultStride: Int
    ) {
        guard rows > 0, columns > 0 else { return }
        precondition(
            left.holds(rows: rows, columns: inner) && right.holds(rows: inner, columns: columns) && start >= 0
                && columns <= resultStride && start + (rows - 1) * resultStride + columns <= result.count,
            "matrix out of bounds")
        let size = MemoryLayout<Element>.stride
        let target = (result.base + start * size).assumingMemoryBound(to: Element.self)
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
        Element.gemm(
            CblasRowMajor, left.isTransposed ? CblasTrans : CblasNoTrans,
            right.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(rows), blasint(columns), blasint(inner), alpha,
            (a + left.start * size).assumingMemoryBound(to: Element.self), blasint(left.rowStride),
            (b + right.start * size).assumingMemoryBound(to: Element.self), blasint(right.rowStride), beta, target,
            blasint(resultStride))
    }
}

/// An element type that BLAS multiplies matrices of.
protocol MatrixElement: TensorElement, BinaryFloatingPoint {
    /// BLAS's own routine; `BLAS.multiply` has checked the bounds.
    static var gemm: GEMM<Self> { get }
}

/// Order, transpositions, sizes, factor, left and right matrix with their strides, factor, result with its stride.
typealias GEMM<Element> = (
    CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Element, UnsafePointer<Element>?, blasint,
    UnsafePointer<Element>?, blasint, Element, UnsafeMutablePointer<Element>?, blasint
) -> Void

extension Float: MatrixElement {
    static var gemm: GEMM<Float> { cblas_sgemm }
}

extension Double: MatrixElement {
    static var gemm: GEMM<Double> { cblas_dgemm }
}

extension MutableElements {
    /// The same memory for reading.
    var readable: Elements<Element> { Elements(base: UnsafeRawPointer(base), count: count, owner: nil) }
}
