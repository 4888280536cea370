extension MutableElements {
    /// Sets every byte of a range of elements to zero.
    @inline(__always)
    func clear(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "element range out of bounds")
        let stride = MemoryLayout<Element>.stride
        (base + range.lowerBound &* stride).initializeMemory(as: UInt8.self, repeating: 0, count: range.count &* stride)
    }
}
