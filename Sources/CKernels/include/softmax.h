#ifndef TS_SOFTMAX_H
#define TS_SOFTMAX_H

#include <stddef.h>

/// `e^x / Σ e^x` over `count` elements, or its logarithm; `output` may be `input`.
void ts_softmax_f32(const float *input, float *output, ptrdiff_t count, int logarithm);

enum { TS_SOFTMAX_COLUMNS = 256 };

/// The same along the columns of a matrix, at most TS_SOFTMAX_COLUMNS of them, whose rows are `stride` apart.
void ts_softmax_columns_f32(const float *input, float *output, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride,
                            int logarithm);

/// Replaces every element of a matrix by `e^(x - maximum of its column)`, and gives the columns' maxima and their sums of
/// such powers.
void ts_column_powers_f32(float *matrix, ptrdiff_t rows, ptrdiff_t columns, float *maxima, float *sums);

/// `target[i] += factor * source[i]`.
void ts_add_scaled_f32(const float *source, float factor, float *target, ptrdiff_t count);

#endif
