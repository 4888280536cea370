#include "CKernels.h"

#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

enum { LANES = 8, CHUNK = 4 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline ptrdiff_t whole_lanes(ptrdiff_t count) { return (count + LANES - 1) / LANES * LANES; }

ptrdiff_t ts_resize_scratch(ptrdiff_t width, ptrdiff_t row_count, ptrdiff_t output_width) {
    return LANES * whole_lanes(width) + whole_lanes(row_count) * whole_lanes(output_width);
}

/// Exchanges rows and columns of 8 × 8 elements.
TS_INLINE void transpose(const lane *rows, lane *columns) {
    lane pairs[LANES], quads[LANES];
    for (int i = 0; i < LANES; i += 2) {
        pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < LANES; i += 4)
        for (int j = 0; j < 2; j++) {
            quads[i + 2 * j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            quads[i + 2 * j + 1] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < LANES / 2; i++) {
        columns[i] = __builtin_shufflevector(quads[i], quads[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        columns[i + 4] = __builtin_shufflevector(quads[i], quads[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Column by column the elements of 8 rows.
TS_INLINE void gather_columns(const float *const rows[LANES], ptrdiff_t width, lane *columns) {
    if (width < LANES) {
        for (ptrdiff_t x = 0; x < width; x++)
            for (int i = 0; i < LANES; i++) ((float *)(columns + x))[i] = rows[i][x];
        return;
    }
    for (ptrdiff_t first = 0; first < width; first += LANES) {
        const ptrdiff_t x = first + LANES <= width ? first : width - LANES;
        lane block[LANES], turned[LANES];
        for (int i = 0; i < LANES; i++) block[i] = *(const lane *)(rows[i] + x);
        transpose(block, turned);
        for (int i = 0; i < LANES; i++) columns[x + i] = turned[i];
    }
}

/// Interpolates 8 rows at once; `taps` is a constant where it matters.
TS_INLINE void interpolate_rows(const ptrdiff_t taps, const lane *columns, const ts_axis *axis, float *lines,
                                ptrdiff_t stride) {
    for (ptrdiff_t x = 0; x < axis->count; x += LANES) {
        lane block[LANES], turned[LANES];
#pragma clang loop unroll(full)
        for (int j = 0; j < LANES; j++) {
            // Past the end the last one again: lines hold whole vectors.
            const ptrdiff_t at = (x + j < axis->count ? x + j : axis->count - 1) * taps;
            lane sum = axis->weights[at] * columns[axis->indices[at]];
            for (ptrdiff_t k = 1; k < taps; k++) sum += axis->weights[at + k] * columns[axis->indices[at + k]];
            block[j] = sum;
        }
        transpose(block, turned);
        for (int i = 0; i < LANES; i++) *(lane *)(lines + i * stride + x) = turned[i];
    }
}

/// `vectors` vectors of a row of results, in registers over all taps.
TS_INLINE void blend_chunk(const int vectors, const ptrdiff_t taps, const float *lines, ptrdiff_t stride,
                           const int32_t *indices, const float *weights, float *output) {
    lane sums[CHUNK];
    for (int v = 0; v < vectors; v++) sums[v] = weights[0] * *(const lane *)(lines + indices[0] * stride + v * LANES);
    for (ptrdiff_t k = 1; k < taps; k++) {
        const float *line = lines + indices[k] * stride;
        for (int v = 0; v < vectors; v++) sums[v] += weights[k] * *(const lane *)(line + v * LANES);
    }
    for (int v = 0; v < vectors; v++) *(lane *)(output + v * LANES) = sums[v];
}

TS_INLINE void blend_rows(const ptrdiff_t taps, const float *lines, ptrdiff_t stride, const ts_axis *axis,
                          ptrdiff_t width, float *output) {
    for (ptrdiff_t y = 0; y < axis->count; y++, output += width) {
        const int32_t *indices = axis->indices + y * taps;
        const float *weights = axis->weights + y * taps;
        ptrdiff_t x = 0;
        for (; x + CHUNK * LANES <= width; x += CHUNK * LANES)
            blend_chunk(CHUNK, taps, lines + x, stride, indices, weights, output + x);
        for (; x + LANES <= width; x += LANES)
            blend_chunk(1, taps, lines + x, stride, indices, weights, output + x);
        if (x == width) continue;
        if (width >= LANES) {
            x = width - LANES;
            blend_chunk(1, taps, lines + x, stride, indices, weights, output + x);
        } else {
            float rest[LANES];
            blend_chunk(1, taps, lines, stride, indices, weights, rest);
            memcpy(output, rest, (size_t)width * sizeof(float));
        }
    }
}

TS_SIMD
void ts_resize_rows_f32(const float *plane, ptrdiff_t width, const int32_t *rows, ptrdiff_t row_count,
                        const ts_axis *horizontal, const ts_axis *vertical, float *scratch, float *output) {
    lane *columns = (lane *)scratch;
    float *lines = scratch + LANES * whole_lanes(width);
    const ptrdiff_t stride = whole_lanes(horizontal->count);
    for (ptrdiff_t first = 0; first < row_count; first += LANES) {
        const float *sources[LANES];
        for (int i = 0; i < LANES; i++)
            sources[i] = plane + rows[first + i < row_count ? first + i : row_count - 1] * width;
        gather_columns(sources, width, columns);
        if (horizontal->taps == 2) interpolate_rows(2, columns, horizontal, lines + first * stride, stride);
        else if (horizontal->taps == 4) interpolate_rows(4, columns, horizontal, lines + first * stride, stride);
        else interpolate_rows(horizontal->taps, columns, horizontal, lines + first * stride, stride);
    }
    if (vertical->taps == 2) blend_rows(2, lines, stride, vertical, horizontal->count, output);
    else blend_rows(vertical->taps, lines, stride, vertical, horizontal->count, output);
}
