#include "CKernels.h"

#include "tile_rows.h"

/// The most frequencies, rows of the input and rows of the output of a tile.
enum { SIDE = 6, SEEN = 7, OUTPUT = 4 };

/// Rows of the input that a tile sees.
TS_INLINE ptrdiff_t seen_rows(ptrdiff_t tile, ptrdiff_t stride) { return stride * (tile - 1) + 3; }

ptrdiff_t ts_winograd_scratch(ptrdiff_t tile, ptrdiff_t stride, ptrdiff_t lanes, ptrdiff_t line) {
    const ptrdiff_t seen = seen_rows(tile, stride);
    return seen * seen * (lanes + SPARE) + (seen + 1) * line;
}

ptrdiff_t ts_winograd_line(ptrdiff_t tile, ptrdiff_t stride, ptrdiff_t output_width, ptrdiff_t column_dilation) {
    const ptrdiff_t phase = (output_width + column_dilation - 1) / column_dilation;
    // A last vector of tiles is dealt out from, and joined to, eight tiles' columns.
    return ((phase + tile - 1) / tile * tile * stride + 2) * column_dilation + 8 * tile * stride + 2 * SPARE;
}

/// Columns 0..<m of eight tiles, which lie m apart: `columns[j][t] = line[m * t + j]`.
TS_INLINE void deal_vectors(const ptrdiff_t m, const eight *line, eight *columns) {
    const eight a = line[0], b = line[1];
    if (m == 2) {
        columns[0] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        columns[1] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    } else if (m == 3) {
        const eight c = line[2];
        columns[0] = __builtin_shufflevector(a, b, 0, 3, 6, 9, 12, 15, -1, -1);
        columns[0] = __builtin_shufflevector(columns[0], c, 0, 1, 2, 3, 4, 5, 10, 13);
        columns[1] = __builtin_shufflevector(a, b, 1, 4, 7, 10, 13, -1, -1, -1);
        columns[1] = __builtin_shufflevector(columns[1], c, 0, 1, 2, 3, 4, 8, 11, 14);
        columns[2] = __builtin_shufflevector(a, b, 2, 5, 8, 11, 14, -1, -1, -1);
        columns[2] = __builtin_shufflevector(columns[2], c, 0, 1, 2, 3, 4, 9, 12, 15);
    } else {
        const eight c = line[2], d = line[3];
        const eight e = __builtin_shufflevector(a, b, 0, 4, 8, 12, 1, 5, 9, 13);
        const eight f = __builtin_shufflevector(c, d, 0, 4, 8, 12, 1, 5, 9, 13);
        const eight g = __builtin_shufflevector(a, b, 2, 6, 10, 14, 3, 7, 11, 15);
        const eight h = __builtin_shufflevector(c, d, 2, 6, 10, 14, 3, 7, 11, 15);
        columns[0] = __builtin_shufflevector(e, f, 0, 1, 2, 3, 8, 9, 10, 11);
        columns[1] = __builtin_shufflevector(e, f, 4, 5, 6, 7, 12, 13, 14, 15);
        columns[2] = __builtin_shufflevector(g, h, 0, 1, 2, 3, 8, 9, 10, 11);
        columns[3] = __builtin_shufflevector(g, h, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Columns 0..<m + 2 of eight tiles, which lie m apart: `target[j * step + t] = line[m * t + j]`.
TS_INLINE void deal(const ptrdiff_t m, const float *line, float *target, ptrdiff_t step) {
    eight vectors[OUTPUT], columns[SIDE];
    UNROLL
    for (ptrdiff_t i = 0; i < m; i++) vectors[i] = *(const eight *)(line + 8 * i);
    deal_vectors(m, vectors, columns);
    // The last two are the first ones of the next tiles.
    UNROLL
    for (ptrdiff_t j = 0; j < 2; j++) {
        const eight next = line[8 * m + j] - (eight){0};
        columns[m + j] = __builtin_shufflevector(columns[j], next, 1, 2, 3, 4, 5, 6, 7, 8);
    }
    UNROLL
    for (ptrdiff_t j = 0; j < m + 2; j++) *(eight *)(target + j * step) = columns[j];
}

/// Columns 0...2 m of eight tiles, which lie 2 m apart.
TS_INLINE void deal_pairs(const ptrdiff_t m, const float *line, float *target, ptrdiff_t step) {
    eight even[OUTPUT], odd[OUTPUT], columns[OUTPUT];
    UNROLL
    for (ptrdiff_t i = 0; i < m; i++) {
        const eight a = *(const eight *)(line + 16 * i), b = *(const eight *)(line + 16 * i + 8);
        even[i] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        odd[i] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    }
    deal_vectors(m, even, columns);
    UNROLL
    for (ptrdiff_t j = 0; j < m; j++) *(eight *)(target + 2 * j * step) = columns[j];
    const eight next = line[16 * m] - (eight){0};
    *(eight *)(target + 2 * m * step) = __builtin_shufflevector(columns[0], next, 1, 2, 3, 4, 5, 6, 7, 8);
    deal_vectors(m, odd, columns);
    UNROLL
    for (ptrdiff_t j = 0; j < m; j++) *(eight *)(target + (2 * j + 1) * step) = columns[j];
}

/// The reverse for eight tiles' m columns of outputs: `line[m * t + j] = source[j * step + t]`.
TS_INLINE void join(const ptrdiff_t m, const float *source, ptrdiff_t step, float *line) {
    const eight a = *(const eight *)source, b = *(const eight *)(source + step);
    eight *y = (eight *)line;
    if (m == 2) {
        y[0] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        y[1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        return;
    }
    const eight c = *(const eight *)(source + 2 * step);
    if (m == 3) {
        const eight e = __builtin_shufflevector(a, b, 0, 8, -1, 1, 9, -1, 2, 10);
        const eight f = __builtin_shufflevector(a, b, -1, 3, 11, -1, 4, 12, -1, 5);
        const eight g = __builtin_shufflevector(a, b, 13, -1, 6, 14, -1, 7, 15, -1);
        y[0] = __builtin_shufflevector(e, c, 0, 1, 8, 3, 4, 9, 6, 7);
        y[1] = __builtin_shufflevector(f, c, 10, 1, 2, 11, 4, 5, 12, 7);
        y[2] = __builtin_shufflevector(g, c, 0, 13, 2, 3, 14, 5, 6, 15);
        return;
    }
    const eight d = *(const eight *)(source + 3 * step);
    const eight e = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const eight f = __builtin_shufflevector(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
    const eight g = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    const eight h = __builtin_shufflevector(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
    y[0] = __builtin_shufflevector(e, f, 0, 1, 8, 9, 2, 3, 10, 11);
    y[1] = __builtin_shufflevector(e, f, 4, 5, 12, 13, 6, 7, 14, 15);
    y[2] = __builtin_shufflevector(g, h, 0, 1, 8, 9, 2, 3, 10, 11);
    y[3] = __builtin_shufflevector(g, h, 4, 5, 12, 13, 6, 7, 14, 15);
}

/// Runs that see the same rows, from run `first` on: one, or all of a row where columns are dilated.
TS_INLINE ptrdiff_t band_end(const ts_winograd *w, ptrdiff_t first) {
    ptrdiff_t end = first + 1;
    if (w->column_dilation > 1)
        while (end < w->run_count && w->runs[end].row == w->runs[first].row) end++;
    return end;
}

#define TILE_SOURCE "winograd_tile.h"
#include "tile_sets.h"

static const struct {
    void (*input)(const ts_winograd *, const ts_planes *, float *, float *, const ts_winograd_order *);
    void (*output)(const ts_winograd *, const float *, ptrdiff_t, const ts_winograd_end *, float *, float *);
    void (*weights)(ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, float *, ptrdiff_t, ptrdiff_t);
} kernels[] = {
    {ts_winograd_input_baseline, ts_winograd_output_baseline, ts_winograd_weights_baseline},
#ifdef TS_HAS_WIDER_TILES
    {ts_winograd_input_avx2, ts_winograd_output_avx2, ts_winograd_weights_avx2},
    {ts_winograd_input_avx512, ts_winograd_output_avx512, ts_winograd_weights_avx512},
#endif
};

void ts_winograd_input(int index, const ts_winograd *winograd, ts_planes planes, float *scratch, float *target,
                       const ts_winograd_order *order) {
    const ptrdiff_t size = winograd->input_height * winograd->input_width;
    for (; planes.count > 0; planes.count--, target += order->panel) {
        kernels[index].input(winograd, &planes, scratch, target, order);
        planes.elements += size;
        planes.readable -= size;
    }
}

void ts_winograd_output(int index, const ts_winograd *winograd, const ts_tile_sums *sums, const ts_winograd_end *end,
                        float *scratch, float *planes) {
    const ptrdiff_t size = winograd->output_height * winograd->output_width;
    for (ptrdiff_t i = 0; i < sums->count; i++) {
        const ts_winograd_end one = end_of_channel(end, sums, i, size);
        kernels[index].output(winograd, sums->elements + i * sums->channel_step, sums->step, &one, scratch, planes + i * size);
    }
}

void ts_winograd_weights(int index, ptrdiff_t tile, ptrdiff_t stride, const float *taps, ptrdiff_t tap_step,
                         ptrdiff_t ahead, ptrdiff_t count, float *target, ptrdiff_t step, ptrdiff_t parity_step) {
    kernels[index].weights(tile, stride, taps, tap_step, ahead, count, target, step, parity_step);
}

// Along rows only. Points are ½, -½, 1, -1, 2, -2 and ∞.

enum { POINTS = TS_WINOGRAD_ROW_POINTS, ROW_TILE = 4, ROW_STEP = 2 * ROW_TILE };

ptrdiff_t ts_winograd_row_line(ptrdiff_t lanes) { return ROW_STEP * lanes + SPARE; }

TS_INLINE void row_points(const eight *x, eight *y) {
    const eight odd_a = x[5] - 5.0f * x[3] + 4.0f * x[1], even_a = 0.5f * (x[4] - 5.0f * x[2] + 4.0f * x[0]);
    const eight odd_b = x[5] - 4.25f * x[3] + x[1], even_b = x[4] - 4.25f * x[2] + x[0];
    const eight odd_c = x[5] - 1.25f * x[3] + 0.25f * x[1], even_c = 2.0f * (x[4] - 1.25f * x[2] + 0.25f * x[0]);
    y[0] = odd_a + even_a;
    y[1] = odd_a - even_a;
    y[2] = odd_b + even_b;
    y[3] = odd_b - even_b;
    y[4] = odd_c + even_c;
    y[5] = odd_c - even_c;
    y[6] = x[6] - x[0] + 5.25f * (x[2] - x[4]);
}

/// One parity of eight tiles: what four vectors and the elements behind them become.
TS_INLINE void row_tiles(const eight *vectors, const float *behind, float *target, ptrdiff_t step) {
    eight x[POINTS], y[POINTS];
    deal_vectors(ROW_TILE, vectors, x);
    UNROLL
    for (ptrdiff_t j = 0; j + ROW_TILE < POINTS; j++) {
        const eight next = behind[2 * j] - (eight){0};
        x[ROW_TILE + j] = __builtin_shufflevector(x[j], next, 1, 2, 3, 4, 5, 6, 7, 8);
    }
    row_points(x, y);
    UNROLL
    for (ptrdiff_t k = 0; k < POINTS; k++) *(eight *)(target + k * step) = y[k];
}

TS_SIMD
void ts_winograd_row_input(const float *row, ptrdiff_t width, ptrdiff_t begin, ptrdiff_t lanes, float *line, float *target,
                           ptrdiff_t step) {
    const ptrdiff_t length = ts_winograd_row_line(lanes);
    ptrdiff_t first = begin < 0 ? 0 : begin < length ? begin : length, from = first - begin;
    ptrdiff_t count = row && from < width ? width - from : 0;
    if (count > length - first) count = length - first;
    memset(line, 0, (size_t)first * sizeof(float));
    if (count > 0) memcpy(line + first, row + from, (size_t)count * sizeof(float));
    memset(line + first + count, 0, (size_t)(length - first - count) * sizeof(float));
    for (ptrdiff_t t = 0; t < lanes; t += 8) {
        const float *tiles = line + ROW_STEP * t;
        eight even[ROW_TILE], odd[ROW_TILE];
        UNROLL
        for (ptrdiff_t i = 0; i < ROW_TILE; i++) {
            const eight a = *(const eight *)(tiles + 16 * i), b = *(const eight *)(tiles + 16 * i + 8);
            even[i] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
            odd[i] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
        }
        row_tiles(even, tiles + 8 * ROW_STEP, target + t, step);
        row_tiles(odd, tiles + 8 * ROW_STEP + 1, target + lanes + t, step);
    }
}

TS_INLINE void row_outputs(const float *sums, ptrdiff_t step, ptrdiff_t count, const ts_winograd_end *end, float *line,
                           float *row) {
    for (ptrdiff_t t = 0; ROW_TILE * t < count; t += 8) {
        eight x[POINTS];
        float y[ROW_TILE * 8];
        UNROLL
        for (ptrdiff_t k = 0; k < POINTS; k++) x[k] = *(const eight *)(sums + k * step + t);
        const eight even_a = x[0] + x[1], odd_a = x[0] - x[1], even_b = x[2] + x[3], odd_b = x[2] - x[3];
        const eight even_c = x[4] + x[5], odd_c = x[4] - x[5];
        *(eight *)y = even_a + even_b + even_c + end->bias;
        *(eight *)(y + 8) = 0.5f * odd_a + odd_b + 2.0f * odd_c + end->bias;
        *(eight *)(y + 16) = 0.25f * even_a + even_b + 4.0f * even_c + end->bias;
        *(eight *)(y + 24) = 0.125f * odd_a + odd_b + 8.0f * odd_c + x[6] + end->bias;
        join(ROW_TILE, y, 8, line + ROW_TILE * t);
    }
    finish(end, line, count, end->residual, row);
}

TS_SIMD
void ts_winograd_row_output(const ts_tile_sums *sums, ptrdiff_t count, const ts_winograd_end *end, float *line, float *row,
                            ptrdiff_t size) {
    for (ptrdiff_t i = 0; i < sums->count; i++) {
        ts_winograd_end one = end_of_channel(end, sums, i, size);
        // A row takes less time than it takes to fetch one.
        one.ahead = i + 4 < sums->count ? 4 * size : 0;
        row_outputs(sums->elements + i * sums->channel_step, sums->step, count, &one, line, row + i * size);
    }
}

void ts_winograd_row_weights(const float *taps, ptrdiff_t count, float *target, ptrdiff_t step, ptrdiff_t parity_step) {
    static const double points[POINTS - 1] = {0.5, -0.5, 1, -1, 2, -2};
    for (ptrdiff_t parity = 0; parity < 2; parity++)
        for (ptrdiff_t k = 0; k < POINTS; k++) {
            double scale = 1, power = 1, sum = 0;
            for (ptrdiff_t other = 0; k < POINTS - 1 && other < POINTS - 1; other++)
                if (other != k) scale *= points[k] - points[other];
            for (ptrdiff_t tap = parity; tap < count; tap += 2) {
                if (k < POINTS - 1) sum += power * taps[tap];
                else if (tap / 2 == ROW_TILE - 1) sum = taps[tap];
                power *= k < POINTS - 1 ? points[k] : 1;
            }
            target[k * step + parity * parity_step] = (float)(sum / scale);
        }
}
