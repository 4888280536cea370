import CImageCodecs
import Glibc

/// PNG files of results. A file appears under its name only when it is complete.
///
/// A picture is cut into bands of rows that several threads filter and deflate at once; their streams, each ended at a
/// byte's boundary, make one.
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
        try write(path, width: map.width, height: map.height, bitDepth: 16, channels: 1) { y, row in
            map.levels.withUnsafeBufferPointer { levels in
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
        try write(path, width: mask.width, height: mask.height, bitDepth: 8, channels: 1) { y, row in
            mask.values.withUnsafeBufferPointer { values in
                for x in 0..<mask.width { row[x] = values[y &* mask.width &+ x] ? 255 : 0 }
            }
        }
    }

    /// A picture: RGB, 8 bits.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    public static func write(_ image: RGBImage, to path: String) throws(ImageError) {
        try write(path, width: image.width, height: image.height, bitDepth: 8, channels: 3) { y, row in
            image.pixels.withUnsafeBufferPointer { pixels in
                _ = row.update(
                    fromContentsOf: UnsafeBufferPointer(rebasing: pixels[y * row.count..<(y + 1) * row.count]))
            }
        }
    }

    /// Writes the samples of one row, high bytes first.
    typealias Fill = @Sendable (_ y: Int, _ row: UnsafeMutableBufferPointer<UInt8>) -> Void

    private static func write(
        _ path: String, width: Int, height: Int, bitDepth: Int, channels: Int, fill: @escaping Fill
    ) throws(ImageError) {
        try FileBytes.write(path) { file in
            encode(into: file, width: width, height: height, bitDepth: bitDepth, channels: channels, fill: fill)
        }
    }

    /// Bytes of a band before it is compressed, about.
    private static let bandBytes = 1 << 20
    /// Bands that are in memory at a time.
    private static let wave = 16

    /// - Parameter fill: called from several threads, for some rows twice.
    /// - Returns: 0, or the errno of what failed.
    static func encode(
        into file: Int32, width: Int, height: Int, bitDepth: Int, channels: Int, fill: @escaping Fill
    ) -> Int32 {
        guard let columns = UInt32(exactly: width), let rows = UInt32(exactly: height), width > 0, height > 0 else {
            return EINVAL
        }
        let picture = Picture(
            rowBytes: width * channels * bitDepth / 8, height: height,
            isSmooth: channels == 1, fill: fill)
        var start = [UInt8](repeating: 0, count: Int(IMAGE_PNG_START))
        image_png_start(columns, rows, Int32(bitDepth), Int32(channels), &start)
        var failure = FileBytes.put(start, into: file)
        var checksum: UInt32 = 1
        let bandRows = max(1, bandBytes / picture.rowBytes)
        let bandCount = (height + bandRows - 1) / bandRows
        for first in stride(from: 0, to: bandCount, by: wave) where failure == 0 {
            let bands = mapConcurrently(count: min(wave, bandCount - first)) { (index: Int) -> Picture.Band in
                let top = (first + index) * bandRows
                return picture.band(rows: top..<min(top + bandRows, height))
            }
            for band in bands where failure == 0 {
                failure = band.failure == 0 ? FileBytes.put(band.chunk, into: file) : band.failure
                checksum = image_png_join(checksum, band.checksum, band.byteCount)
            }
        }
        guard failure == 0 else { return failure }
        var end = [UInt8](repeating: 0, count: Int(IMAGE_PNG_END))
        image_png_end(checksum, &end)
        return FileBytes.put(end, into: file)
    }

    /// The rows of a picture, and how they are compressed.
    private struct Picture: Sendable {
        let rowBytes: Int
        let height: Int
        /// Whether long runs of equal differences are all that repeats.
        let isSmooth: Bool
        let fill: Fill

        struct Band: Sendable {
            var chunk: [UInt8] = []
            /// Of the filtered rows, and their number.
            var checksum: UInt32 = 0
            var byteCount = 0
            /// 0 or an errno.
            var failure: Int32 = 0
        }

        func band(rows: Range<Int>) -> Band {
            // The row above comes first, where there is one.
            let first = max(rows.lowerBound - 1, 0)
            let samples = [UInt8](unsafeUninitializedCapacity: (rows.upperBound - first) * rowBytes) { samples, count in
                for y in first..<rows.upperBound {
                    let start = (y - first) * rowBytes
                    fill(y, UnsafeMutableBufferPointer(rebasing: samples[start..<start + rowBytes]))
                }
                count = samples.count
            }
            var band = Band()
            band.byteCount = (rowBytes + 1) * rows.count
            let capacity = image_png_band_capacity(rowBytes, rows.count)
            band.chunk = [UInt8](unsafeUninitializedCapacity: capacity) { chunk, count in
                samples.withUnsafeBufferPointer { samples in
                    guard let above = samples.baseAddress else { return }
                    let isFirst = rows.lowerBound == 0
                    band.failure = image_png_compress_band(
                        isFirst ? nil : above, isFirst ? above : above + rowBytes, rowBytes, rows.count,
                        rows.upperBound == height ? 1 : 0, isSmooth ? 1 : 0, chunk.baseAddress, capacity, &count,
                        &band.checksum)
                }
                if band.failure != 0 { count = 0 }
            }
            return band
        }
    }
}
