#include "CKernels.h"
#include "blocked_sum.h"
#include "elementary.h"

// A NaN compares false with everything, so that the search passes over it; it is noted separately.
#define SEARCH(worst, better)                                          \
    float lanes[TS_LANES];                                             \
    int has_nan[TS_LANES] = {0};                                       \
    for (int lane = 0; lane < TS_LANES; lane++) lanes[lane] = (worst); \
    ptrdiff_t i = 0;                                                   \
    for (; i + TS_LANES <= count; i += TS_LANES) {                     \
        for (int lane = 0; lane < TS_LANES; lane++) {                  \
            float x = input[i + lane], y = lanes[lane];                \
            lanes[lane] = (better) ? x : y;                            \
            has_nan[lane] |= x != x;                                   \
        }                                                              \
    }                                                                  \
    for (; i < count; i++) {                                           \
        float x = input[i], y = lanes[0];                              \
        lanes[0] = (better) ? x : y;                                   \
        has_nan[0] |= x != x;                                          \
    }                                                                  \
    float found = lanes[0];                                            \
    for (int lane = 0; lane < TS_LANES; lane++) {                      \
        float x = lanes[lane], y = found;                              \
        found = (better) ? x : y;                                      \
        has_nan[0] |= has_nan[lane];                                   \
    }                                                                  \
    return has_nan[0] ? NAN : found;

TS_SIMD static double ts_sum(const float *input, ptrdiff_t count) { TS_BLOCKED_SUM(x) }
TS_SIMD static double ts_sum_of_magnitudes(const float *input, ptrdiff_t count) { TS_BLOCKED_SUM(fabsf(x)) }
TS_SIMD static double ts_sum_of_squares(const float *input, ptrdiff_t count) { TS_BLOCKED_SUM(x * x) }
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
