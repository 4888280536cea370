#include "CKernels.h"

#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

enum { LANES = 8, SIDE = 6, OUTPUT = 4 };
/// Elements that keep rows of scratch memory from falling on the same lines of a cache.
enum { PADDING = 16 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define HALF_ROOT 0.70710678118654752440
#define ROOT 1.41421356237309504880

ptrdiff_t ts_winograd_scratch(const ts_winograd *w) {
    const ptrdiff_t side = w->tile + 2;
    return side * side * (w->lanes + PADDING) + w->tile * w->lanes + side;
}

/// One row or column of a tile of 4: the polynomials' values at 0, √½, -√½, √2, -√2 and ∞.
TS_INLINE void input_4(const lane *x, ptrdiff_t from, lane *y, ptrdiff_t to) {
    const lane x0 = x[0], x1 = x[from], x2 = x[2 * from], x3 = x[3 * from], x4 = x[4 * from], x5 = x[5 * from];
    const lane even_a = x4 - 2.0f * x2, odd_a = (float)HALF_ROOT * (x3 - 2.0f * x1);
    const lane even_b = x4 - 0.5f * x2, odd_b = (float)ROOT * (x3 - 0.5f * x1);
    y[0] = x0 - 2.5f * x2 + x4;
    y[to] = even_a + odd_a;
    y[2 * to] = even_a - odd_a;
    y[3 * to] = even_b + odd_b;
    y[4 * to] = even_b - odd_b;
    y[5 * to] = x1 - 2.5f * x3 + x5;
}

TS_INLINE void input_2(const lane *x, ptrdiff_t from, lane *y, ptrdiff_t to) {
    const lane x0 = x[0], x1 = x[from], x2 = x[2 * from], x3 = x[3 * from];
    y[0] = x0 - x2;
    y[to] = x1 + x2;
    y[2 * to] = x2 - x1;
    y[3 * to] = x3 - x1;
}

TS_INLINE void output_4(const lane *x, ptrdiff_t from, lane *y, ptrdiff_t to) {
    const lane even_a = x[from] + x[2 * from], odd_a = (float)HALF_ROOT * (x[from] - x[2 * from]);
    const lane even_b = x[3 * from] + x[4 * from], odd_b = (float)ROOT * (x[3 * from] - x[4 * from]);
    y[0] = x[0] + even_a + even_b;
    y[to] = odd_a + odd_b;
    y[2 * to] = 0.5f * even_a + 2.0f * even_b;
    y[3 * to] = 0.5f * odd_a + 2.0f * odd_b + x[5 * from];
}

TS_INLINE void output_2(const lane *x, ptrdiff_t from, lane *y, ptrdiff_t to) {
    y[0] = x[0] + x[from] + x[2 * from];
    y[to] = x[from] - x[2 * from] + x[3 * from];
}

/// Columns `tile * t + j` of a line for every tile t: to `target[j * step + t]`, j in 0..<tile + 2.
TS_INLINE void split(const ptrdiff_t tile, const float *line, ptrdiff_t count, float *target, ptrdiff_t step) {
    ptrdiff_t t = 0;
    if (tile == 4)
        for (; t + LANES <= count; t += LANES)
            for (int half = 0; half < 2; half++) {
                const lane *x = (const lane *)(line + 4 * t + 4 * half);
                const lane a = __builtin_shufflevector(x[0], x[1], 0, 4, 8, 12, 1, 5, 9, 13);
                const lane b = __builtin_shufflevector(x[2], x[3], 0, 4, 8, 12, 1, 5, 9, 13);
                *(lane *)(target + (4 * half) * step + t) =
                    __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
                *(lane *)(target + (4 * half + 1) * step + t) =
                    __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
                if (half) continue;
                const lane c = __builtin_shufflevector(x[0], x[1], 2, 6, 10, 14, 3, 7, 11, 15);
                const lane d = __builtin_shufflevector(x[2], x[3], 2, 6, 10, 14, 3, 7, 11, 15);
                *(lane *)(target + 2 * step + t) = __builtin_shufflevector(c, d, 0, 1, 2, 3, 8, 9, 10, 11);
                *(lane *)(target + 3 * step + t) = __builtin_shufflevector(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
            }
    for (; t < count; t++)
        for (ptrdiff_t j = 0; j < tile + 2; j++) target[j * step + t] = line[tile * t + j];
}

/// The reverse for the columns of outputs: `line[tile * t + j] = source[j * step + t]`, j in 0..<tile.
TS_INLINE void join(const ptrdiff_t tile, const float *source, ptrdiff_t step, ptrdiff_t count, float *line) {
    ptrdiff_t t = 0;
    if (tile == 4)
        for (; t + LANES <= count; t += LANES) {
            const lane a = *(const lane *)(source + t), b = *(const lane *)(source + step + t);
            const lane c = *(const lane *)(source + 2 * step + t), d = *(const lane *)(source + 3 * step + t);
            const lane e = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            const lane f = __builtin_shufflevector(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
            const lane g = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
            const lane h = __builtin_shufflevector(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
            lane *y = (lane *)(line + 4 * t);
            y[0] = __builtin_shufflevector(e, f, 0, 1, 8, 9, 2, 3, 10, 11);
            y[1] = __builtin_shufflevector(e, f, 4, 5, 12, 13, 6, 7, 14, 15);
            y[2] = __builtin_shufflevector(g, h, 0, 1, 8, 9, 2, 3, 10, 11);
            y[3] = __builtin_shufflevector(g, h, 4, 5, 12, 13, 6, 7, 14, 15);
        }
    for (; t < count; t++)
        for (ptrdiff_t j = 0; j < tile; j++) line[tile * t + j] = source[j * step + t];
}

/// The input's rows that a run of tiles sees, one element for each column, 0 outside the input.
TS_INLINE void gather_row(const ts_winograd *w, const float *plane, ptrdiff_t row, ptrdiff_t column, ptrdiff_t count,
                          float *target) {
    if (row < 0 || row >= w->input_height) {
        memset(target, 0, (size_t)count * sizeof(float));
        return;
    }
    const float *line = plane + row * w->input_width;
    const ptrdiff_t d = w->column_dilation;
    ptrdiff_t begin = column < 0 ? (-column + d - 1) / d : 0;
    ptrdiff_t end = column >= w->input_width ? 0 : (w->input_width - column + d - 1) / d;
    if (begin > count) begin = count;
    if (end > count) end = count;
    if (end < begin) end = begin;
    for (ptrdiff_t i = 0; i < begin; i++) target[i] = 0;
    if (d == 1) memcpy(target + begin, line + column + begin, (size_t)(end - begin) * sizeof(float));
    else
        for (ptrdiff_t i = begin; i < end; i++) target[i] = line[column + i * d];
    for (ptrdiff_t i = end; i < count; i++) target[i] = 0;
}

TS_INLINE void winograd_input(const ptrdiff_t tile, const ts_winograd *w, const float *plane, float *scratch,
                              float *target, ptrdiff_t step) {
    const ptrdiff_t side = tile + 2, lanes = w->lanes, stride = lanes + PADDING;
    float *line = scratch + side * side * stride;
    for (ptrdiff_t r = 0; r < w->run_count; r++) {
        const ts_tile_run *run = w->runs + r;
        for (ptrdiff_t i = 0; i < side; i++) {
            gather_row(w, plane, run->row + i * w->row_dilation, run->column, tile * run->count + 2, line);
            split(tile, line, run->count, scratch + i * side * stride + run->first, stride);
        }
    }
    for (ptrdiff_t k = 0; k < side * side; k++)
        for (ptrdiff_t t = w->tiles; t < lanes; t++) scratch[k * stride + t] = 0;
    for (ptrdiff_t t = 0; t < lanes; t += LANES) {
        lane values[SIDE * SIDE], columns[SIDE * SIDE], results[SIDE * SIDE];
        for (ptrdiff_t k = 0; k < side * side; k++) values[k] = *(const lane *)(scratch + k * stride + t);
        for (ptrdiff_t j = 0; j < side; j++)
            tile == 4 ? input_4(values + j, side, columns + j, side) : input_2(values + j, side, columns + j, side);
        for (ptrdiff_t i = 0; i < side; i++)
            tile == 4 ? input_4(columns + i * side, 1, results + i * side, 1)
                      : input_2(columns + i * side, 1, results + i * side, 1);
        for (ptrdiff_t k = 0; k < side * side; k++) *(lane *)(target + k * step + t) = results[k];
    }
}

TS_SIMD
void ts_winograd_input(const ts_winograd *w, const float *plane, float *scratch, float *target, ptrdiff_t step) {
    if (w->tile == 4) winograd_input(4, w, plane, scratch, target, step);
    else winograd_input(2, w, plane, scratch, target, step);
}

TS_INLINE void winograd_output(const ptrdiff_t tile, const ts_winograd *w, const float *products, ptrdiff_t step,
                               float bias, const float *residual, int limits, float low, float high, float *scratch,
                               float *plane) {
    const ptrdiff_t side = tile + 2, lanes = w->lanes, stride = lanes + PADDING, d = w->column_dilation;
    for (ptrdiff_t t = 0; t < lanes; t += LANES) {
        lane values[SIDE * SIDE], rows[OUTPUT * SIDE], results[OUTPUT * OUTPUT];
        for (ptrdiff_t k = 0; k < side * side; k++) values[k] = *(const lane *)(products + k * step + t);
        for (ptrdiff_t j = 0; j < side; j++)
            tile == 4 ? output_4(values + j, side, rows + j, side) : output_2(values + j, side, rows + j, side);
        for (ptrdiff_t i = 0; i < tile; i++)
            tile == 4 ? output_4(rows + i * side, 1, results + i * tile, 1)
                      : output_2(rows + i * side, 1, results + i * tile, 1);
        for (ptrdiff_t k = 0; k < tile * tile; k++) *(lane *)(scratch + k * stride + t) = results[k] + bias;
    }
    float *line = scratch + side * side * stride;
    for (ptrdiff_t r = 0; r < w->run_count; r++) {
        const ts_tile_run *run = w->runs + r;
        ptrdiff_t count = (w->output_width - run->output_column + d - 1) / d;
        if (count > tile * run->count) count = tile * run->count;
        for (ptrdiff_t i = 0; i < tile; i++) {
            const ptrdiff_t y = run->output_row + i * w->row_dilation;
            if (y >= w->output_height) break;
            join(tile, scratch + i * tile * stride + run->first, stride, run->count, line);
            const ptrdiff_t start = y * w->output_width + run->output_column;
            if (residual) {
                if (d == 1)
                    for (ptrdiff_t x = 0; x < count; x++) line[x] += residual[start + x];
                else
                    for (ptrdiff_t x = 0; x < count; x++) line[x] += residual[start + x * d];
            }
            if (limits)
                for (ptrdiff_t x = 0; x < count; x++) {
                    const float value = line[x] < low ? low : line[x];
                    line[x] = value > high ? high : value;
                }
            if (d == 1) memcpy(plane + start, line, (size_t)count * sizeof(float));
            else
                for (ptrdiff_t x = 0; x < count; x++) plane[start + x * d] = line[x];
        }
    }
}

TS_SIMD
void ts_winograd_output(const ts_winograd *w, const float *products, ptrdiff_t step, float bias, const float *residual,
                        int limits, float low, float high, float *scratch, float *plane) {
    if (w->tile == 4) winograd_output(4, w, products, step, bias, residual, limits, low, high, scratch, plane);
    else winograd_output(2, w, products, step, bias, residual, limits, low, high, scratch, plane);
}

void ts_winograd_weights(ptrdiff_t tile, const float *weights, float *target, ptrdiff_t step) {
    static const double four[SIDE][3] = {
        {1, 0, 0},
        {-1 / 1.5, -HALF_ROOT / 1.5, -0.5 / 1.5},
        {-1 / 1.5, HALF_ROOT / 1.5, -0.5 / 1.5},
        {1 / 6.0, ROOT / 6, 2 / 6.0},
        {1 / 6.0, -ROOT / 6, 2 / 6.0},
        {0, 0, 1},
    };
    static const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    const double(*g)[3] = tile == 4 ? four : two;
    const ptrdiff_t side = tile + 2;
    double rows[SIDE][3];
    for (ptrdiff_t i = 0; i < side; i++)
        for (int j = 0; j < 3; j++)
            rows[i][j] = g[i][0] * weights[j] + g[i][1] * weights[3 + j] + g[i][2] * weights[6 + j];
    for (ptrdiff_t i = 0; i < side; i++)
        for (ptrdiff_t j = 0; j < side; j++)
            target[(i * side + j) * step] = (float)(rows[i][0] * g[j][0] + rows[i][1] * g[j][1] + rows[i][2] * g[j][2]);
}
