/// How an image becomes a network's input.
public struct InputContract: Sendable, Hashable {
    /// Whether the channel comes before or after height and width.
    public enum Layout: String, Sendable, Hashable, CaseIterable {
        case channelsFirst = "NCHW"
        case channelsLast = "NHWC"
    }

    /// The order of the channels.
    public enum Color: String, Sendable, Hashable, CaseIterable {
        case rgb = "RGB"
        case bgr = "BGR"
    }

    /// What a byte's 0 ... 255 becomes before `mean` and `std`.
    public enum Range: String, Sendable, Hashable, CaseIterable {
        case bytes = "0-255"
        case unit = "0-1"
        case signedUnit = "-1-1"

        /// The value of one step of a byte.
        var step: Float {
            switch self {
            case .bytes: 1
            case .unit: 1 / 255
            case .signedUnit: 1 / 127.5
            }
        }

        /// The value of the byte 0.
        var zero: Float { self == .signedUnit ? -1 : 0 }
    }

    public enum Size: Sendable, Hashable {
        case fixed(height: Int, width: Int)
        /// Any height and width that are multiples of a number.
        case dynamic(multiple: Int)
    }

    /// How an image of any size fits the input.
    public enum Resize: String, Sendable, Hashable, CaseIterable {
        /// Both sides to the input's, whatever the proportions. A dynamic size: each side to the nearest multiple.
        case stretch
        /// In proportion into the input, zeros at the right and the bottom. A dynamic size: no resizing, only padding.
        case longestPad = "longest-pad"
        /// In proportion, the shorter side to the smaller of the input's sides; the graph must accept any size.
        case shortest
        /// Not resized: overlapping tiles of the input's size.
        case tile
    }

    public var layout: Layout
    public var color: Color
    public var range: Range
    /// Subtracted after `range`; in the order of `color`.
    public var mean: [Float]
    /// Divided by after subtracting `mean`; in the order of `color`.
    public var std: [Float]
    public var size: Size
    public var resize: Resize

    public init(
        layout: Layout, color: Color = .rgb, range: Range, mean: [Float] = [0, 0, 0], std: [Float] = [1, 1, 1],
        size: Size, resize: Resize
    ) {
        precondition(mean.count == 3 && std.count == 3, "there are three channels")
        self.layout = layout
        self.color = color
        self.range = range
        self.mean = mean
        self.std = std
        self.size = size
        self.resize = resize
    }
}
