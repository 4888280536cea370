import CKernels

/// Conversions between binary16 and binary32 in C.
enum HalfKernel {
    static func widen(_ source: Elements<Float16>, into target: MutableElements<Float>) {
        precondition(source.count <= target.count, "element range out of bounds")
        guard source.count > 0, let from = source.base else { return }
        ts_widen_f16(from.assumingMemoryBound(to: UInt16.self), target.pointer(at: 0), source.count)
    }

    static func narrow(_ source: Elements<Float>, into target: MutableElements<Float16>) {
        precondition(source.count <= target.count, "element range out of bounds")
        guard source.count > 0, let from = source.pointer else { return }
        ts_narrow_f16(from, target.base.assumingMemoryBound(to: UInt16.self), source.count)
    }
}
