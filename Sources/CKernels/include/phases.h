#ifndef TS_PHASES_H
#define TS_PHASES_H

#include <stddef.h>

#include "winograd.h"

// 3×3 windows that move by 1, are dilated by d and padded by as much on every side. They are d × d ordinary convolutions, the
// phases, each on every d-th row and column and with zeros around it. Where a phase has few rows and columns it is one tile.
// Along an axis with n of them a transform makes of it
// - n = 1: one number, since the outer taps see zeros;
// - n = 2: three numbers (A. Karatsuba's product);
// - n = 3...7: the discrete Fourier transform of n + 1 points, since one zero suffices between the end of a phase and its
//   beginning: n / 2 complex numbers and one real one, or two where n is odd.
// Those of two axes are combined: of two complex numbers come two. A complex product takes three real ones.

enum { TS_PHASE_EXTENT = 7 };

typedef struct {
    /// Sizes of the plane.
    ptrdiff_t height, width;
    ptrdiff_t row_dilation, column_dilation;
    /// The phases that are computed: `row_count × column_count` from the one that begins at a row and a column; each is a tile.
    ptrdiff_t first_row, first_column, row_count, column_count;
    /// Rows and columns of a phase, 1...TS_PHASE_EXTENT; the last ones may lie past the plane's end.
    ptrdiff_t row_extent, column_extent;
    /// The number of tiles, rounded up to whole vectors.
    ptrdiff_t lanes;
} ts_phases;

/// Numbers that a phase becomes.
ptrdiff_t ts_phase_frequencies(ptrdiff_t row_extent, ptrdiff_t column_extent);

/// Elements of scratch memory that the transforms need.
ptrdiff_t ts_phase_scratch(ptrdiff_t row_extent, ptrdiff_t column_extent, ptrdiff_t lanes);

/// Transforms planes, as `ts_winograd_input` does.
void ts_phase_input(int index, const ts_phases *phases, ts_planes planes, float *scratch, float *target,
                    const ts_winograd_order *order);

/// Transforms products back and writes the channels' phases, as `ts_winograd_output` does.
void ts_phase_output(int index, const ts_phases *phases, const ts_tile_sums *sums, const ts_winograd_end *end, float *scratch,
                     float *planes);

/// Transforms 3×3 filters for phases of a size, as `ts_winograd_weights` does.
void ts_phase_weights(int index, ptrdiff_t row_extent, ptrdiff_t column_extent, const float *taps, ptrdiff_t tap_step,
                      ptrdiff_t count, float *target, ptrdiff_t step);

#endif
