#ifndef TS_DEPTHWISE_H
#define TS_DEPTHWISE_H

#include <stddef.h>

#include "convolution.h"

/// What happens to the sums of a depthwise convolution before they are stored: `limit(x + bias)`.
typedef struct {
    float bias;
    /// Whether results are limited to low...high; NaN stays.
    int limits;
    float low, high;
} ts_depthwise_end;

/// One output plane of a depthwise convolution.
void ts_depthwise_f32(const float *input, const float *weights, const ts_window *window, const ts_depthwise_end *end,
                      float *output);

#endif
