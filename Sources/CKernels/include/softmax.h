#ifndef TS_SOFTMAX_H
#define TS_SOFTMAX_H

#include <stddef.h>

/// `e^x / Σ e^x` over `count` elements, or its logarithm; `output` may be `input`.
void ts_softmax_f32(const float *input, float *output, ptrdiff_t count, int logarithm);

enum { TS_SOFTMAX_COLUMNS = 256 };

/// The same along the columns of a matrix, at most TS_SOFTMAX_COLUMNS of them, whose rows are `stride` apart.
void ts_softmax_columns_f32(const float *input, float *output, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride,
                            int logarithm);

#endif
