// Included once for each instruction set by tile_sets.h.

#define lane TILE(vector)

#define HALF_ROOT 0.70710678118654752440
#define ROOT 1.41421356237309504880

// One row or column of a tile. Points of a tile of 4 are 0, √½, -√½, √2, -√2 and ∞; of one of 3, 0, ½, -1, 2 and ∞; of one
// of 2, 0, 1, -1 and ∞. Where windows move by 2 a tile of 3 has the points 0, 1, ∞ and -1, and what even and what odd
// elements become follow one another.

TS_INLINE void TILE(input_line)(const ptrdiff_t tile, const ptrdiff_t stride, const lane *x, lane *y) {
    if (stride == 2) {
        y[0] = x[0] - x[4];
        y[1] = x[2] + x[4];
        y[2] = x[6] - x[2];
        y[3] = x[4] - x[2];
        y[4] = x[1] - x[3];
        y[5] = x[3];
        y[6] = x[5] - x[3];
    } else if (tile == 4) {
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

TS_INLINE void TILE(output_line)(const ptrdiff_t tile, const ptrdiff_t stride, const lane *x, lane *y) {
    if (stride == 2) {
        y[0] = x[0] + x[1] + x[3];
        y[1] = x[1] - x[3];
        y[2] = x[1] + x[2] + x[3];
    } else if (tile == 4) {
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

TS_INLINE void TILE(weight_line)(const ptrdiff_t tile, lane a, lane b, lane c, lane *y) {
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

/// Transforms columns of the rows that a band of tiles sees; `line` holds `seen` lines of `width` columns from column `base` of
/// the input on, behind them a line of zeros. Fetches what the next plane has there.
TS_INLINE void TILE(input_rows)(const ptrdiff_t tile, const ptrdiff_t stride, const ts_winograd *w, const ts_planes *planes,
                                ptrdiff_t row, ptrdiff_t base, ptrdiff_t width, float *lines) {
    const ptrdiff_t seen = seen_rows(tile, stride), line = w->line;
    ptrdiff_t begin = base < 0 ? -base : 0, end = w->input_width - base;
    if (end > width) end = width;
    if (begin > end) begin = end = 0;
    const ptrdiff_t ahead = planes->count > 1 ? w->input_height * w->input_width : 0;
    const float *rows[SEEN];
    ptrdiff_t left = line;
    for (ptrdiff_t i = 0; i < seen; i++) {
        const ptrdiff_t y = row + i * w->row_dilation;
        const int inside = y >= 0 && y < w->input_height;
        rows[i] = inside ? planes->elements + y * w->input_width + base : lines + seen * line;
        // Vectors may read on behind a row, but not behind the input.
        const ptrdiff_t readable = planes->readable - y * w->input_width - base;
        if (inside && readable < left) left = readable;
    }
    for (ptrdiff_t x = begin; x < end; x += TILE_LANES) {
        lane in[SEEN], out[SEEN];
        float last[SEEN * TILE_LANES];
        if (x + TILE_LANES > left)
            for (ptrdiff_t i = 0; i < seen; i++) {
                const ptrdiff_t count = end - x < TILE_LANES ? end - x : TILE_LANES;
                rows[i] = memcpy(last + i * TILE_LANES, rows[i] + x, (size_t)count * sizeof(float)) - (size_t)x * sizeof(float);
            }
        UNROLL
        for (ptrdiff_t i = 0; i < seen; i++) {
            in[i] = *(const lane *)(rows[i] + x);
            __builtin_prefetch(rows[i] + x + ahead);
        }
        TILE(input_line)(tile, stride, in, out);
        UNROLL
        for (ptrdiff_t i = 0; i < seen; i++) *(lane *)(lines + i * line + x) = out[i];
    }
    for (ptrdiff_t i = 0; i < seen; i++) {
        for (ptrdiff_t x = 0; x < begin; x++) lines[i * line + x] = 0;
        for (ptrdiff_t x = end; x < width; x++) lines[i * line + x] = 0;
    }
}

/// Where row i and column j of a transformed tile go.
TS_INLINE ptrdiff_t TILE(place)(const ptrdiff_t stride, const ptrdiff_t side, ptrdiff_t i, ptrdiff_t j,
                                const ts_winograd_order *order) {
    if (stride == 1) return (i * side + j) * order->step;
    const ptrdiff_t parity = i < side ? j < side : 3 - (j < side);
    return (i % side * side + j % side) * order->step + parity * order->parity_step;
}

TS_INLINE void TILE(input_tiles)(const ptrdiff_t tile, const ptrdiff_t stride, const ts_winograd *w, const ts_planes *planes, float *scratch, float *target, const ts_winograd_order *order) {
    const ptrdiff_t seen = seen_rows(tile, stride), side = tile + 3 - stride, distance = tile * stride;
    const ptrdiff_t lanes = w->lanes, step = lanes + SPARE, d = w->column_dilation, panel = order->panel;
    float *lines = scratch + seen * seen * step;
    memset(lines + seen * w->line, 0, (size_t)w->line * sizeof(float));
    for (ptrdiff_t first = 0, next; first < w->run_count; first = next) {
        next = band_end(w, first);
        const ts_tile_run *last = w->runs + next - 1;
        const ptrdiff_t base = w->runs[first].column;
        const ptrdiff_t width = last->column - base + (last->count - 1) * (d == 1 ? distance : 1) + (seen - 1) * d + 1;
        TILE(input_rows)(tile, stride, w, planes, w->runs[first].row, base, width, lines);
        for (ptrdiff_t i = 0; i < seen; i++)
            for (ptrdiff_t r = first; r < next; r++) {
                const ts_tile_run *run = w->runs + r;
                const float *line = lines + i * w->line + run->column - base;
                float *to = scratch + i * seen * step + run->first;
                // What is written behind a run's end is written again by the next one.
                for (ptrdiff_t t = 0; t < run->count; t += 8) {
                    if (stride == 2) deal_pairs(tile, line + distance * t, to + t, step);
                    else if (d == 1) deal(tile, line + distance * t, to + t, step);
                    else
                        for (ptrdiff_t j = 0; j < seen; j++)
                            *(eight *)(to + j * step + t) = *(const eight *)(line + j * d + t);
                }
            }
    }
    for (ptrdiff_t k = 0; k < seen * seen; k++)
        for (ptrdiff_t t = w->tiles; t < lanes; t++) scratch[k * step + t] = 0;
    for (ptrdiff_t i = 0; i < seen; i++)
        for (ptrdiff_t start = 0; start < lanes; start += panel) {
            const float *from = scratch + i * seen * step + start;
            float *to = target + start / panel * order->panel_step;
            const ptrdiff_t count = lanes - start < panel ? lanes - start : panel;
            for (ptrdiff_t t = 0; t < count; t += TILE_LANES) {
                lane in[SEEN], out[SEEN];
                UNROLL
                for (ptrdiff_t j = 0; j < seen; j++) in[j] = *(const lane *)(from + j * step + t);
                TILE(input_line)(tile, stride, in, out);
                UNROLL
                for (ptrdiff_t j = 0; j < seen; j++) *(lane *)(to + TILE(place)(stride, side, i, j, order) + t) = out[j];
            }
        }
}

static void TILE(winograd_input)(const ts_winograd *w, const ts_planes *planes, float *scratch,
                                 float *target, const ts_winograd_order *order) {
    if (w->stride == 2) TILE(input_tiles)(3, 2, w, planes, scratch, target, order);
    else if (w->tile == 4) TILE(input_tiles)(4, 1, w, planes, scratch, target, order);
    else if (w->tile == 3) TILE(input_tiles)(3, 1, w, planes, scratch, target, order);
    else TILE(input_tiles)(2, 1, w, planes, scratch, target, order);
}

TS_INLINE void TILE(output_tiles)(const ptrdiff_t tile, const ptrdiff_t stride, const ts_winograd *w, const float *products,
                                  ptrdiff_t step, const ts_winograd_end *end, float *scratch, float *plane) {
    const ptrdiff_t side = tile + 3 - stride, lanes = w->lanes, tile_step = lanes + SPARE, d = w->column_dilation;
    for (ptrdiff_t t = 0; t < lanes; t += TILE_LANES) {
        lane rows[OUTPUT][SIDE];
        UNROLL
        for (ptrdiff_t j = 0; j < side; j++) {
            lane in[SIDE], out[OUTPUT];
            UNROLL
            for (ptrdiff_t i = 0; i < side; i++) in[i] = *(const lane *)(products + (i * side + j) * step + t);
            TILE(output_line)(tile, stride, in, out);
            UNROLL
            for (ptrdiff_t i = 0; i < tile; i++) rows[i][j] = out[i];
        }
        UNROLL
        for (ptrdiff_t i = 0; i < tile; i++) {
            lane out[OUTPUT];
            TILE(output_line)(tile, stride, rows[i], out);
            UNROLL
            for (ptrdiff_t j = 0; j < tile; j++) *(lane *)(scratch + (i * tile + j) * tile_step + t) = out[j] + end->bias;
        }
    }
    float *line = scratch + side * side * tile_step;
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
                const float *from = scratch + i * tile * tile_step + run->first;
                if (d == 1)
                    for (ptrdiff_t t = 0; t < run->count; t += 8) join(tile, from + t, tile_step, line + tile * t);
                else
                    for (ptrdiff_t j = 0; j < tile; j++)
                        for (ptrdiff_t t = 0; t < run->count; t += 8)
                            *(eight *)(line + run->output_column - column + j * d + t) =
                                *(const eight *)(from + j * tile_step + t);
            }
            const ptrdiff_t start = y * w->output_width + column;
            finish(end, line, count, end->residual ? end->residual + start : NULL, plane + start);
        }
    }
}

static void TILE(winograd_output)(const ts_winograd *w, const float *products, ptrdiff_t step, const ts_winograd_end *end,
                                  float *scratch, float *plane) {
    if (w->stride == 2) TILE(output_tiles)(3, 2, w, products, step, end, scratch, plane);
    else if (w->tile == 4) TILE(output_tiles)(4, 1, w, products, step, end, scratch, plane);
    else if (w->tile == 3) TILE(output_tiles)(3, 1, w, products, step, end, scratch, plane);
    else TILE(output_tiles)(2, 1, w, products, step, end, scratch, plane);
}

TS_INLINE void TILE(weight_vector)(const ptrdiff_t tile, const float *taps, ptrdiff_t tap_step, float *target,
                                   ptrdiff_t step) {
    const ptrdiff_t side = tile + 2;
    lane rows[3][SIDE];
    UNROLL
    for (ptrdiff_t a = 0; a < 3; a++) {
        const float *from = taps + 3 * a * tap_step;
        TILE(weight_line)(tile, *(const lane *)from, *(const lane *)(from + tap_step),
                              *(const lane *)(from + 2 * tap_step), rows[a]);
    }
    UNROLL
    for (ptrdiff_t j = 0; j < side; j++) {
        lane out[SIDE];
        TILE(weight_line)(tile, rows[0][j], rows[1][j], rows[2][j], out);
        UNROLL
        for (ptrdiff_t k = 0; k < side; k++) *(lane *)(target + (k * side + j) * step) = out[k];
    }
}

TS_INLINE void TILE(even_taps)(lane a, lane c, lane *y) {
    y[0] = a;
    y[1] = 0.5f * (a + c);
    y[2] = c;
    y[3] = 0.5f * (a - c);
}

/// The same where windows move by 2: what one tap multiplies is the same at three points.
TS_INLINE void TILE(parity_vector)(const float *taps, ptrdiff_t tap_step, float *target, ptrdiff_t step,
                                   ptrdiff_t parity_step) {
    enum { POINTS = 4 };
    lane w[9], left[POINTS], right[POINTS], middle[POINTS], out[POINTS];
    UNROLL
    for (ptrdiff_t t = 0; t < 9; t++) w[t] = *(const lane *)(taps + t * tap_step);
    TILE(even_taps)(w[0], w[6], left);
    TILE(even_taps)(w[2], w[8], right);
    TILE(even_taps)(w[1], w[7], middle);
    UNROLL
    for (ptrdiff_t k = 0; k < POINTS; k++) {
        float *row = target + k * POINTS * step;
        UNROLL
        for (ptrdiff_t j = 0; j + 1 < POINTS; j++) *(lane *)(row + j * step) = middle[k];
        TILE(even_taps)(left[k], right[k], out);
        UNROLL
        for (ptrdiff_t j = 0; j < POINTS; j++) *(lane *)(row + j * step + parity_step) = out[j];
    }
    TILE(even_taps)(w[3], w[5], out);
    UNROLL
    for (ptrdiff_t k = 0; k + 1 < POINTS; k++) {
        float *row = target + k * POINTS * step;
        UNROLL
        for (ptrdiff_t j = 0; j < POINTS; j++) *(lane *)(row + j * step + 2 * parity_step) = out[j];
        UNROLL
        for (ptrdiff_t j = 0; j + 1 < POINTS; j++) *(lane *)(row + j * step + 3 * parity_step) = w[4];
    }
}

TS_INLINE void TILE(weight_tiles)(const ptrdiff_t tile, const ptrdiff_t stride, const float *taps, ptrdiff_t tap_step, ptrdiff_t ahead,
                                  ptrdiff_t count, float *target, ptrdiff_t step, ptrdiff_t parity_step) {
    const ptrdiff_t side = tile + 3 - stride, parities = stride == 1 ? 1 : TS_WINOGRAD_PARITIES;
    ptrdiff_t i = 0;
    for (; i + TILE_LANES <= count; i += TILE_LANES) {
        UNROLL
        for (ptrdiff_t t = 0; t < 9; t++) __builtin_prefetch(taps + i + t * tap_step + ahead);
        if (stride == 1) TILE(weight_vector)(tile, taps + i, tap_step, target + i, step);
        else TILE(parity_vector)(taps + i, tap_step, target + i, step, parity_step);
    }
    if (i == count) return;
    float source[9 * TILE_LANES], result[TS_WINOGRAD_PARITIES * SIDE * SIDE * TILE_LANES] = {0};
    memset(source, 0, sizeof source);
    for (ptrdiff_t t = 0; t < 9; t++)
        memcpy(source + t * TILE_LANES, taps + t * tap_step + i, (size_t)(count - i) * sizeof(float));
    if (stride == 1) TILE(weight_vector)(tile, source, TILE_LANES, result, TILE_LANES);
    else TILE(parity_vector)(source, TILE_LANES, result, parities * TILE_LANES, TILE_LANES);
    for (ptrdiff_t f = 0; f < side * side; f++)
        for (ptrdiff_t p = 0; p < parities; p++)
            memcpy(target + f * step + p * parity_step + i, result + (f * parities + p) * TILE_LANES,
                   (size_t)(count - i) * sizeof(float));
}

static void TILE(winograd_weights)(ptrdiff_t tile, ptrdiff_t stride, const float *taps, ptrdiff_t tap_step, ptrdiff_t ahead, ptrdiff_t count,
                                   float *target, ptrdiff_t step, ptrdiff_t parity_step) {
    if (stride == 2) TILE(weight_tiles)(3, 2, taps, tap_step, ahead, count, target, step, parity_step);
    else if (tile == 4) TILE(weight_tiles)(4, 1, taps, tap_step, ahead, count, target, step, parity_step);
    else if (tile == 3) TILE(weight_tiles)(3, 1, taps, tap_step, ahead, count, target, step, parity_step);
    else TILE(weight_tiles)(2, 1, taps, tap_step, ahead, count, target, step, parity_step);
}
#undef lane
#undef HALF_ROOT
#undef ROOT
