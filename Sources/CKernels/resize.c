#include "CKernels.h"

#define DEFINE_INTERPOLATION(suffix, number)                                                                           \
    TS_SIMD void ts_interpolate_line_##suffix(const number *restrict input, const int32_t *restrict indices,           \
                                              const number *restrict weights, ptrdiff_t taps, ptrdiff_t count,         \
                                              number *restrict output) {                                               \
        if (taps == 2) {                                                                                               \
            for (ptrdiff_t x = 0; x < count; x++)                                                                      \
                output[x] = weights[2 * x] * input[indices[2 * x]] + weights[2 * x + 1] * input[indices[2 * x + 1]];   \
            return;                                                                                                    \
        }                                                                                                              \
        if (taps == 4) {                                                                                               \
            for (ptrdiff_t x = 0; x < count; x++) {                                                                    \
                const int32_t *i = indices + 4 * x;                                                                    \
                const number *w = weights + 4 * x;                                                                     \
                output[x] = (w[0] * input[i[0]] + w[1] * input[i[1]]) + (w[2] * input[i[2]] + w[3] * input[i[3]]);     \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (ptrdiff_t x = 0; x < count; x++) {                                                                        \
            number sum = 0;                                                                                            \
            for (ptrdiff_t k = 0; k < taps; k++) sum += weights[x * taps + k] * input[indices[x * taps + k]];          \
            output[x] = sum;                                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    TS_SIMD void ts_blend_lines_##suffix(const number *restrict input, ptrdiff_t stride,                               \
                                         const int32_t *restrict indices, const number *restrict weights,              \
                                         ptrdiff_t taps, ptrdiff_t count, number *restrict output) {                   \
        const number *first = input + indices[0] * stride;                                                             \
        const number weight = weights[0];                                                                              \
        ptrdiff_t done = 1;                                                                                            \
        if (taps >= 2) {                                                                                               \
            const number *second = input + indices[1] * stride;                                                        \
            const number other = weights[1];                                                                           \
            for (ptrdiff_t x = 0; x < count; x++) output[x] = weight * first[x] + other * second[x];                   \
            done = 2;                                                                                                  \
        } else {                                                                                                       \
            for (ptrdiff_t x = 0; x < count; x++) output[x] = weight * first[x];                                       \
        }                                                                                                              \
        for (ptrdiff_t k = done; k < taps; k++) {                                                                      \
            const number *line = input + indices[k] * stride;                                                          \
            const number factor = weights[k];                                                                          \
            for (ptrdiff_t x = 0; x < count; x++) output[x] += factor * line[x];                                       \
        }                                                                                                              \
    }

DEFINE_INTERPOLATION(f32, float)
DEFINE_INTERPOLATION(f64, double)
