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

// Channels whose sum is formed before it is added to the others': keeps sums of many channels exact.
enum { GROUP = 16 };

/// `total[i] += Σ expression` over all rows `x`, group by group; `partial` is room for as many elements.
#define SUM_ROWS(expression, keep)                                                            \
    for (ptrdiff_t i = 0; i < columns; i++) total[i] = 0;                                     \
    for (ptrdiff_t first = 0; first < rows; first += GROUP) {                                 \
        const ptrdiff_t end = first + GROUP < rows ? first + GROUP : rows;                    \
        for (ptrdiff_t i = 0; i < columns; i++) partial[i] = 0;                               \
        for (ptrdiff_t row = first; row < end; row++) {                                       \
            float *kept = block + row * columns;                                              \
            (void)kept;                                                                       \
            for (ptrdiff_t i = 0; i < columns; i++) {                                         \
                keep;                                                                         \
                partial[i] += (expression);                                                   \
            }                                                                                 \
        }                                                                                     \
        for (ptrdiff_t i = 0; i < columns; i++) total[i] += partial[i];                       \
    }

TS_SIMD void ts_normalize_columns_f32(const float *input, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
                                      float epsilon, const float *scale, const float *bias, float *restrict scratch,
                                      float *output) {
    float *restrict block = scratch;
    float *restrict total = scratch + rows * columns;
    float *restrict partial = total + columns;
    float *restrict mean = partial + columns;
    const float *restrict source = input;
    SUM_ROWS(kept[i], kept[i] = source[row * stride + i])
    const float share = 1.0f / (float)rows;
    for (ptrdiff_t i = 0; i < columns; i++) mean[i] = total[i] * share;
    SUM_ROWS(kept[i] * kept[i], kept[i] -= mean[i])
    for (ptrdiff_t i = 0; i < columns; i++)
        total[i] = 1.0f / __builtin_elementwise_sqrt(total[i] * share + epsilon);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float factor = scale ? scale[row] : 1.0f, offset = bias ? bias[row] : 0.0f;
        const float *kept = block + row * columns;
        float *restrict target = output + row * stride;
        for (ptrdiff_t i = 0; i < columns; i++) target[i] = kept[i] * total[i] * factor + offset;
    }
}
