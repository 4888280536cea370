#ifndef TS_REDUCE_H
#define TS_REDUCE_H

#include <stddef.h>

/// What is summed up, or looked for.
typedef enum {
    TS_SUM,
    TS_SUM_OF_MAGNITUDES,
    TS_SUM_OF_SQUARES,
    TS_LARGEST,   // NaN when an element is; -infinity of none
    TS_SMALLEST,
} ts_reduction;

/// The reduction of `count` elements. Sums run in binary32 over short blocks, and in binary64 over the blocks.
double ts_reduce_f32(ts_reduction reduction, const float *input, ptrdiff_t count);

/// Adds every element (or its magnitude, or its square) to the sum at its place.
void ts_accumulate_f32(ts_reduction reduction, const float *input, double *sums, ptrdiff_t count);

#endif
