#include "CKernels.h"
#include "elementary.h"

// Vectors of 16: two where the processor's are narrower.
enum { LANES = 16 };

#if defined(__x86_64__) && defined(__linux__)
#define TS_SIMD_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TS_SIMD_WIDE
#endif

typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

TS_INLINE lane select_lane(mask which, lane yes, lane no) {
    return (lane)((which & (mask)yes) | (~which & (mask)no));
}

/// e^x for x <= 0; 0 where it would not be a normal number, NaN for NaN.
TS_INLINE lane power(lane x) {
    const lane zero = {0};
    const mask tiny = x < zero - 87.0f;
    const lane limited = select_lane(tiny, zero - 87.0f, x);
    const lane shift = zero + 12582912.0f;
    const lane shifted = limited * 1.44269504f + shift;
    const lane whole = shifted - shift;
    const lane r = (limited - whole * 0.693359375f) + whole * 2.12194440e-4f;
    lane p = zero + 1.38177827e-3f;
    p = p * r + 8.36811587e-3f;
    p = p * r + 4.16682698e-2f;
    p = p * r + 1.66665271e-1f;
    p = p * r + 4.99999940e-1f;
    p = p * (r * r) + r;
    const mask exponent = ((mask)shifted - (mask)shift + 127) << 23;
    return select_lane(tiny, zero, (p + 1.0f) * (lane)exponent);
}

TS_INLINE const float *bias_row(const ts_attention_bias *bias, ptrdiff_t key, ptrdiff_t lanes) {
    return bias->rows + (key / bias->divisor % bias->modulus - bias->first) * lanes;
}

TS_SIMD_WIDE
void ts_attention_powers(float *scores, ptrdiff_t first, ptrdiff_t keys, ptrdiff_t lanes, float scale,
                         const ts_attention_bias *biases, ptrdiff_t bias_count, float *maxima, float *sums,
                         float *factors) {
    enum { MOST = 3 };
    for (ptrdiff_t from = 0; from < lanes; from += MOST * LANES) {
        const ptrdiff_t vectors = (lanes - from < MOST * LANES ? lanes - from : MOST * LANES) / LANES;
        lane highest[MOST], total[MOST];
        for (ptrdiff_t v = 0; v < vectors; v++) highest[v] = *(const lane *)(maxima + from + v * LANES);
        for (ptrdiff_t k = 0; k < keys; k++) {
            lane *row = (lane *)(scores + k * lanes + from);
            const float *one = bias_count > 0 ? bias_row(biases, first + k, lanes) + from : NULL;
            const float *two = bias_count > 1 ? bias_row(biases + 1, first + k, lanes) + from : NULL;
            for (ptrdiff_t v = 0; v < vectors; v++) {
                lane x = row[v] * scale;
                if (one) x += *(const lane *)(one + v * LANES);
                if (two) x += *(const lane *)(two + v * LANES);
                for (ptrdiff_t b = 2; b < bias_count; b++)
                    x += *(const lane *)(bias_row(biases + b, first + k, lanes) + from + v * LANES);
                row[v] = x;
                highest[v] = select_lane(x > highest[v], x, highest[v]);
            }
        }
        for (ptrdiff_t v = 0; v < vectors; v++) {
            const lane zero = {0};
            lane *maximum = (lane *)(maxima + from + v * LANES), *sum = (lane *)(sums + from + v * LANES);
            // Queries that see nothing yet: their powers are 0, not those of an undefined difference.
            const lane base = select_lane(highest[v] == zero - INFINITY, zero, highest[v]);
            const lane factor = power(*maximum - base);
            *(lane *)(factors + from + v * LANES) = factor;
            *maximum = highest[v];
            total[v] = *sum * factor;
            highest[v] = base;
        }
        for (ptrdiff_t k = 0; k < keys; k++) {
            lane *row = (lane *)(scores + k * lanes + from);
            for (ptrdiff_t v = 0; v < vectors; v++) {
                row[v] = power(row[v] - highest[v]);
                total[v] += row[v];
            }
        }
        for (ptrdiff_t v = 0; v < vectors; v++) *(lane *)(sums + from + v * LANES) = total[v];
    }
}

TS_SIMD
void ts_scale_columns_f32(float *matrix, ptrdiff_t rows, ptrdiff_t columns, const float *factors) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++) matrix[i * columns + j] *= factors[j];
}

TS_SIMD
void ts_divide_transposed_f32(const float *matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t used,
                              const float *divisors, float *target, ptrdiff_t stride) {
    for (ptrdiff_t j = 0; j < used; j++)
        for (ptrdiff_t i = 0; i < rows; i++) target[j * stride + i] = matrix[i * columns + j] / divisors[j];
}
