#ifndef TS_MOVEMENT_H
#define TS_MOVEMENT_H

#include <stddef.h>
#include <stdint.h>

/// Dimensions that `ts_copy_strided` takes at most.
enum { TS_MAX_RANK = 64 };

/// `target[Σ i·target_strides] = source[Σ i·source_strides]` for every index below `sizes`, for elements of `width` bytes
/// (1, 2, 4, 8 or 16), at any alignment. `rank` is 1 or more, every size 1 or more; strides count elements. The memories
/// do not overlap.
void ts_copy_strided(ptrdiff_t width, ptrdiff_t rank, const ptrdiff_t *sizes, const ptrdiff_t *source_strides,
                     const ptrdiff_t *target_strides, const void *source, void *target);

/// Copies rows past the caches, for what is not read again soon. `source_row` and `target_row` are elements from one row to the
/// next.
void ts_stream_rows(const float *source, ptrdiff_t source_row, ptrdiff_t rows, ptrdiff_t columns, float *target,
                    ptrdiff_t target_row);

#endif
