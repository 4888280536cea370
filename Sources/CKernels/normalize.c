#include "CKernels.h"
#include "blocked_sum.h"
#include "elementary.h"

TS_SIMD double ts_squared_deviations_f32(const float *input, ptrdiff_t count, float mean) {
    TS_BLOCKED_SUM((x - mean) * (x - mean))
}

TS_SIMD void ts_standardize_f32(const float *input, float *output, ptrdiff_t count, float mean, float factor,
                                float offset) {
    TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) output[i] = (input[i] - mean) * factor + offset;
}

TS_SIMD void ts_standardize_each_f32(const float *input, float *output, ptrdiff_t count, float mean, float factor,
                                     const float *scale, const float *bias) {
    if (bias) {
        TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) {
            output[i] = (input[i] - mean) * factor * scale[i] + bias[i];
        }
    } else {
        TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) output[i] = (input[i] - mean) * factor * scale[i];
    }
}
