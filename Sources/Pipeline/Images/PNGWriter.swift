import CImageCodecs
import Glibc

/// PNG files of results, written by libpng. A file appears under its name only when it is complete.
public enum PNGWriter {
    /// A heat map: grey, 16 bits, `round(65535 · v)`. Values outside 0...1 are limited to it; NaN is 0.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    public static func write(heatMap map: FloatMap, to path: String) throws(ImageError) {
        try write(LevelMap(map), to: path)
    }

    /// A map that has been rounded to 16 bits already.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    public static func write(_ map: LevelMap, to path: String) throws(ImageError) {
        try map.levels.withUnsafeBufferPointer { levels throws(ImageError) in
            try write(path, width: map.width, height: map.height, bitDepth: 16, channels: 1) { y, row in
                for x in 0..<map.width {
                    let level = levels[y &* map.width &+ x]
                    row[2 &* x] = UInt8(truncatingIfNeeded: level >> 8)
                    row[2 &* x &+ 1] = UInt8(truncatingIfNeeded: level)
                }
            }
        }
    }

    /// A mask: grey, 8 bits, 255 inside and 0 outside.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    public static func write(_ mask: BinaryMask, to path: String) throws(ImageError) {
        try mask.values.withUnsafeBufferPointer { values throws(ImageError) in
            try write(path, width: mask.width, height: mask.height, bitDepth: 8, channels: 1) { y, row in
                for x in 0..<mask.width { row[x] = values[y &* mask.width &+ x] ? 255 : 0 }
            }
        }
    }

    /// A picture: RGB, 8 bits.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    public static func write(_ image: RGBImage, to path: String) throws(ImageError) {
        try image.pixels.withUnsafeBufferPointer { pixels throws(ImageError) in
            try write(path, width: image.width, height: image.height, bitDepth: 8, channels: 3) { y, row in
                for i in 0..<row.count { row[i] = pixels[y &* row.count &+ i] }
            }
        }
    }

    private static func write(
        _ path: String, width: Int, height: Int, bitDepth: Int, channels: Int,
        fill: (_ y: Int, _ row: UnsafeMutableBufferPointer<UInt8>) -> Void
    ) throws(ImageError) {
        try FileBytes.write(path) { file in
            encode(into: file, width: width, height: height, bitDepth: bitDepth, channels: channels, fill: fill)
        }
    }

    /// - Returns: 0, or the errno of what failed.
    static func encode(
        into file: Int32, width: Int, height: Int, bitDepth: Int, channels: Int,
        fill: (_ y: Int, _ row: UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> Int32 {
        guard let columns = UInt32(exactly: width), let rows = UInt32(exactly: height),
            let writer = image_png_writer_create(file, columns, rows, Int32(bitDepth), Int32(channels))
        else { return ENOMEM }
        defer { image_png_writer_destroy(writer) }
        var row = [UInt8](repeating: 0, count: width * channels * bitDepth / 8)
        for y in 0..<height {
            let failure = row.withUnsafeMutableBufferPointer { row in
                fill(y, row)
                return image_png_writer_write_row(writer, row.baseAddress, row.count)
            }
            guard failure == 0 else { return failure }
        }
        return image_png_writer_finish(writer)
    }
}
