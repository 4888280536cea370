#ifndef TS_POOLING_H
#define TS_POOLING_H

#include <stddef.h>

#include "convolution.h"

/// Largest element of every window of one plane.
void ts_max_pool_f32(const float *input, const ts_window *window, float *output);
/// Mean of every window of one plane; padding counts when `include_padding`, up to the padded end `end`.
void ts_average_pool_f32(const float *input, const ts_window *window, const ptrdiff_t end[3], int include_padding,
                         float *output);
/// Sum of `count` elements, by eight running sums.
float ts_sum_f32(const float *input, ptrdiff_t count);

#endif
