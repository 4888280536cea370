#ifndef TS_DISTANCE_H
#define TS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/// Room on each side of a row for neighbours that lie outside: at least a block and the farthest neighbour looked at.
enum { TS_DISTANCE_MARGIN = 128 };

/// `row[x] = min(previous[x] + 1, 65535)`; both may be the same.
void ts_count_up_u16(const uint16_t *previous, uint16_t *row, ptrdiff_t count);

/// Euclidean distances along one row, given vertical ones: `√ min over q of (x − q)² + min(above[q], below[q])²`. A vertical
/// distance is 0 at pixels that are not set, and all columns outside the row are not set. Exact for distances of up to 32767.
///
/// Time is linear: short distances are found by comparing neighbours, others by the lower envelope of parabolas.
/// - narrow: room for `2 · (count + TS_DISTANCE_MARGIN)` elements to work in.
/// - wide: room for `3 · count + 4` elements.
void ts_row_distances(const uint16_t *above, const uint16_t *below, ptrdiff_t count, uint16_t *narrow, int32_t *wide,
                      float *output);

#endif
