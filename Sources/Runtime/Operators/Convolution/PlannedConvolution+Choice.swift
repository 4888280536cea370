extension PlannedConvolution {
    /// The kernel that is cheapest by the work that each does, in multiply-adds of a matrix product.
    ///
    /// The numbers beside the counts were measured on AVX2 and AVX-512 machines and move little between them.
    static func best(for shape: ConvolutionShape) -> Kernel {
        if supports(.depthwise, shape) { return .depthwise }
        if supports(.pointwise, shape) { return .pointwise }
        if supports(.winogradRows, shape), gainsByRows(shape) { return .winogradRows }
        guard min(shape.inputChannelsPerGroup, shape.outputChannelsPerGroup) >= 16 else { return .patches }
        let candidates = [
            Kernel.winograd4, .winograd3, .winograd2, .winogradStrided, .phases, .taps, .patches,
        ].filter { supports($0, shape) }
        return candidates.min { cost($0, shape) < cost($1, shape) } ?? .patches
    }

    static func supports(_ kernel: Kernel, _ shape: ConvolutionShape) -> Bool {
        if let tile = kernel.winogradTile { return WinogradKernel.supports(tile, shape.window) }
        return switch kernel {
        case .pointwise: shape.window.isPointwise
        case .depthwise: shape.inputChannelsPerGroup == 1
        case .winogradRows: supportsRows(shape)
        case .phases: PhaseKernel.supports(shape.window)
        case .taps: supportsTaps(shape.window)
        default: true
        }
    }

    /// Work for one image and group.
    private static func cost(_ kernel: Kernel, _ shape: ConvolutionShape) -> Double {
        let inputs = Double(shape.inputChannelsPerGroup)
        let outputs = Double(shape.outputChannelsPerGroup)
        if kernel == .taps {
            // Sums are read and written again for each tap.
            return Double(seenTaps(shape.window)) * inputs * (outputs * 1.05 + 16)
        }
        let vector = MatrixKernel.best.lanes
        func transformed(_ frequencies: Int, products: Int, lanes: Int) -> Double {
            let (frequencies, products, lanes) = (Double(frequencies), Double(products), Double(lanes))
            // The weights are transformed again for every so many tiles.
            return products * inputs * outputs * (lanes + 8 * max(1, lanes / 360))
                + lanes * (30 * products * inputs + 20 * frequencies * outputs)
        }
        if kernel == .phases {
            return PhaseKernel.groups(shape.window, vector: vector).reduce(0) {
                $0 + transformed($1.frequencies, products: $1.frequencies, lanes: $1.lanes(vector))
            }
        }
        guard let tile = kernel.winogradTile else {
            let patches = Double(shape.patchCount) * Double(shape.window.outputCount)
            return patches * (outputs + 16)
        }
        let lanes = (WinogradKernel.tileCount(tile, shape.window) + vector - 1) / vector * vector
        return transformed(tile.frequencies, products: tile.products, lanes: lanes)
    }
}
