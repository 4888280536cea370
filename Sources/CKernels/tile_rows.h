// Rows of tiles on their way between planes and transforms; included by the sources of the transforms.

#include <string.h>

#include "tile_macros.h"

/// Elements by which vectors may overrun the end of a row in scratch memory, and which keep rows off the same lines of a cache.
enum { SPARE = 16 };
/// Vectors by which rows are dealt out to tiles.
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t eight_mask __attribute__((vector_size(32), aligned(4), may_alias));

TS_INLINE eight select_eight(eight_mask mask, eight yes, eight no) {
    return (eight)((mask & (eight_mask)yes) | (~mask & (eight_mask)no));
}

TS_INLINE eight finish_eight(const ts_winograd_end *end, eight values, eight added) {
    const eight low = end->low - (eight){0}, high = end->high - (eight){0};
    values += added;
    if (!end->limits) return values;
    values = select_eight(values < low, low, values);
    return select_eight(values > high, high, values);
}

/// The end of channel i of some whose planes are of a size.
TS_INLINE ts_winograd_end end_of_channel(const ts_winograd_end *end, const ts_tile_sums *sums, ptrdiff_t i, ptrdiff_t size) {
    ts_winograd_end one = *end;
    one.bias = sums->biases ? sums->biases[i] : 0;
    if (one.residual) one.residual += i * size;
    one.ahead = i + 1 < sums->count ? size : 0;
    return one;
}

/// `line`, with what follows, to `count` columns of the output. Vectors are those in which the line was written.
TS_INLINE void finish(const ts_winograd_end *end, const float *line, ptrdiff_t count, const float *residual,
                      float *target) {
    ptrdiff_t x = 0;
    for (; x + 8 <= count; x += 8) {
        eight added = {0};
        if (residual) {
            added = *(const eight *)(residual + x);
            __builtin_prefetch(residual + x + end->ahead);
        }
        __builtin_prefetch(target + x + end->ahead, 1);
        *(eight *)(target + x) = finish_eight(end, *(const eight *)(line + x), added);
    }
    if (x == count) return;
    eight added = {0};
    if (residual) memcpy(&added, residual + x, (size_t)(count - x) * sizeof(float));
    const eight values = finish_eight(end, *(const eight *)(line + x), added);
    memcpy(target + x, &values, (size_t)(count - x) * sizeof(float));
}
