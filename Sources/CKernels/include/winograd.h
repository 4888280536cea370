#ifndef TS_WINOGRAD_H
#define TS_WINOGRAD_H

#include <stddef.h>

// Winograd's minimal filtering for 3×3 windows that move by 1, outputs in tiles of 4×4, 3×3 or 2×2 (A. Lavin and S. Gray,
// "Fast algorithms for convolutional neural networks", 2016; points 0, ±√½, ±√2, ∞; 0, ½, -1, 2, ∞; and 0, ±1, ∞). A
// dilated convolution is many ordinary ones, each on every d-th row and column.

/// Tiles that stand behind one another in transformed data: neighbours in a row or, where columns are dilated, those of
/// neighbouring columns of the input, which belong to different ordinary convolutions.
typedef struct {
    /// The first one's place among all tiles, and how many there are.
    ptrdiff_t first, count;
    /// Row and column in the input of the first tile's first element; may lie in the padding.
    ptrdiff_t row, column;
    /// Row and column in the output of the first tile's first element.
    ptrdiff_t output_row, output_column;
} ts_tile_run;

typedef struct {
    /// Rows and columns of a tile of outputs, 2, 3 or 4.
    ptrdiff_t tile;
    ptrdiff_t input_height, input_width, output_height, output_width;
    ptrdiff_t row_dilation, column_dilation;
    /// In ascending order; those of a row follow one another, and where columns are dilated all of a row are there.
    const ts_tile_run *runs;
    ptrdiff_t run_count;
    /// Tiles of all runs, and their number rounded up to whole vectors.
    ptrdiff_t tiles, lanes;
    /// Columns that a row of tiles reads, and some to spare: the length of a line in scratch memory.
    ptrdiff_t line;
} ts_winograd;

/// Elements of scratch memory that the transforms need: an upper bound for runs of so many lanes.
ptrdiff_t ts_winograd_scratch(ptrdiff_t tile, ptrdiff_t lanes, ptrdiff_t line);

/// The length of a line for a convolution.
ptrdiff_t ts_winograd_line(ptrdiff_t tile, ptrdiff_t output_width, ptrdiff_t column_dilation);

/// Transforms one channel's plane with instruction set `index` of `ts_multiply_panels`. Tiles are cut into panels of `panel`
/// lanes: element `frequency` of tile t goes to `target[frequency * step + t / panel * panel_step + t % panel]`.
/// - Parameter readable: elements from `plane` on that are there, at least those of the plane.
void ts_winograd_input(int index, const ts_winograd *winograd, const float *plane, ptrdiff_t readable, float *scratch,
                       float *target, ptrdiff_t step, ptrdiff_t panel, ptrdiff_t panel_step);

/// What is done to an output: `limit(x + bias + residual)`, where residual is a plane or NULL.
typedef struct {
    float bias;
    const float *residual;
    int limits;
    float low, high;
} ts_winograd_end;

/// Transforms the products of one output channel, element `frequency` of tile t at `products[frequency * step + t]`, back
/// and writes its plane.
void ts_winograd_output(int index, const ts_winograd *winograd, const float *products, ptrdiff_t step,
                        const ts_winograd_end *end, float *scratch, float *plane);

/// Transforms `count` 3×3 filters: tap t of filter i at `taps[t * tap_step + i]`, element `frequency` of the result at
/// `target[frequency * step + i]`.
void ts_winograd_weights(int index, ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, ptrdiff_t count, float *target,
                         ptrdiff_t step);

#endif
