#ifndef TS_WINOGRAD_H
#define TS_WINOGRAD_H

#include <stddef.h>

// Winograd's minimal filtering for 3×3 windows that move by 1, outputs in tiles of 4×4 or 2×2 (A. Lavin and S. Gray, "Fast
// algorithms for convolutional neural networks", 2016; points 0, ±√½, ±√2, ∞ and 0, ±1, ∞). A dilated convolution is
// many ordinary ones, each on every d-th row and column: their tiles stand behind one another.

/// Neighbouring tiles of a row.
typedef struct {
    /// The first one's place among all tiles, and how many there are.
    ptrdiff_t first, count;
    /// Row and column in the input of the first tile's first element; may lie in the padding.
    ptrdiff_t row, column;
    /// Row and column in the output of the first tile's first element.
    ptrdiff_t output_row, output_column;
} ts_tile_run;

typedef struct {
    /// Rows and columns of a tile of outputs, 2 or 4.
    ptrdiff_t tile;
    ptrdiff_t input_height, input_width, output_height, output_width;
    ptrdiff_t row_dilation, column_dilation;
    const ts_tile_run *runs;
    ptrdiff_t run_count;
    /// Tiles of all runs, and their number rounded up to a multiple of 16: the distance of channels in transformed data.
    ptrdiff_t tiles, lanes;
} ts_winograd;

/// Elements of scratch memory that the transforms need.
ptrdiff_t ts_winograd_scratch(const ts_winograd *winograd);

/// Transforms one channel's plane: element `frequency` of each tile to `target[frequency * step + tile]`.
void ts_winograd_input(const ts_winograd *winograd, const float *plane, float *scratch, float *target, ptrdiff_t step);

/// Transforms the products of one output channel back and writes its plane:
/// `limit(x + bias + residual)`, where residual is a plane or NULL.
void ts_winograd_output(const ts_winograd *winograd, const float *products, ptrdiff_t step, float bias,
                        const float *residual, int limits, float low, float high, float *scratch, float *plane);

/// Transforms 3×3 weights, `(tile + 2)²` numbers `step` apart for each; computed in binary64.
void ts_winograd_weights(ptrdiff_t tile, const float *weights, float *target, ptrdiff_t step);

#endif
