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

#endif
