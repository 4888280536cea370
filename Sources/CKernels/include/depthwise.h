#ifndef TS_DEPTHWISE_H
#define TS_DEPTHWISE_H

#include <stddef.h>

#include "convolution.h"

/// What happens to the sums of a depthwise convolution before they are stored: `activation(x + bias)`.
typedef struct {
    /// One for each plane; NULL for 0.
    const float *biases;
    /// Whether results are limited to low...high; NaN stays.
    int limits;
    float low, high;
    /// Whether the result x is replaced by `x * min(max(x / 6 + 1/2, 0), 1)` at last.
    int hard_swish;
} ts_depthwise_end;

/// Planes of a depthwise convolution, one after another in the input and the output, as their weights are.
void ts_depthwise_f32(const float *input, const float *weights, const ts_window *window, const ts_depthwise_end *end,
                      ptrdiff_t planes, float *output);

#endif
