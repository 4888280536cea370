/// How the pixels of one row (or column) of the result are made from those of the source, for bilinear resampling.
///
/// Pixel i of the result lies at `c = (i + ½) · source/result` in the source, whose pixel j covers `j...j+1`. It is the
/// mean of the source's pixels weighted by a triangle around `c`, `max(0, 1 − |j + ½ − c| / radius)`, divided by the sum
/// of the weights inside the source. The radius is 1, or `source/result` when shrinking with antialias. This is what
/// Pillow's BILINEAR and PyTorch's `interpolate(mode: bilinear, align_corners: false, antialias:)` compute.
struct ResamplingWeights {
    /// Weights that belong to each pixel of the result; the first `counts[i]` are used.
    let taps: Int
    /// The first source pixel of each pixel of the result.
    let starts: [Int]
    let counts: [Int]
    /// `taps` weights for each pixel of the result.
    let weights: [Double]

    init(source: Int, result: Int, antialias: Bool) {
        let scale = Double(source) / Double(result)
        let radius = antialias ? max(scale, 1) : 1
        let taps = Int(radius.rounded(.up)) * 2 + 1
        var starts: [Int] = []
        var counts: [Int] = []
        var weights = [Double](repeating: 0, count: taps * result)
        for index in 0..<result {
            let center = (Double(index) + 0.5) * scale
            let start = max(Int(center - radius + 0.5), 0)
            let end = min(Int(center + radius + 0.5), source)
            var sum = 0.0
            for pixel in start..<end {
                let weight = max(0, 1 - abs(Double(pixel) + 0.5 - center) / radius)
                weights[index * taps + pixel - start] = weight
                sum += weight
            }
            for tap in 0..<(end - start) { weights[index * taps + tap] /= sum }
            starts.append(start)
            counts.append(end - start)
        }
        self.taps = taps
        self.starts = starts
        self.counts = counts
        self.weights = weights
    }
}
