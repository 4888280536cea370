#include "CKernels.h"
#include "elementary.h"

// Running sums: enough to hide the latency of additions, and to keep each of them short.
enum { LANES = 32, BLOCK = 128 * LANES };

#define SUM(expression)                                                       \
    double total = 0;                                                         \
    for (ptrdiff_t start = 0; start < count; start += BLOCK) {                \
        ptrdiff_t end = start + BLOCK < count ? start + BLOCK : count;        \
        float lanes[LANES] = {0};                                             \
        ptrdiff_t i = start;                                                  \
        for (; i + LANES <= end; i += LANES) {                                \
            for (int lane = 0; lane < LANES; lane++) {                        \
                float x = input[i + lane];                                    \
                lanes[lane] += (expression);                                  \
            }                                                                 \
        }                                                                     \
        for (int lane = 0; i < end; i++, lane++) {                            \
            float x = input[i];                                               \
            lanes[lane] += (expression);                                      \
        }                                                                     \
        for (int width = LANES / 2; width > 0; width /= 2) {                  \
            for (int lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width]; \
        }                                                                     \
        total += lanes[0];                                                    \
    }                                                                         \
    return total;

// A NaN compares false with everything, so that the search passes over it; it is noted separately.
#define SEARCH(worst, better)                                                 \
    float lanes[LANES];                                                       \
    int has_nan[LANES] = {0};                                                 \
    for (int lane = 0; lane < LANES; lane++) lanes[lane] = (worst);           \
    ptrdiff_t i = 0;                                                          \
    for (; i + LANES <= count; i += LANES) {                                  \
        for (int lane = 0; lane < LANES; lane++) {                            \
            float x = input[i + lane], y = lanes[lane];                       \
            lanes[lane] = (better) ? x : y;                                   \
            has_nan[lane] |= x != x;                                          \
        }                                                                     \
    }                                                                         \
    for (; i < count; i++) {                                                  \
        float x = input[i], y = lanes[0];                                     \
        lanes[0] = (better) ? x : y;                                          \
        has_nan[0] |= x != x;                                                 \
    }                                                                         \
    float found = lanes[0];                                                   \
    for (int lane = 0; lane < LANES; lane++) {                                \
        float x = lanes[lane], y = found;                                     \
        found = (better) ? x : y;                                             \
        has_nan[0] |= has_nan[lane];                                          \
    }                                                                         \
    return has_nan[0] ? NAN : found;

TS_SIMD static double ts_sum(const float *input, ptrdiff_t count) { SUM(x) }
TS_SIMD static double ts_sum_of_magnitudes(const float *input, ptrdiff_t count) { SUM(fabsf(x)) }
TS_SIMD static double ts_sum_of_squares(const float *input, ptrdiff_t count) { SUM(x * x) }
TS_SIMD static double ts_largest(const float *input, ptrdiff_t count) { SEARCH(-INFINITY, x > y) }
TS_SIMD static double ts_smallest(const float *input, ptrdiff_t count) { SEARCH(INFINITY, x < y) }

double ts_reduce_f32(ts_reduction reduction, const float *input, ptrdiff_t count) {
    switch (reduction) {
    case TS_SUM: return ts_sum(input, count);
    case TS_SUM_OF_MAGNITUDES: return ts_sum_of_magnitudes(input, count);
    case TS_SUM_OF_SQUARES: return ts_sum_of_squares(input, count);
    case TS_LARGEST: return ts_largest(input, count);
    case TS_SMALLEST: return ts_smallest(input, count);
    }
    return NAN;
}

TS_SIMD void ts_accumulate_f32(ts_reduction reduction, const float *input, double *sums, ptrdiff_t count) {
    switch (reduction) {
    case TS_SUM_OF_MAGNITUDES:
        for (ptrdiff_t i = 0; i < count; i++) sums[i] += fabsf(input[i]);
        break;
    case TS_SUM_OF_SQUARES:
        for (ptrdiff_t i = 0; i < count; i++) sums[i] += (double)input[i] * input[i];
        break;
    default:
        for (ptrdiff_t i = 0; i < count; i++) sums[i] += input[i];
        break;
    }
}
