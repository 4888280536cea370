// Included once for each instruction set by tile_sets.h.

#define lane TILE(vector)

/// `sum + factor * x`, where a factor of 0 costs nothing.
TS_INLINE lane TILE(add)(lane sum, float factor, lane x) { return factor == 0 ? sum : sum + factor * x; }

/// Fourier transform of a line whose last point is 0. Points k and -k are taken together.
TS_INLINE void TILE(fourier)(const ptrdiff_t points, const lane *x, ptrdiff_t step, lane *y) {
    const ptrdiff_t pairs = (points - 1) / 2, real = 2 - points % 2;
    lane even[4], odd[4];
    UNROLL
    for (ptrdiff_t i = 1; i <= pairs; i++) {
        const lane last = i == 1 ? (lane){0} : x[(points - i) * step];
        even[i] = x[i * step] + last;
        odd[i] = x[i * step] - last;
    }
    const lane middle = real == 2 ? x[points / 2 * step] : (lane){0};
    y[0] = x[0] + middle;
    if (real == 2) y[1] = points % 4 == 0 ? x[0] + middle : x[0] - middle;
    UNROLL
    for (ptrdiff_t i = 1; i <= pairs; i++) {
        y[0] += even[i];
        if (real == 2) y[1] = TILE(add)(y[1], i % 2 == 0 ? 1 : -1, even[i]);
    }
    UNROLL
    for (ptrdiff_t k = 1; k <= pairs; k++) {
        lane re = k % 2 == 0 ? x[0] + middle : x[0] - middle, im = {0};
        UNROLL
        for (ptrdiff_t i = 1; i <= pairs; i++) {
            re = TILE(add)(re, cosines[points][k * i % points], even[i]);
            im = TILE(add)(im, -sines[points][k * i % points], odd[i]);
        }
        y[real + 2 * k - 2] = re;
        y[real + 2 * k - 1] = im;
    }
}

/// The reverse, but for the last point and factors that are in the weights.
TS_INLINE void TILE(fourier_back)(const ptrdiff_t points, const lane *x, lane *y, ptrdiff_t step) {
    const ptrdiff_t pairs = (points - 1) / 2, real = 2 - points % 2;
    lane first = x[0], middle = x[0];
    if (real == 2) {
        first += x[1];
        middle = TILE(add)(middle, points % 4 == 0 ? 1 : -1, x[1]);
    }
    UNROLL
    for (ptrdiff_t k = 1; k <= pairs; k++) {
        first += x[real + 2 * k - 2];
        middle = TILE(add)(middle, k % 2 == 0 ? 1 : -1, x[real + 2 * k - 2]);
    }
    y[0] = first;
    if (real == 2) y[points / 2 * step] = middle;
    UNROLL
    for (ptrdiff_t i = 1; i <= pairs; i++) {
        lane even = x[0], odd = {0};
        if (real == 2) even = TILE(add)(even, i % 2 == 0 ? 1 : -1, x[1]);
        UNROLL
        for (ptrdiff_t k = 1; k <= pairs; k++) {
            even = TILE(add)(even, cosines[points][k * i % points], x[real + 2 * k - 2]);
            odd = TILE(add)(odd, sines[points][k * i % points], x[real + 2 * k - 1]);
        }
        y[i * step] = even - odd;
        if (i > 1) y[(points - i) * step] = even + odd;
    }
}

TS_INLINE void TILE(fourier_weights)(const ptrdiff_t points, lane a, lane b, lane c, lane *y) {
    const ptrdiff_t pairs = (points - 1) / 2, real = 2 - points % 2;
    const float factor = 1.0f / (float)points;
    const lane even = factor * (a + c), odd = factor * (c - a), middle = factor * b;
    y[0] = middle + even;
    if (real == 2) y[1] = middle - even;
    UNROLL
    for (ptrdiff_t k = 1; k <= pairs; k++) {
        y[real + 2 * k - 2] = TILE(add)(2.0f * middle, 2.0f * cosines[points][k], even);
        y[real + 2 * k - 1] = 2.0f * sines[points][k] * odd;
    }
}

/// Components of a line.
TS_INLINE void TILE(input_line)(ptrdiff_t extent, const lane *x, ptrdiff_t step, lane *y) {
    switch (extent) {
    case 1: y[0] = x[0]; break;
    case 2:
        y[0] = x[0] + x[step];
        y[1] = x[step];
        y[2] = x[0];
        break;
    case 3: TILE(fourier)(4, x, step, y); break;
    case 4: TILE(fourier)(5, x, step, y); break;
    case 5: TILE(fourier)(6, x, step, y); break;
    case 6: TILE(fourier)(7, x, step, y); break;
    default: TILE(fourier)(8, x, step, y); break;
    }
}

TS_INLINE void TILE(output_line)(ptrdiff_t extent, const lane *x, lane *y, ptrdiff_t step) {
    switch (extent) {
    case 1: y[0] = x[0]; break;
    case 2:
        y[0] = x[0] + x[1];
        y[step] = x[0] + x[2];
        break;
    case 3: TILE(fourier_back)(4, x, y, step); break;
    case 4: TILE(fourier_back)(5, x, y, step); break;
    case 5: TILE(fourier_back)(6, x, y, step); break;
    case 6: TILE(fourier_back)(7, x, y, step); break;
    default: TILE(fourier_back)(8, x, y, step); break;
    }
}

TS_INLINE void TILE(weight_line)(ptrdiff_t extent, lane a, lane b, lane c, lane *y) {
    switch (extent) {
    case 1: y[0] = b; break;
    case 2:
        y[0] = b;
        y[1] = c - b;
        y[2] = a - b;
        break;
    case 3: TILE(fourier_weights)(4, a, b, c, y); break;
    case 4: TILE(fourier_weights)(5, a, b, c, y); break;
    case 5: TILE(fourier_weights)(6, a, b, c, y); break;
    case 6: TILE(fourier_weights)(7, a, b, c, y); break;
    default: TILE(fourier_weights)(8, a, b, c, y); break;
    }
}

// A complex product (c + di)(a + bi) = p - r + (p + q)i by p = c(a + b), q = (d - c)a and r = (c + d)b.

TS_INLINE float *TILE(store)(float *target, ptrdiff_t step, lane x) {
    *(lane *)target = x;
    return target + step;
}

TS_INLINE float *TILE(store_input)(float *target, ptrdiff_t step, lane a, lane b) {
    target = TILE(store)(target, step, a + b);
    target = TILE(store)(target, step, a);
    return TILE(store)(target, step, b);
}

TS_INLINE float *TILE(store_weights)(float *target, ptrdiff_t step, lane c, lane d) {
    target = TILE(store)(target, step, c);
    target = TILE(store)(target, step, d - c);
    return TILE(store)(target, step, c + d);
}

TS_INLINE const float *TILE(load_product)(const float *source, ptrdiff_t step, lane *re, lane *im) {
    const lane p = *(const lane *)source;
    *re = p - *(const lane *)(source + 2 * step);
    *im = p + *(const lane *)(source + step);
    return source + 3 * step;
}

// Components of columns and rows, `x[column component][row component]`. Those that are complex along both axes, with the
// units i and j, are taken apart by j = i and j = -i.

TS_INLINE void TILE(store_tile)(const int weights, components columns, components rows, lane (*x)[COMPONENTS],
                                float *target, ptrdiff_t step) {
    const ptrdiff_t width = columns.real + 2 * columns.complex, height = rows.real + 2 * rows.complex;
#define STORE(a, b)                                                  \
    target = weights ? TILE(store_weights)(target, step, (a), (b)) : TILE(store_input)(target, step, (a), (b))
    UNROLL
    for (ptrdiff_t j = 0; j < columns.real; j++) {
        UNROLL
        for (ptrdiff_t i = 0; i < rows.real; i++) target = TILE(store)(target, step, x[j][i]);
        UNROLL
        for (ptrdiff_t i = rows.real; i < height; i += 2) STORE(x[j][i], x[j][i + 1]);
    }
    UNROLL
    for (ptrdiff_t j = columns.real; j < width; j += 2) {
        UNROLL
        for (ptrdiff_t i = 0; i < rows.real; i++) STORE(x[j][i], x[j + 1][i]);
        UNROLL
        for (ptrdiff_t i = rows.real; i < height; i += 2) {
            // Half of the sum and the difference that follow the product.
            const float factor = weights ? 0.5f : 1;
            STORE(factor * (x[j][i] - x[j + 1][i + 1]), factor * (x[j][i + 1] + x[j + 1][i]));
            STORE(factor * (x[j][i] + x[j + 1][i + 1]), factor * (x[j + 1][i] - x[j][i + 1]));
        }
    }
#undef STORE
}

TS_INLINE void TILE(load_tile)(components columns, components rows, const float *source, ptrdiff_t step,
                               lane (*x)[COMPONENTS]) {
    const ptrdiff_t width = columns.real + 2 * columns.complex, height = rows.real + 2 * rows.complex;
    UNROLL
    for (ptrdiff_t j = 0; j < columns.real; j++) {
        UNROLL
        for (ptrdiff_t i = 0; i < rows.real; i++, source += step) x[j][i] = *(const lane *)source;
        UNROLL
        for (ptrdiff_t i = rows.real; i < height; i += 2)
            source = TILE(load_product)(source, step, &x[j][i], &x[j][i + 1]);
    }
    UNROLL
    for (ptrdiff_t j = columns.real; j < width; j += 2) {
        UNROLL
        for (ptrdiff_t i = 0; i < rows.real; i++)
            source = TILE(load_product)(source, step, &x[j][i], &x[j + 1][i]);
        UNROLL
        for (ptrdiff_t i = rows.real; i < height; i += 2) {
            lane re, im, other_re, other_im;
            source = TILE(load_product)(source, step, &re, &im);
            source = TILE(load_product)(source, step, &other_re, &other_im);
            x[j][i] = re + other_re;
            x[j + 1][i + 1] = other_re - re;
            x[j + 1][i] = im + other_im;
            x[j][i + 1] = im - other_im;
        }
    }
}

TS_INLINE void TILE(input_of)(const ptrdiff_t row_extent, const ptrdiff_t column_extent, const ts_phases *p,
                             const float *scratch, float *target, const ts_winograd_order *order) {
    const components columns = components_of(column_extent), rows = components_of(row_extent);
    const ptrdiff_t width = columns.real + 2 * columns.complex, stride = p->lanes + SPARE, panel = order->panel;
    for (ptrdiff_t first = 0; first < p->lanes; first += panel, target += order->panel_step)
        for (ptrdiff_t t = first; t < first + panel && t < p->lanes; t += TILE_LANES) {
            lane lines[TS_PHASE_EXTENT][COMPONENTS], tile[COMPONENTS][COMPONENTS];
            UNROLL
            for (ptrdiff_t i = 0; i < row_extent; i++) {
                lane in[TS_PHASE_EXTENT];
                UNROLL
                for (ptrdiff_t j = 0; j < column_extent; j++)
                    in[j] = *(const lane *)(scratch + (i * column_extent + j) * stride + t);
                TILE(input_line)(column_extent, in, 1, lines[i]);
            }
            UNROLL
            for (ptrdiff_t j = 0; j < width; j++) TILE(input_line)(row_extent, &lines[0][j], COMPONENTS, tile[j]);
            TILE(store_tile)(0, columns, rows, tile, target + t - first, order->step);
        }
}

TS_INLINE void TILE(output_of)(const ptrdiff_t row_extent, const ptrdiff_t column_extent, const ts_phases *p,
                              const float *products, ptrdiff_t step, float bias, float *scratch) {
    const components columns = components_of(column_extent), rows = components_of(row_extent);
    const ptrdiff_t width = columns.real + 2 * columns.complex, stride = p->lanes + SPARE;
    for (ptrdiff_t t = 0; t < p->lanes; t += TILE_LANES) {
        lane tile[COMPONENTS][COMPONENTS], lines[TS_PHASE_EXTENT][COMPONENTS];
        TILE(load_tile)(columns, rows, products + t, step, tile);
        UNROLL
        for (ptrdiff_t j = 0; j < width; j++) TILE(output_line)(row_extent, tile[j], &lines[0][j], COMPONENTS);
        UNROLL
        for (ptrdiff_t i = 0; i < row_extent; i++) {
            lane out[TS_PHASE_EXTENT];
            TILE(output_line)(column_extent, lines[i], out, 1);
            UNROLL
            for (ptrdiff_t j = 0; j < column_extent; j++)
                *(lane *)(scratch + (i * column_extent + j) * stride + t) = out[j] + bias;
        }
    }
}

TS_INLINE void TILE(weight_vector)(const ptrdiff_t row_extent, const ptrdiff_t column_extent, const float *taps,
                                   ptrdiff_t tap_step, float *target, ptrdiff_t step) {
    const components columns = components_of(column_extent), rows = components_of(row_extent);
    lane lines[3][COMPONENTS], tile[COMPONENTS][COMPONENTS];
    UNROLL
    for (ptrdiff_t a = 0; a < 3; a++) {
        const float *from = taps + 3 * a * tap_step;
        TILE(weight_line)(column_extent, *(const lane *)from, *(const lane *)(from + tap_step),
                          *(const lane *)(from + 2 * tap_step), lines[a]);
    }
    UNROLL
    for (ptrdiff_t j = 0; j < columns.real + 2 * columns.complex; j++)
        TILE(weight_line)(row_extent, lines[0][j], lines[1][j], lines[2][j], tile[j]);
    TILE(store_tile)(1, columns, rows, tile, target, step);
}

TS_INLINE void TILE(weights_of)(const ptrdiff_t row_extent, const ptrdiff_t column_extent, const float *taps,
                               ptrdiff_t tap_step, ptrdiff_t count, float *target, ptrdiff_t step) {
    ptrdiff_t i = 0;
    for (; i + TILE_LANES <= count; i += TILE_LANES)
        TILE(weight_vector)(row_extent, column_extent, taps + i, tap_step, target + i, step);
    if (i == count) return;
    float source[9 * TILE_LANES] = {0}, result[FREQUENCIES * TILE_LANES];
    for (ptrdiff_t t = 0; t < 9; t++)
        memcpy(source + t * TILE_LANES, taps + t * tap_step + i, (size_t)(count - i) * sizeof(float));
    TILE(weight_vector)(row_extent, column_extent, source, TILE_LANES, result, TILE_LANES);
    for (ptrdiff_t f = 0; f < ts_phase_frequencies(row_extent, column_extent); f++)
        memcpy(target + f * step + i, result + f * TILE_LANES, (size_t)(count - i) * sizeof(float));
}

// Small phases by extents that are constants: all that is between loads and stores is in registers then.
#define OF_EXTENTS(name, columns, ...)                                                      \
    case 8 + columns: return TILE(name)(1, columns, __VA_ARGS__);                           \
    case 16 + columns: return TILE(name)(2, columns, __VA_ARGS__);                          \
    case 24 + columns: return TILE(name)(3, columns, __VA_ARGS__);
#define BY_EXTENTS(name, row_extent, column_extent, ...)                                    \
    switch (8 * (row_extent) + (column_extent)) {                                           \
        OF_EXTENTS(name, 1, __VA_ARGS__)                                                    \
        OF_EXTENTS(name, 2, __VA_ARGS__)                                                    \
        OF_EXTENTS(name, 3, __VA_ARGS__)                                                    \
    default: return TILE(name)(row_extent, column_extent, __VA_ARGS__);                     \
    }

static void TILE(phase_input)(const ts_phases *p, const float *scratch, float *target, const ts_winograd_order *order) {
    BY_EXTENTS(input_of, p->row_extent, p->column_extent, p, scratch, target, order)
}

static void TILE(phase_output)(const ts_phases *p, const float *products, ptrdiff_t step, float bias, float *scratch) {
    BY_EXTENTS(output_of, p->row_extent, p->column_extent, p, products, step, bias, scratch)
}

static void TILE(phase_weights)(ptrdiff_t row_extent, ptrdiff_t column_extent, const float *taps, ptrdiff_t tap_step,
                                ptrdiff_t count, float *target, ptrdiff_t step) {
    BY_EXTENTS(weights_of, row_extent, column_extent, taps, tap_step, count, target, step)
}
#undef OF_EXTENTS
#undef BY_EXTENTS
#undef lane
