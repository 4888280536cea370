#ifndef TS_WINOGRAD_H
#define TS_WINOGRAD_H

#include <stddef.h>

// Winograd's minimal filtering for 3×3 windows that move by 1, outputs in tiles of 4×4, 3×3 or 2×2 (A. Lavin and S. Gray,
// "Fast algorithms for convolutional neural networks", 2016; points 0, ±√½, ±√2, ∞; 0, ½, -1, 2, ∞; and 0, ±1, ∞). A
// dilated convolution is many ordinary ones, each on every d-th row and column.
//
// A window that moves by 2 sees even rows by two of its taps and odd ones by one, and columns likewise: four convolutions of
// 2×2, 2×1, 1×2 and 1×1 taps, one for each parity, whose sums are the outputs. Tiles are 3×3, points 0, 1, ∞ and -1. What one
// tap multiplies is written as a combination of outputs at the first three, so that all parities add up before they are
// transformed back: 49 products in place of 81.

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
    /// Rows and columns of a tile of outputs, 2, 3 or 4, and how far windows move, 1 or 2.
    ptrdiff_t tile, stride;
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
ptrdiff_t ts_winograd_scratch(ptrdiff_t tile, ptrdiff_t stride, ptrdiff_t lanes, ptrdiff_t line);

/// The length of a line for a convolution.
ptrdiff_t ts_winograd_line(ptrdiff_t tile, ptrdiff_t stride, ptrdiff_t output_width, ptrdiff_t column_dilation);

/// Where a channel's transformed tiles go. They are cut into panels of `panel` lanes: element `frequency` of tile t lies at
/// `frequency * step + t / panel * panel_step + t % panel`, and further by `parity_step` for each parity.
typedef struct {
    ptrdiff_t step, panel, panel_step, parity_step;
} ts_winograd_order;

/// Parities of windows that move by 2, in the order in which a frequency needs a range of them: odd columns of even rows, even
/// ones of these, even columns of odd rows, odd ones of these. Frequencies in the last row have none of odd rows, those in
/// the last column none of odd columns.
enum { TS_WINOGRAD_PARITIES = 4 };

/// Planes of channels, one after another.
typedef struct {
    const float *elements;
    ptrdiff_t count;
    /// Elements that are there, at least those of the planes.
    ptrdiff_t readable;
} ts_planes;

/// Transforms planes with instruction set `index` of `ts_multiply_panels`; `target` is the first one's place, the next one's is
/// a panel further.
void ts_winograd_input(int index, const ts_winograd *winograd, ts_planes planes, float *scratch, float *target,
                       const ts_winograd_order *order);

/// What is done to an output: `limit(x + bias + residual)`, where residual is a plane or NULL.
typedef struct {
    float bias;
    const float *residual;
    /// Elements from a plane of outputs to the one that is written next, or 0.
    ptrdiff_t ahead;
    int limits;
    float low, high;
} ts_winograd_end;

/// The products of some output channels: element `frequency` of tile t of channel i at
/// `elements[frequency * step + i * channel_step + t]`.
typedef struct {
    const float *elements;
    ptrdiff_t count, step, channel_step;
    /// One for each channel, or NULL.
    const float *biases;
} ts_tile_sums;

/// Transforms products back and writes the channels' planes, one after another. `end` is the first one's, but for its bias.
void ts_winograd_output(int index, const ts_winograd *winograd, const ts_tile_sums *sums, const ts_winograd_end *end,
                        float *scratch, float *planes);

/// Transforms `count` 3×3 filters: tap t of filter i at `taps[t * tap_step + i]`, element `frequency` of the result at
/// `target[frequency * step + i]`, and further by `parity_step` for each parity.
/// - Parameter ahead: elements from `taps` to those that are transformed next, which are fetched, or 0.
void ts_winograd_weights(int index, ptrdiff_t tile, ptrdiff_t stride, const float *taps, ptrdiff_t tap_step,
                         ptrdiff_t ahead, ptrdiff_t count, float *target, ptrdiff_t step, ptrdiff_t parity_step);

// Windows of up to 8 columns that move by 2, where few channels make the sums short: the same along rows only. A tile is 4
// outputs of a row, even and odd columns are seen by up to 4 taps each; 14 products for each row of a window in place of 28.

/// Points along a row: ±½, ±1, ±2 and ∞.
enum { TS_WINOGRAD_ROW_POINTS = 7 };

/// Elements of the scratch memory `line` for rows of so many tiles, a multiple of 8.
ptrdiff_t ts_winograd_row_line(ptrdiff_t lanes);

/// Transforms a row of the input, NULL for one of zeros, that has `begin` zeros before it: element k of even columns of tile t
/// goes to `target[k * step + t]`, that of odd ones to `target[k * step + lanes + t]`.
void ts_winograd_row_input(const float *row, ptrdiff_t width, ptrdiff_t begin, ptrdiff_t lanes, float *line, float *target,
                           ptrdiff_t step);

/// Transforms products, frequencies being points, back to one row of `count` outputs in each of the channels' planes, which
/// have `size` elements.
void ts_winograd_row_output(const ts_tile_sums *sums, ptrdiff_t count, const ts_winograd_end *end, float *line, float *row,
                            ptrdiff_t size);

/// Transforms a row of `count` taps, at most 8: element k of even taps goes to `target[k * step]`, that of odd ones
/// `parity_step` further.
void ts_winograd_row_weights(const float *taps, ptrdiff_t count, float *target, ptrdiff_t step, ptrdiff_t parity_step);

#endif
