#include "CKernels.h"
#include "elementary.h"

#include <float.h>

enum { LANES = 32 };

// NaN may be passed over: the sum of the powers is NaN then.
TS_INLINE float ts_row_maximum(const float *input, ptrdiff_t count) {
    float lanes[LANES];
    for (int lane = 0; lane < LANES; lane++) lanes[lane] = -INFINITY;
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            lanes[lane] = input[i + lane] > lanes[lane] ? input[i + lane] : lanes[lane];
        }
    }
    for (; i < count; i++) lanes[0] = input[i] > lanes[0] ? input[i] : lanes[0];
    for (int lane = 1; lane < LANES; lane++) lanes[0] = lanes[lane] > lanes[0] ? lanes[lane] : lanes[0];
    return lanes[0];
}

// Writes the powers unless `output` is NULL, and returns their sum.
TS_INLINE float ts_row_powers(const float *input, float *output, ptrdiff_t count, float maximum) {
    float lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        float powers[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            powers[lane] = ts_exp_nonpositive(input[i + lane] - maximum);
            lanes[lane] += powers[lane];
        }
        if (output) memcpy(output + i, powers, sizeof powers);
    }
    if (i < count) {
        // The rest at full width too: what lies beyond it has no power.
        float rest[LANES], powers[LANES];
        for (int lane = 0; lane < LANES; lane++) rest[lane] = -INFINITY;
        for (ptrdiff_t j = i; j < count; j++) rest[j - i] = input[j] - maximum;
        for (int lane = 0; lane < LANES; lane++) {
            powers[lane] = ts_exp_nonpositive(rest[lane]);
            lanes[lane] += powers[lane];
        }
        for (ptrdiff_t j = i; output && j < count; j++) output[j] = powers[j - i];
    }
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
    }
    return lanes[0];
}

TS_SIMD void ts_softmax_f32(const float *input, float *output, ptrdiff_t count, int logarithm) {
    float maximum = ts_row_maximum(input, count);
    if (logarithm) {
        float sum = logf(ts_row_powers(input, NULL, count, maximum));
        TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) output[i] = (input[i] - maximum) - sum;
    } else {
        float factor = 1.0f / ts_row_powers(input, output, count, maximum);
        for (ptrdiff_t i = 0; i < count; i++) output[i] *= factor;
    }
}

TS_SIMD void ts_softmax_columns_f32(const float *input, float *output, ptrdiff_t rows, ptrdiff_t columns,
                                    ptrdiff_t stride, int logarithm) {
    enum { BLOCK = 64 };
    float maxima[TS_SOFTMAX_COLUMNS], factors[TS_SOFTMAX_COLUMNS];
    double sums[TS_SOFTMAX_COLUMNS];
    for (ptrdiff_t i = 0; i < columns; i++) {
        maxima[i] = -INFINITY;
        sums[i] = 0;
    }
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *x = input + row * stride;
        for (ptrdiff_t i = 0; i < columns; i++) maxima[i] = x[i] > maxima[i] ? x[i] : maxima[i];
    }
    // In binary32 over a block of rows, in binary64 over the blocks.
    for (ptrdiff_t first = 0; first < rows; first += BLOCK) {
        float partial[TS_SOFTMAX_COLUMNS] = {0};
        for (ptrdiff_t row = first; row < rows && row < first + BLOCK; row++) {
            const float *x = input + row * stride;
            float *y = output + row * stride;
            if (logarithm) {
                for (ptrdiff_t i = 0; i < columns; i++) partial[i] += ts_exp_nonpositive(x[i] - maxima[i]);
            } else {
                TS_INDEPENDENT for (ptrdiff_t i = 0; i < columns; i++) {
                    float power = ts_exp_nonpositive(x[i] - maxima[i]);
                    y[i] = power;
                    partial[i] += power;
                }
            }
        }
        for (ptrdiff_t i = 0; i < columns; i++) sums[i] += partial[i];
    }
    for (ptrdiff_t i = 0; i < columns; i++) {
        float sum = (float)sums[i];
        factors[i] = logarithm ? ts_log(sum) : 1.0f / sum;
    }
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *x = input + row * stride;
        float *y = output + row * stride;
        if (logarithm) {
            TS_INDEPENDENT for (ptrdiff_t i = 0; i < columns; i++) y[i] = (x[i] - maxima[i]) - factors[i];
        } else {
            for (ptrdiff_t i = 0; i < columns; i++) y[i] *= factors[i];
        }
    }
}

TS_SIMD void ts_column_powers_f32(float *matrix, ptrdiff_t rows, ptrdiff_t columns, float *maxima, float *sums) {
    enum { BLOCK = 64, WIDTH = 64 };
    for (ptrdiff_t from = 0; from < columns; from += WIDTH) {
        const ptrdiff_t width = columns - from < WIDTH ? columns - from : WIDTH;
        float highest[WIDTH], total[WIDTH] = {0};
        for (ptrdiff_t i = 0; i < width; i++) highest[i] = -FLT_MAX;
        for (ptrdiff_t row = 0; row < rows; row++) {
            const float *x = matrix + row * columns + from;
            for (ptrdiff_t i = 0; i < width; i++) highest[i] = x[i] > highest[i] ? x[i] : highest[i];
        }
        for (ptrdiff_t first = 0; first < rows; first += BLOCK) {
            float partial[WIDTH] = {0};
            for (ptrdiff_t row = first; row < rows && row < first + BLOCK; row++) {
                float *x = matrix + row * columns + from;
                for (ptrdiff_t i = 0; i < width; i++) {
                    x[i] = ts_exp_nonpositive(x[i] - highest[i]);
                    partial[i] += x[i];
                }
            }
            for (ptrdiff_t i = 0; i < width; i++) total[i] += partial[i];
        }
        for (ptrdiff_t i = 0; i < width; i++) {
            maxima[from + i] = highest[i];
            sums[from + i] = total[i];
        }
    }
}

TS_SIMD void ts_add_scaled_f32(const float *source, float factor, float *target, ptrdiff_t count) {
    TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) target[i] += factor * source[i];
}
