/// Colours for numbers: "inferno", perceptually uniform and readable in grey and by colour-blind people.
///
/// By Nathaniel Smith and Stéfan van der Walt (2015, matplotlib), given to the public domain under CC0. Every fifteenth
/// of its 256 colours, linear in between, which stays within 6 levels of the original.
enum ColorMap {
    /// The colour of `value`, limited to 0...1; NaN is shown as 0.
    static func color(_ value: Float) -> (red: UInt8, green: UInt8, blue: UInt8) { levels[level(value)] }

    /// The step of 0...255 nearest to `value`.
    static func level(_ value: Float) -> Int {
        // A comparison with NaN is false.
        Int((value > 0 ? min(value, 1) : 0) * 255 + 0.5)
    }

    private static let anchors: [(red: Float, green: Float, blue: Float)] = [
        (0, 0, 4), (10, 7, 34), (30, 12, 69), (56, 9, 98), (81, 14, 108), (105, 22, 110), (128, 31, 108),
        (152, 39, 102),
        (176, 49, 91), (198, 61, 77), (217, 77, 61), (233, 97, 43), (244, 121, 24), (250, 148, 7), (252, 176, 20),
        (248, 205, 55), (242, 234, 105), (252, 255, 164),
    ]

    private static let levels: [(red: UInt8, green: UInt8, blue: UInt8)] = (0...255).map { level in
        let lower = anchors[min(level / 15, anchors.count - 2)]
        let upper = anchors[min(level / 15, anchors.count - 2) + 1]
        let part = Float(level) / 15 - Float(min(level / 15, anchors.count - 2))
        func mix(_ from: Float, _ to: Float) -> UInt8 { UInt8((from + part * (to - from)).rounded()) }
        return (mix(lower.red, upper.red), mix(lower.green, upper.green), mix(lower.blue, upper.blue))
    }
}
