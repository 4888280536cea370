#ifndef TS_NORMALIZE_H
#define TS_NORMALIZE_H

#include <stddef.h>

/// Σ (x - mean)², in binary32 over short blocks, and in binary64 over the blocks.
double ts_squared_deviations_f32(const float *input, ptrdiff_t count, float mean);

/// `output[i] = (input[i] - mean) · factor + offset`; `output` may be `input`.
void ts_standardize_f32(const float *input, float *output, ptrdiff_t count, float mean, float factor, float offset);

/// `output[i] = (input[i] - mean) · factor · scale[i] + bias[i]`, without bias where it is NULL; `output` may be `input`.
void ts_standardize_each_f32(const float *input, float *output, ptrdiff_t count, float mean, float factor,
                             const float *scale, const float *bias);

/// Standardises every column of a matrix whose rows are `stride` apart, by its own mean and variance:
/// `output = (input - mean) / √(variance + epsilon) · scale[row] + bias[row]`, without scale or bias where it is NULL.
/// `scratch` has room for `(rows + 3) · columns` elements; `output` is laid out like `input`, and may be it.
void ts_normalize_columns_f32(const float *input, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, float epsilon,
                              const float *scale, const float *bias, float *scratch, float *output);

#endif
