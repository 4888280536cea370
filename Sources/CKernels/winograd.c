#include "CKernels.h"

#include "tile_rows.h"

enum { SIDE = 6, OUTPUT = 4 };

ptrdiff_t ts_winograd_scratch(ptrdiff_t tile, ptrdiff_t lanes, ptrdiff_t line) {
    const ptrdiff_t side = tile + 2;
    return side * side * (lanes + SPARE) + (side + 1) * line;
}

ptrdiff_t ts_winograd_line(ptrdiff_t tile, ptrdiff_t output_width, ptrdiff_t column_dilation) {
    const ptrdiff_t phase = (output_width + column_dilation - 1) / column_dilation;
    // A last vector of tiles is dealt out from, and joined to, eight tiles' columns.
    return ((phase + tile - 1) / tile * tile + 2) * column_dilation + 8 * tile + 2 * SPARE;
}

/// Columns 0..<m + 2 of eight tiles, which lie m apart: `target[j * step + t] = line[m * t + j]`.
TS_INLINE void deal(const ptrdiff_t m, const float *line, float *target, ptrdiff_t step) {
    const eight a = *(const eight *)line, b = *(const eight *)(line + 8);
    eight columns[SIDE];
    if (m == 2) {
        columns[0] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        columns[1] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    } else if (m == 3) {
        const eight c = *(const eight *)(line + 16);
        columns[0] = __builtin_shufflevector(a, b, 0, 3, 6, 9, 12, 15, -1, -1);
        columns[0] = __builtin_shufflevector(columns[0], c, 0, 1, 2, 3, 4, 5, 10, 13);
        columns[1] = __builtin_shufflevector(a, b, 1, 4, 7, 10, 13, -1, -1, -1);
        columns[1] = __builtin_shufflevector(columns[1], c, 0, 1, 2, 3, 4, 8, 11, 14);
        columns[2] = __builtin_shufflevector(a, b, 2, 5, 8, 11, 14, -1, -1, -1);
        columns[2] = __builtin_shufflevector(columns[2], c, 0, 1, 2, 3, 4, 9, 12, 15);
    } else {
        const eight c = *(const eight *)(line + 16), d = *(const eight *)(line + 24);
        const eight e = __builtin_shufflevector(a, b, 0, 4, 8, 12, 1, 5, 9, 13);
        const eight f = __builtin_shufflevector(c, d, 0, 4, 8, 12, 1, 5, 9, 13);
        const eight g = __builtin_shufflevector(a, b, 2, 6, 10, 14, 3, 7, 11, 15);
        const eight h = __builtin_shufflevector(c, d, 2, 6, 10, 14, 3, 7, 11, 15);
        columns[0] = __builtin_shufflevector(e, f, 0, 1, 2, 3, 8, 9, 10, 11);
        columns[1] = __builtin_shufflevector(e, f, 4, 5, 6, 7, 12, 13, 14, 15);
        columns[2] = __builtin_shufflevector(g, h, 0, 1, 2, 3, 8, 9, 10, 11);
        columns[3] = __builtin_shufflevector(g, h, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    // The last two are the first ones of the next tiles.
    UNROLL
    for (ptrdiff_t j = 0; j < 2; j++) {
        const eight next = line[8 * m + j] - (eight){0};
        columns[m + j] = __builtin_shufflevector(columns[j], next, 1, 2, 3, 4, 5, 6, 7, 8);
    }
    UNROLL
    for (ptrdiff_t j = 0; j < m + 2; j++) *(eight *)(target + j * step) = columns[j];
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

#define WINOGRAD(name) ts_winograd_##name##_baseline
#define LANES 4
#include "winograd_tile.h"
#undef WINOGRAD
#undef LANES

#if defined(__x86_64__) && defined(__linux__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define WINOGRAD(name) ts_winograd_##name##_avx2
#define LANES 8
#include "winograd_tile.h"
#undef WINOGRAD
#undef LANES
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define WINOGRAD(name) ts_winograd_##name##_avx512
#define LANES 16
#include "winograd_tile.h"
#undef WINOGRAD
#undef LANES
#pragma clang attribute pop
#endif

static const struct {
    void (*input)(const ts_winograd *, const float *, ptrdiff_t, float *, float *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
    void (*output)(const ts_winograd *, const float *, ptrdiff_t, const ts_winograd_end *, float *, float *);
    void (*weights)(ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t, float *, ptrdiff_t);
} kernels[] = {
    {ts_winograd_input_baseline, ts_winograd_output_baseline, ts_winograd_weights_baseline},
#if defined(__x86_64__) && defined(__linux__)
    {ts_winograd_input_avx2, ts_winograd_output_avx2, ts_winograd_weights_avx2},
    {ts_winograd_input_avx512, ts_winograd_output_avx512, ts_winograd_weights_avx512},
#endif
};

void ts_winograd_input(int index, const ts_winograd *winograd, const float *plane, ptrdiff_t readable, float *scratch,
                       float *target, ptrdiff_t step, ptrdiff_t panel, ptrdiff_t panel_step) {
    kernels[index].input(winograd, plane, readable, scratch, target, step, panel, panel_step);
}

void ts_winograd_output(int index, const ts_winograd *winograd, const float *products, ptrdiff_t step,
                        const ts_winograd_end *end, float *scratch, float *plane) {
    kernels[index].output(winograd, products, step, end, scratch, plane);
}

void ts_winograd_weights(int index, ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, ptrdiff_t count, float *target,
                         ptrdiff_t step) {
    kernels[index].weights(tile, taps, tap_step, count, target, step);
}
