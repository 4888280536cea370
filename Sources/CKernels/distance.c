#include <stdbool.h>
#include <string.h>

#include "CKernels.h"
#include "elementary.h"

enum {
    // Pixels that are compared at once.
    BLOCK = 64,
    // Distances below this are found by comparing neighbours, larger ones by tracing the envelope: about where the two take
    // the same time. Twice its square fits 16 bits, and it fits the margin.
    REACH = 48,
};

TS_SIMD void ts_count_up_u16(const uint16_t *previous, uint16_t *row, ptrdiff_t count) {
    TS_INDEPENDENT for (ptrdiff_t x = 0; x < count; x++) row[x] = (uint16_t)(previous[x] + (previous[x] != UINT16_MAX));
}

// min over |k| ≤ REACH of `squares[x + k] + k²` for the pixels of one block; the other k are skipped once none can win.
// Returns whether these are the minima over the whole row: they are when all of them lie below REACH².
TS_SIMD static bool compare_neighbours(const uint16_t *restrict squares, int32_t *restrict output) {
    uint16_t best[BLOCK];
    for (int x = 0; x < BLOCK; x++) best[x] = squares[x];
    for (int k = 1; k <= REACH; k++) {
        const uint16_t square = (uint16_t)(k * k);
        uint16_t open = 0;
        for (int x = 0; x < BLOCK; x++) open |= (uint16_t)(best[x] > square ? UINT16_MAX : 0);
        if (!open) break;
        for (int x = 0; x < BLOCK; x++) {
            const uint16_t before = (uint16_t)(squares[x - k] + square);
            const uint16_t after = (uint16_t)(squares[x + k] + square);
            const uint16_t nearer = before < after ? before : after;
            best[x] = best[x] < nearer ? best[x] : nearer;
        }
    }
    uint16_t highest = 0;
    for (int x = 0; x < BLOCK; x++) {
        output[x] = best[x];
        highest = best[x] > highest ? best[x] : highest;
    }
    return highest < REACH * REACH;
}

// The first column from `x` on where the vertical distance is zero (or is not).
static ptrdiff_t next_column(const uint16_t *vertical, ptrdiff_t x, ptrdiff_t count, bool zero) {
    while (x < count && (vertical[x] == 0) != zero) x++;
    return x;
}

// The lower envelope of the parabolas over one run of set pixels (Meijster, Roerdink & Hesselink, 2000, second phase).
// `columns` and `starts` hold as many elements as the run, and two more: where each parabola stands, and from where on it
// is the lowest.
static void trace_envelope(const uint16_t *restrict vertical, ptrdiff_t count, int32_t *restrict columns,
                           int32_t *restrict starts, int32_t *restrict output) {
    // The pixel before the run stands at 0, the run's at 1 … count, the one after it at count + 1.
    const ptrdiff_t last = count + 1;
    ptrdiff_t top = 0;
    columns[0] = 0;
    starts[0] = 0;
    int64_t top_column = 0, top_start = 0, top_height = 0;
    for (int64_t u = 1; u <= last; u++) {
        const int64_t g = u <= count ? vertical[u - 1] : 0;
        const int64_t height = g * g;
        while (true) {
            const int64_t a = top_start - top_column, b = top_start - u;
            if (a * a + top_height <= b * b + height) break;
            // The first parabola stays: at its own column it is 0.
            top--;
            top_column = columns[top];
            top_start = starts[top];
            const int64_t h = top_column > 0 ? vertical[top_column - 1] : 0;
            top_height = h * h;
        }
        const int64_t across = u - top_column;
        // Positive; a double's rounding cannot bring it to the next whole number.
        const int64_t difference = across * (u + top_column) + height - top_height;
        const int64_t start = 1 + (int64_t)((double)difference / (double)(2 * across));
        if (start > last) continue;
        top++;
        columns[top] = (int32_t)u;
        starts[top] = (int32_t)start;
        top_column = u;
        top_start = start;
        top_height = height;
    }
    ptrdiff_t x = last;
    for (; top >= 0; top--) {
        const int64_t column = columns[top];
        const int64_t g = column > 0 && column <= count ? vertical[column - 1] : 0;
        const int64_t height = g * g;
        const ptrdiff_t from = starts[top] > 1 ? starts[top] : 1;
        if (x > count) x = count;
        for (; x >= from; x--) output[x - 1] = (int32_t)((x - column) * (x - column) + height);
    }
}

TS_SIMD static void take_roots(const int32_t *restrict squares, float *restrict output, ptrdiff_t count) {
    for (ptrdiff_t x = 0; x < count; x++) output[x] = __builtin_elementwise_sqrt((float)squares[x]);
}

// The nearer vertical distance, and its square, limited to what 16 bits hold.
TS_SIMD static void take_nearer(const uint16_t *restrict above, const uint16_t *restrict below, ptrdiff_t count,
                                uint16_t *restrict vertical, uint16_t *restrict squares) {
    for (ptrdiff_t x = 0; x < count; x++) {
        const uint16_t nearer = above[x] < below[x] ? above[x] : below[x];
        const uint16_t limited = nearer < REACH ? nearer : REACH;
        vertical[x] = nearer;
        squares[x] = (uint16_t)(limited * limited);
    }
}

TS_SIMD static uint16_t lowest(const uint16_t *values, ptrdiff_t count) {
    uint16_t low = UINT16_MAX;
    for (ptrdiff_t x = 0; x < count; x++) low = values[x] < low ? values[x] : low;
    return low;
}

TS_SIMD static uint16_t highest(const uint16_t *values, ptrdiff_t count) {
    uint16_t high = 0;
    for (ptrdiff_t x = 0; x < count; x++) high = values[x] > high ? values[x] : high;
    return high;
}

// Whether comparing the block's neighbours is sure to be of no use.
static bool is_far(const uint16_t *vertical, ptrdiff_t block, ptrdiff_t count) {
    return block >= REACH && block + BLOCK + REACH <= count && highest(vertical + block, BLOCK) > REACH
        && lowest(vertical + block - REACH, BLOCK + 2 * REACH) > 0;
}

void ts_row_distances(const uint16_t *above, const uint16_t *below, ptrdiff_t count, uint16_t *narrow, int32_t *wide,
                      float *output) {
    // Zeros around the squares: what is not set.
    uint16_t *squares = narrow + TS_DISTANCE_MARGIN, *vertical = squares + count + TS_DISTANCE_MARGIN;
    int32_t *nearest_squares = wide, *columns = wide + count, *starts = columns + count + 2;
    memset(narrow, 0, TS_DISTANCE_MARGIN * sizeof *narrow);
    memset(squares + count, 0, TS_DISTANCE_MARGIN * sizeof *narrow);
    take_nearer(above, below, count, vertical, squares);
    // Everything before this column is done.
    ptrdiff_t done = 0;
    for (ptrdiff_t block = 0; block < count; block += BLOCK) {
        const ptrdiff_t end = block + BLOCK < count ? block + BLOCK : count;
        ptrdiff_t x = block > done ? block : done;
        if (x >= end) continue;
        if (!is_far(vertical, block, count)) {
            int32_t nearest[BLOCK];
            const bool complete = compare_neighbours(squares + block, nearest);
            memcpy(nearest_squares + x, nearest + (x - block), (size_t)(end - x) * sizeof *nearest);
            if (complete) continue;
        }
        while (x < end) {
            ptrdiff_t start = next_column(vertical, x, end, false);
            if (start == end) break;
            while (start > 0 && vertical[start - 1] > 0) start--;
            x = next_column(vertical, x + 1 > start ? x + 1 : start + 1, count, true);
            if (x - start <= 2 * REACH) continue;
            trace_envelope(vertical + start, x - start, columns, starts, nearest_squares + start);
            done = x;
        }
    }
    take_roots(nearest_squares, output, count);
}
