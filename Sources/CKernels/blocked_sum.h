#ifndef TS_BLOCKED_SUM_H
#define TS_BLOCKED_SUM_H

#include <stddef.h>

// Running sums: enough to hide the latency of additions, and to keep each of them short.
enum { TS_LANES = 32, TS_BLOCK = 32 * TS_LANES };

#define TS_BLOCKED_SUM(expression)                                                       \
    double total = 0;                                                                    \
    for (ptrdiff_t start = 0; start < count; start += TS_BLOCK) {                        \
        ptrdiff_t end = start + TS_BLOCK < count ? start + TS_BLOCK : count;             \
        float lanes[TS_LANES] = {0};                                                     \
        ptrdiff_t i = start;                                                             \
        for (; i + TS_LANES <= end; i += TS_LANES) {                                     \
            for (int lane = 0; lane < TS_LANES; lane++) {                                \
                float x = input[i + lane];                                               \
                lanes[lane] += (expression);                                             \
            }                                                                            \
        }                                                                                \
        for (int lane = 0; i < end; i++, lane++) {                                       \
            float x = input[i];                                                          \
            lanes[lane] += (expression);                                                 \
        }                                                                                \
        for (int width = TS_LANES / 2; width > 0; width /= 2) {                          \
            for (int lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width]; \
        }                                                                                \
        total += lanes[0];                                                               \
    }                                                                                    \
    return total;

#endif
