// Included once for each instruction set: WINOGRAD(name) names its functions, LANES is the width of its vectors.

typedef float WINOGRAD(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define lane WINOGRAD(vector)

#define HALF_ROOT 0.70710678118654752440
#define ROOT 1.41421356237309504880

// One row or column of a tile. Points of a tile of 4 are 0, √½, -√½, √2, -√2 and ∞; of one of 3, 0, ½, -1, 2 and ∞; of one
// of 2, 0, 1, -1 and ∞.

TS_INLINE void WINOGRAD(input_line)(const ptrdiff_t tile, const lane *x, lane *y) {
    if (tile == 4) {
        const lane even_a = x[4] - 2.0f * x[2], odd_a = (float)HALF_ROOT * (x[3] - 2.0f * x[1]);
        const lane even_b = x[4] - 0.5f * x[2], odd_b = (float)ROOT * (x[3] - 0.5f * x[1]);
        y[0] = x[0] - 2.5f * x[2] + x[4];
        y[1] = even_a + odd_a;
        y[2] = even_a - odd_a;
        y[3] = even_b + odd_b;
        y[4] = even_b - odd_b;
        y[5] = x[1] - 2.5f * x[3] + x[5];
    } else if (tile == 3) {
        y[0] = x[0] + x[3] - 1.5f * (x[1] + x[2]);
        y[1] = x[3] - x[2] - 2.0f * x[1];
        y[2] = x[3] + x[1] - 2.5f * x[2];
        y[3] = x[3] + 0.5f * (x[2] - x[1]);
        y[4] = x[1] + x[4] - 1.5f * (x[2] + x[3]);
    } else {
        y[0] = x[0] - x[2];
        y[1] = x[1] + x[2];
        y[2] = x[2] - x[1];
        y[3] = x[3] - x[1];
    }
}

TS_INLINE void WINOGRAD(output_line)(const ptrdiff_t tile, const lane *x, lane *y) {
    if (tile == 4) {
        const lane even_a = x[1] + x[2], odd_a = (float)HALF_ROOT * (x[1] - x[2]);
        const lane even_b = x[3] + x[4], odd_b = (float)ROOT * (x[3] - x[4]);
        y[0] = x[0] + even_a + even_b;
        y[1] = odd_a + odd_b;
        y[2] = 0.5f * even_a + 2.0f * even_b;
        y[3] = 0.5f * odd_a + 2.0f * odd_b + x[5];
    } else if (tile == 3) {
        y[0] = x[0] + x[1] + x[2] + x[3];
        y[1] = 0.5f * x[1] - x[2] + 2.0f * x[3];
        y[2] = 0.25f * x[1] + x[2] + 4.0f * x[3] + x[4];
    } else {
        y[0] = x[0] + x[1] + x[2];
        y[1] = x[1] - x[2] + x[3];
    }
}

TS_INLINE void WINOGRAD(weight_line)(const ptrdiff_t tile, lane a, lane b, lane c, lane *y) {
    y[0] = a;
    y[tile + 1] = c;
    if (tile == 4) {
        const lane even_a = (float)(-2 / 3.0) * a - (float)(1 / 3.0) * c, odd_a = (float)(HALF_ROOT / 1.5) * b;
        const lane even_b = (float)(1 / 6.0) * a + (float)(1 / 3.0) * c, odd_b = (float)(ROOT / 6) * b;
        y[1] = even_a - odd_a;
        y[2] = even_a + odd_a;
        y[3] = even_b + odd_b;
        y[4] = even_b - odd_b;
    } else if (tile == 3) {
        y[1] = (float)(-8 / 9.0) * (a + 0.5f * b + 0.25f * c);
        y[2] = (float)(-2 / 9.0) * (a - b + c);
        y[3] = (float)(1 / 9.0) * (a + 2.0f * b + 4.0f * c);
    } else {
        const lane even = 0.5f * (a + c), odd = 0.5f * b;
        y[1] = even + odd;
        y[2] = even - odd;
    }
}

/// Transforms columns of the rows that a band of tiles sees; `line` holds `side` lines of `width` columns from column `base` of
/// the input on, behind them a line of zeros.
TS_INLINE void WINOGRAD(input_rows)(const ptrdiff_t tile, const ts_winograd *w, const float *plane, ptrdiff_t readable,
                                    ptrdiff_t row, ptrdiff_t base, ptrdiff_t width, float *lines) {
    const ptrdiff_t side = tile + 2, line = w->line;
    ptrdiff_t begin = base < 0 ? -base : 0, end = w->input_width - base;
    if (end > width) end = width;
    if (begin > end) begin = end = 0;
    const float *rows[SIDE];
    ptrdiff_t left = line;
    for (ptrdiff_t i = 0; i < side; i++) {
        const ptrdiff_t y = row + i * w->row_dilation;
        const int inside = y >= 0 && y < w->input_height;
        rows[i] = inside ? plane + y * w->input_width + base : lines + side * line;
        // Vectors may read on behind a row, but not behind the input.
        if (inside && readable - y * w->input_width - base < left) left = readable - y * w->input_width - base;
    }
    for (ptrdiff_t x = begin; x < end; x += LANES) {
        lane in[SIDE], out[SIDE];
        float last[SIDE * LANES];
        if (x + LANES > left)
            for (ptrdiff_t i = 0; i < side; i++) {
                const ptrdiff_t count = end - x < LANES ? end - x : LANES;
                rows[i] = memcpy(last + i * LANES, rows[i] + x, (size_t)count * sizeof(float)) - (size_t)x * sizeof(float);
            }
        UNROLL
        for (ptrdiff_t i = 0; i < side; i++) in[i] = *(const lane *)(rows[i] + x);
        WINOGRAD(input_line)(tile, in, out);
        UNROLL
        for (ptrdiff_t i = 0; i < side; i++) *(lane *)(lines + i * line + x) = out[i];
    }
    for (ptrdiff_t i = 0; i < side; i++) {
        for (ptrdiff_t x = 0; x < begin; x++) lines[i * line + x] = 0;
        for (ptrdiff_t x = end; x < width; x++) lines[i * line + x] = 0;
    }
}

TS_INLINE void WINOGRAD(input_tiles)(const ptrdiff_t tile, const ts_winograd *w, const float *plane, ptrdiff_t readable,
                                     float *scratch, float *target, ptrdiff_t step, ptrdiff_t panel, ptrdiff_t panel_step) {
    const ptrdiff_t side = tile + 2, lanes = w->lanes, stride = lanes + SPARE, d = w->column_dilation;
    float *lines = scratch + side * side * stride;
    memset(lines + side * w->line, 0, (size_t)w->line * sizeof(float));
    for (ptrdiff_t first = 0, next; first < w->run_count; first = next) {
        next = band_end(w, first);
        const ts_tile_run *last = w->runs + next - 1;
        const ptrdiff_t base = w->runs[first].column;
        const ptrdiff_t width = last->column - base + (last->count - 1) * (d == 1 ? tile : 1) + (side - 1) * d + 1;
        WINOGRAD(input_rows)(tile, w, plane, readable, w->runs[first].row, base, width, lines);
        for (ptrdiff_t i = 0; i < side; i++)
            for (ptrdiff_t r = first; r < next; r++) {
                const ts_tile_run *run = w->runs + r;
                const float *line = lines + i * w->line + run->column - base;
                float *to = scratch + i * side * stride + run->first;
                // What is written behind a run's end is written again by the next one.
                for (ptrdiff_t t = 0; t < run->count; t += 8) {
                    if (d == 1) deal(tile, line + tile * t, to + t, stride);
                    else
                        for (ptrdiff_t j = 0; j < side; j++)
                            *(eight *)(to + j * stride + t) = *(const eight *)(line + j * d + t);
                }
            }
    }
    for (ptrdiff_t k = 0; k < side * side; k++)
        for (ptrdiff_t t = w->tiles; t < lanes; t++) scratch[k * stride + t] = 0;
    for (ptrdiff_t i = 0; i < side; i++)
        for (ptrdiff_t start = 0; start < lanes; start += panel) {
            const float *from = scratch + i * side * stride + start;
            float *to = target + i * side * step + start / panel * panel_step;
            const ptrdiff_t count = lanes - start < panel ? lanes - start : panel;
            for (ptrdiff_t t = 0; t < count; t += LANES) {
                lane in[SIDE], out[SIDE];
                UNROLL
                for (ptrdiff_t j = 0; j < side; j++) in[j] = *(const lane *)(from + j * stride + t);
                WINOGRAD(input_line)(tile, in, out);
                UNROLL
                for (ptrdiff_t j = 0; j < side; j++) *(lane *)(to + j * step + t) = out[j];
            }
        }
}

static void WINOGRAD(input)(const ts_winograd *w, const float *plane, ptrdiff_t readable, float *scratch, float *target,
                            ptrdiff_t step, ptrdiff_t panel, ptrdiff_t panel_step) {
    if (w->tile == 4) WINOGRAD(input_tiles)(4, w, plane, readable, scratch, target, step, panel, panel_step);
    else if (w->tile == 3) WINOGRAD(input_tiles)(3, w, plane, readable, scratch, target, step, panel, panel_step);
    else WINOGRAD(input_tiles)(2, w, plane, readable, scratch, target, step, panel, panel_step);
}

TS_INLINE void WINOGRAD(output_tiles)(const ptrdiff_t tile, const ts_winograd *w, const float *products, ptrdiff_t step,
                                      const ts_winograd_end *end, float *scratch, float *plane) {
    const ptrdiff_t side = tile + 2, lanes = w->lanes, stride = lanes + SPARE, d = w->column_dilation;
    for (ptrdiff_t t = 0; t < lanes; t += LANES) {
        lane rows[OUTPUT][SIDE];
        UNROLL
        for (ptrdiff_t j = 0; j < side; j++) {
            lane in[SIDE], out[OUTPUT];
            UNROLL
            for (ptrdiff_t i = 0; i < side; i++) in[i] = *(const lane *)(products + (i * side + j) * step + t);
            WINOGRAD(output_line)(tile, in, out);
            UNROLL
            for (ptrdiff_t i = 0; i < tile; i++) rows[i][j] = out[i];
        }
        UNROLL
        for (ptrdiff_t i = 0; i < tile; i++) {
            lane out[OUTPUT];
            WINOGRAD(output_line)(tile, rows[i], out);
            UNROLL
            for (ptrdiff_t j = 0; j < tile; j++) *(lane *)(scratch + (i * tile + j) * stride + t) = out[j] + end->bias;
        }
    }
    float *line = scratch + side * side * stride;
    for (ptrdiff_t first = 0, next; first < w->run_count; first = next) {
        next = band_end(w, first);
        const ptrdiff_t column = w->runs[first].output_column;
        ptrdiff_t count = w->output_width - column;
        if (d == 1 && count > tile * w->runs[first].count) count = tile * w->runs[first].count;
        for (ptrdiff_t i = 0; i < tile; i++) {
            const ptrdiff_t y = w->runs[first].output_row + i * w->row_dilation;
            if (y >= w->output_height) break;
            for (ptrdiff_t r = first; r < next; r++) {
                const ts_tile_run *run = w->runs + r;
                const float *from = scratch + i * tile * stride + run->first;
                if (d == 1)
                    for (ptrdiff_t t = 0; t < run->count; t += 8) join(tile, from + t, stride, line + tile * t);
                else
                    for (ptrdiff_t j = 0; j < tile; j++)
                        for (ptrdiff_t t = 0; t < run->count; t += 8)
                            *(eight *)(line + run->output_column - column + j * d + t) =
                                *(const eight *)(from + j * stride + t);
            }
            const ptrdiff_t start = y * w->output_width + column;
            finish(end, line, count, end->residual ? end->residual + start : NULL, plane + start);
        }
    }
}

static void WINOGRAD(output)(const ts_winograd *w, const float *products, ptrdiff_t step, const ts_winograd_end *end,
                             float *scratch, float *plane) {
    if (w->tile == 4) WINOGRAD(output_tiles)(4, w, products, step, end, scratch, plane);
    else if (w->tile == 3) WINOGRAD(output_tiles)(3, w, products, step, end, scratch, plane);
    else WINOGRAD(output_tiles)(2, w, products, step, end, scratch, plane);
}

TS_INLINE void WINOGRAD(weight_vector)(const ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, float *target,
                                       ptrdiff_t step) {
    const ptrdiff_t side = tile + 2;
    lane rows[3][SIDE];
    UNROLL
    for (ptrdiff_t a = 0; a < 3; a++) {
        const float *from = taps + 3 * a * tap_step;
        WINOGRAD(weight_line)(tile, *(const lane *)from, *(const lane *)(from + tap_step),
                              *(const lane *)(from + 2 * tap_step), rows[a]);
    }
    UNROLL
    for (ptrdiff_t j = 0; j < side; j++) {
        lane out[SIDE];
        WINOGRAD(weight_line)(tile, rows[0][j], rows[1][j], rows[2][j], out);
        UNROLL
        for (ptrdiff_t k = 0; k < side; k++) *(lane *)(target + (k * side + j) * step) = out[k];
    }
}

TS_INLINE void WINOGRAD(weight_tiles)(const ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, ptrdiff_t count,
                                      float *target, ptrdiff_t step) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) WINOGRAD(weight_vector)(tile, taps + i, tap_step, target + i, step);
    if (i == count) return;
    float source[9 * LANES], result[SIDE * SIDE * LANES];
    memset(source, 0, sizeof source);
    for (ptrdiff_t t = 0; t < 9; t++)
        memcpy(source + t * LANES, taps + t * tap_step + i, (size_t)(count - i) * sizeof(float));
    WINOGRAD(weight_vector)(tile, source, LANES, result, LANES);
    for (ptrdiff_t f = 0; f < (tile + 2) * (tile + 2); f++)
        memcpy(target + f * step + i, result + f * LANES, (size_t)(count - i) * sizeof(float));
}

static void WINOGRAD(weights)(ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, ptrdiff_t count, float *target,
                              ptrdiff_t step) {
    if (tile == 4) WINOGRAD(weight_tiles)(4, taps, tap_step, count, target, step);
    else if (tile == 3) WINOGRAD(weight_tiles)(3, taps, tap_step, count, target, step);
    else WINOGRAD(weight_tiles)(2, taps, tap_step, count, target, step);
}
#undef lane
#undef HALF_ROOT
#undef ROOT
