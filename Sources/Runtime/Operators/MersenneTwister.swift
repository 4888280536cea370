/// The generator MT19937 (Matsumoto and Nishimura, 1998), seeded and read as NumPy's `RandomState` does: with the same seed,
/// operators draw what ONNX's reference draws.
struct MersenneTwister {
    private var state = [UInt32](repeating: 0, count: 624)
    private var position = 624

    init(seed: UInt32) {
        state[0] = seed
        for index in 1..<state.count {
            let previous = state[index - 1]
            state[index] = 1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index)
        }
    }

    /// Uniform in [0, 1), with 53 random bits.
    mutating func uniform() -> Double {
        let (high, low) = (next() >> 5, next() >> 6)
        return (Double(high) * 0x1p26 + Double(low)) * 0x1p-53
    }

    private mutating func next() -> UInt32 {
        if position == state.count { refill() }
        var value = state[position]
        position += 1
        value ^= value >> 11
        value ^= value << 7 & 0x9d2c_5680
        value ^= value << 15 & 0xefc6_0000
        return value ^ value >> 18
    }

    private mutating func refill() {
        let count = state.count
        for index in 0..<count {
            let mixed = state[index] & 0x8000_0000 | state[(index + 1) % count] & 0x7fff_ffff
            state[index] = state[(index + 397) % count] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_b0df)
        }
        position = 0
    }
}
