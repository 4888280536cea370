#include "CKernels.h"
#include "elementary.h"

// Vectors of 16: two where the processor's are narrower.
enum { LANES = 16 };

#if defined(__x86_64__) && defined(__linux__)
#define TS_SIMD_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TS_SIMD_WIDE
#endif

typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef float octet __attribute__((vector_size(32), aligned(4), may_alias));

TS_INLINE lane select_lane(mask which, lane yes, lane no) {
    return (lane)((which & (mask)yes) | (~which & (mask)no));
}

/// 2^x for x <= 0; 0 where it would hardly be a normal number, NaN for NaN.
TS_INLINE lane power(lane x) {
    const lane zero = {0};
    const mask tiny = x < zero - 125.0f;
    // Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits, 127 more the exponent's bits of its power.
    const lane shift = zero + 12583039.0f;
    const lane shifted = x + shift;
    const lane r = x - (shifted - shift);
    lane p = zero + 1.32764720e-3f;
    p = p * r + 9.67554133e-3f;
    p = p * r + 5.55071327e-2f;
    p = p * r + 2.40221197e-1f;
    p = p * r + 6.93146967e-1f;
    p = p * r + 1.00000007f;
    return select_lane(tiny, zero, p * (lane)((mask)shifted << 23));
}

TS_INLINE const float *bias_row(const ts_attention_bias *bias, ptrdiff_t key, ptrdiff_t lanes) {
    return bias->rows + (key / bias->divisor % bias->modulus - bias->first) * lanes;
}

/// The highest score of each query, once the biases are added to the scores.
TS_INLINE void add_biases(const int vectors, float *scores, ptrdiff_t first, ptrdiff_t keys, ptrdiff_t lanes,
                          ptrdiff_t from, const ts_attention_bias *biases, ptrdiff_t bias_count, lane *highest) {
    for (ptrdiff_t k = 0; k < keys; k++) {
        lane *row = (lane *)(scores + k * lanes + from);
        for (ptrdiff_t b = 0; b < bias_count; b++) {
            const float *added = bias_row(biases + b, first + k, lanes) + from;
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) row[v] += *(const lane *)(added + v * LANES);
        }
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) highest[v] = select_lane(row[v] > highest[v], row[v], highest[v]);
    }
}

/// `vectors` is a constant at every call: states and sums stay in registers.
TS_INLINE void powers(const int vectors, float *scores, ptrdiff_t first, ptrdiff_t keys, ptrdiff_t lanes, ptrdiff_t from,
                      const ts_attention_bias *biases, ptrdiff_t bias_count, float *maxima, float *sums,
                      float *factors) {
    const lane zero = {0};
    lane highest[3], total[3];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) highest[v] = *(const lane *)(maxima + from + v * LANES);
    if (bias_count) add_biases(vectors, scores, first, keys, lanes, from, biases, bias_count, highest);
    else add_biases(vectors, scores, first, keys, lanes, from, biases, 0, highest);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        lane *maximum = (lane *)(maxima + from + v * LANES), *sum = (lane *)(sums + from + v * LANES);
        highest[v] = __builtin_elementwise_ceil(highest[v]);
        // Queries that see nothing yet: their powers are 0, not those of an undefined difference.
        const lane base = select_lane(highest[v] == zero - INFINITY, zero, highest[v]);
        const lane factor = power(*maximum - base);
        *(lane *)(factors + from + v * LANES) = factor;
        *maximum = highest[v];
        total[v] = *sum * factor;
        highest[v] = base;
    }
    for (ptrdiff_t k = 0; k < keys; k++) {
        lane *row = (lane *)(scores + k * lanes + from);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            row[v] = power(row[v] - highest[v]);
            total[v] += row[v];
        }
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) *(lane *)(sums + from + v * LANES) = total[v];
}

TS_SIMD_WIDE
void ts_attention_powers(float *scores, ptrdiff_t first, ptrdiff_t keys, ptrdiff_t lanes,
                         const ts_attention_bias *biases, ptrdiff_t bias_count, float *maxima, float *sums,
                         float *factors) {
    ptrdiff_t from = 0;
    for (; from + 3 * LANES <= lanes; from += 3 * LANES)
        powers(3, scores, first, keys, lanes, from, biases, bias_count, maxima, sums, factors);
    for (; from < lanes; from += LANES)
        powers(1, scores, first, keys, lanes, from, biases, bias_count, maxima, sums, factors);
}

TS_SIMD
void ts_scale_columns_f32(float *matrix, ptrdiff_t rows, ptrdiff_t columns, const float *factors) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++) matrix[i * columns + j] *= factors[j];
}

/// Four lines of four elements, transposed in registers.
TS_INLINE void transpose_quads(quad *a, quad *b, quad *c, quad *d) {
    const quad ab0 = __builtin_shufflevector(*a, *b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(*a, *b, 2, 6, 3, 7);
    const quad cd0 = __builtin_shufflevector(*c, *d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(*c, *d, 2, 6, 3, 7);
    *a = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    *b = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    *c = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    *d = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}

/// Eight elements of 8 lines, factor times each, as 8 columns.
TS_INLINE void transpose_octets(const float *const *lines, ptrdiff_t k, float factor, float *columns, ptrdiff_t stride) {
    octet row[8], pairs[8], fours[8];
    for (int i = 0; i < 8; i++) row[i] = *(const octet *)(lines[i] + k) * factor;
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(row[i], row[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(row[i], row[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    // Fours of columns 0 and 4, 1 and 5, 2 and 6, 3 and 7: of the first lines, then of the others.
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            const octet first = pairs[i + j], second = pairs[i + j + 2];
            fours[i + 2 * j] = __builtin_shufflevector(first, second, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * j + 1] = __builtin_shufflevector(first, second, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        *(octet *)(columns + i * stride) = __builtin_shufflevector(fours[i], fours[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        *(octet *)(columns + (i + 4) * stride) =
            __builtin_shufflevector(fours[i], fours[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

TS_SIMD
void ts_pack_scattered_rows(const float *const *rows, ptrdiff_t count, ptrdiff_t depth, float factor, ptrdiff_t panel,
                            float *panels) {
    for (ptrdiff_t first = 0; first < count; first += panel, panels += panel * depth) {
        const ptrdiff_t present = count - first < panel ? count - first : panel;
        ptrdiff_t r = 0;
        for (; r + 8 <= present; r += 8) {
            const float *const *line = rows + first + r;
            ptrdiff_t k = 0;
            for (; k + 8 <= depth; k += 8) transpose_octets(line, k, factor, panels + k * panel + r, panel);
            for (; k < depth; k++)
                for (ptrdiff_t i = 0; i < 8; i++) panels[k * panel + r + i] = line[i][k] * factor;
        }
        for (; r + 4 <= present; r += 4) {
            const float *const *line = rows + first + r;
            ptrdiff_t k = 0;
            for (; k + 4 <= depth; k += 4) {
                quad a = *(const quad *)(line[0] + k) * factor, b = *(const quad *)(line[1] + k) * factor;
                quad c = *(const quad *)(line[2] + k) * factor, d = *(const quad *)(line[3] + k) * factor;
                transpose_quads(&a, &b, &c, &d);
                float *target = panels + k * panel + r;
                *(quad *)target = a;
                *(quad *)(target + panel) = b;
                *(quad *)(target + 2 * panel) = c;
                *(quad *)(target + 3 * panel) = d;
            }
            for (; k < depth; k++)
                for (ptrdiff_t i = 0; i < 4; i++) panels[k * panel + r + i] = line[i][k] * factor;
        }
        for (; r < panel; r++)
            for (ptrdiff_t k = 0; k < depth; k++) panels[k * panel + r] = r < present ? rows[first + r][k] * factor : 0;
    }
}

TS_SIMD
void ts_pack_scattered_columns(const float *const *rows, ptrdiff_t depth, ptrdiff_t columns, ptrdiff_t panel,
                               float *panels) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        float *target = panels + k * panel;
        ptrdiff_t first = 0;
        if (panel == 8)
            for (; first + 8 <= columns; first += 8, target += 8 * depth) memcpy(target, rows[k] + first, 32);
        if (panel == 4)
            for (; first + 4 <= columns; first += 4, target += 4 * depth) memcpy(target, rows[k] + first, 16);
        for (; first < columns; first += panel, target += panel * depth)
            for (ptrdiff_t j = 0; j < panel; j++) target[j] = first + j < columns ? rows[k][first + j] : 0;
    }
}

TS_SIMD
void ts_scatter_quotients(const float *matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t used, const float *divisors,
                          float *const *targets) {
    ptrdiff_t j = 0;
    for (; j + 4 <= used; j += 4) {
        const quad divisor = *(const quad *)(divisors + j);
        ptrdiff_t i = 0;
        for (; i + 4 <= rows; i += 4) {
            const float *source = matrix + i * columns + j;
            quad a = *(const quad *)source / divisor, b = *(const quad *)(source + columns) / divisor;
            quad c = *(const quad *)(source + 2 * columns) / divisor, d = *(const quad *)(source + 3 * columns) / divisor;
            transpose_quads(&a, &b, &c, &d);
            *(quad *)(targets[j] + i) = a;
            *(quad *)(targets[j + 1] + i) = b;
            *(quad *)(targets[j + 2] + i) = c;
            *(quad *)(targets[j + 3] + i) = d;
        }
        for (; i < rows; i++)
            for (ptrdiff_t l = j; l < j + 4; l++) targets[l][i] = matrix[i * columns + l] / divisors[l];
    }
    for (; j < used; j++)
        for (ptrdiff_t i = 0; i < rows; i++) targets[j][i] = matrix[i * columns + j] / divisors[j];
}
