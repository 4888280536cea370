#include "CKernels.h"

#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

/// Rows of the input that an output row sees lie in a ring, with their padding; it stays in a first-level cache.
enum { LANES = 8, CHUNK = 4, MOST_VECTORS = 5, RING = 6144, MOST_ROWS = 64 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/// Limits a vector; NaN stays.
TS_INLINE void limit(lane *values, float low, float high) {
    const lane lows = low - (lane){0}, highs = high - (lane){0};
    const mask below = *values < lows;
    *values = (lane)((below & (mask)lows) | (~below & (mask)*values));
    const mask above = *values > highs;
    *values = (lane)((above & (mask)highs) | (~above & (mask)*values));
}

/// What the outputs of a row have in common.
typedef struct {
    const float *weights;
    /// For each kernel row the input row that it sees, and for each kernel column the first output's element in it.
    const float *lines[MOST_ROWS];
    ptrdiff_t offsets[MOST_ROWS];
    ptrdiff_t rows, columns;
    ts_depthwise_end end;
} row_of_taps;

/// `vectors` vectors of outputs from column x on, in registers over all taps; the last begins `last` columns after x.
TS_INLINE void chunk(const ptrdiff_t vectors, const ptrdiff_t rows, const ptrdiff_t columns, const row_of_taps *taps,
                     ptrdiff_t x, ptrdiff_t last, float *output) {
    lane sums[MOST_VECTORS];
    for (ptrdiff_t v = 0; v < vectors; v++) sums[v] = taps->end.bias - (lane){0};
    for (ptrdiff_t b = 0; b < rows; b++) {
        const float *line = taps->lines[b] + x;
        for (ptrdiff_t a = 0; a < columns; a++) {
            const lane weight = taps->weights[b * columns + a] - (lane){0};
            const float *from = line + taps->offsets[a];
#pragma clang loop unroll(full)
            for (ptrdiff_t v = 0; v < vectors; v++)
                sums[v] += weight * *(const lane *)(from + (v == vectors - 1 ? last : v * LANES));
        }
    }
#pragma clang loop unroll(full)
    for (ptrdiff_t v = 0; v < vectors; v++) {
        if (taps->end.limits) limit(&sums[v], taps->end.low, taps->end.high);
        if (taps->end.hard_swish) {
            lane gate = sums[v] * (1.0f / 6.0f) + 0.5f;
            limit(&gate, 0, 1);
            sums[v] *= gate;
        }
        *(lane *)(output + x + (v == vectors - 1 ? last : v * LANES)) = sums[v];
    }
}

/// One row of `count` outputs. Where they are no whole number of vectors, the last one begins earlier.
TS_INLINE void row_of_outputs(const ptrdiff_t rows, const ptrdiff_t columns, const row_of_taps *taps, ptrdiff_t count,
                              float *output) {
    if (count < LANES) {
        float part[LANES];
        chunk(1, rows, columns, taps, 0, 0, part);
        memcpy(output, part, (size_t)count * sizeof(float));
        return;
    }
    ptrdiff_t x = 0;
    for (; count - x > MOST_VECTORS * LANES; x += CHUNK * LANES)
        chunk(CHUNK, rows, columns, taps, x, (CHUNK - 1) * LANES, output);
    const ptrdiff_t last = count - x - LANES;
    switch ((last + LANES - 1) / LANES) {
    case 0: return chunk(1, rows, columns, taps, x, last, output);
    case 1: return chunk(2, rows, columns, taps, x, last, output);
    case 2: return chunk(3, rows, columns, taps, x, last, output);
    case 3: return chunk(4, rows, columns, taps, x, last, output);
    default: return chunk(5, rows, columns, taps, x, last, output);
    }
}

TS_INLINE void copy(const float *source, ptrdiff_t count, float *target) {
    if (count < LANES) {
        for (ptrdiff_t i = 0; i < count; i++) target[i] = source[i];
        return;
    }
    for (ptrdiff_t i = 0; i + LANES < count; i += LANES) *(lane *)(target + i) = *(const lane *)(source + i);
    *(lane *)(target + count - LANES) = *(const lane *)(source + count - LANES);
}

/// Every second element to `even`, those after them to `odd`.
TS_INLINE void split(const float *source, ptrdiff_t count, float *even, float *odd) {
    ptrdiff_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES, even += LANES, odd += LANES) {
        const lane a = *(const lane *)(source + i), b = *(const lane *)(source + i + LANES);
        *(lane *)even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        *(lane *)odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    }
    for (; i + 1 < count; i += 2) {
        *even++ = source[i];
        *odd++ = source[i + 1];
    }
    if (i < count) *even = source[i];
}

/// How columns of a plane are computed: `count` outputs of each row at a time, from lines of `phase` elements for each
/// residue of the stride.
typedef struct {
    ptrdiff_t count, phase, line;
    /// Rows from a window's first to its last, and how far it moves among them for the next row of outputs.
    ptrdiff_t ring, advance;
} strip;

/// Returns 0 where the rows that a window sees are too many or too long.
static int plan_strip(const ts_window *w, strip *s) {
    const ptrdiff_t stride = w->stride[2], columns = w->kernel[2], rows = w->kernel[1];
    if (w->kernel[0] != 1 || w->input[0] != 1 || w->output[0] != 1 || w->begin[0] != 0) return 0;
    if (stride > 2 || rows > MOST_ROWS || columns > MOST_ROWS) return 0;
    if (w->dilation[1] > RING || w->dilation[2] > RING) return 0;
    s->ring = (rows - 1) * w->dilation[1] + 1;
    s->advance = w->stride[1] % s->ring;
    const ptrdiff_t reach = (columns - 1) * w->dilation[2] / stride;
    // Beside the ring, a line of zeros.
    const ptrdiff_t most = RING / (s->ring + 1) / stride - reach;
    if (s->ring > MOST_ROWS || most < CHUNK * LANES) return 0;
    s->count = w->output[2] <= most ? w->output[2] : most / (CHUNK * LANES) * CHUNK * LANES;
    s->phase = (s->count < LANES ? LANES : s->count) + reach;
    s->line = s->phase * stride;
    return 1;
}

TS_INLINE void strip_of_rows(const float *input, const ts_window *w, const strip *s, row_of_taps *taps, ptrdiff_t first,
                             float *output) {
    float memory[RING];
    ptrdiff_t held[MOST_ROWS];
    const float *zeros = memory + s->ring * s->line;
    const ptrdiff_t count = w->output[2] - first < s->count ? w->output[2] - first : s->count;
    const ptrdiff_t stride = w->stride[2], start = first * stride - w->begin[2];
    // Elements of a line that lie inside the input; the others stay zeros.
    ptrdiff_t begin = start < 0 ? -start : 0, end = w->input[2] - start < s->line ? w->input[2] - start : s->line;
    if (begin > s->line) begin = s->line;
    if (end < begin) end = begin;
    const ptrdiff_t odd = stride == 2 ? begin & 1 : 0, inside = end - begin;
    for (ptrdiff_t i = 0; i < (s->ring + 1) * s->line; i++) memory[i] = 0;
    for (ptrdiff_t i = 0; i < s->ring; i++) held[i] = -1;
    ptrdiff_t slot = 0;
    for (ptrdiff_t row = 0; row < w->output[1]; row++) {
        const ptrdiff_t top = row * w->stride[1] - w->begin[1];
        for (ptrdiff_t b = 0; b < taps->rows; b++) {
            const ptrdiff_t y = top + b * w->dilation[1];
            taps->lines[b] = zeros;
            if (y < 0 || y >= w->input[1]) continue;
            const ptrdiff_t place = slot + b * w->dilation[1];
            const ptrdiff_t at = place < s->ring ? place : place - s->ring;
            float *line = memory + at * s->line;
            taps->lines[b] = line;
            if (held[at] == y) continue;
            held[at] = y;
            if (inside == 0) continue;
            const float *source = input + y * w->input[2] + start + begin;
            if (stride == 1) {
                copy(source, inside, line + begin);
            } else {
                float *even = line + (begin + odd) / 2, *other = line + s->phase + begin / 2;
                if (odd) *other++ = *source;
                split(source + odd, inside - odd, even, other);
            }
        }
        slot = slot + s->advance < s->ring ? slot + s->advance : slot + s->advance - s->ring;
        float *out = output + row * w->output[2] + first;
        if (taps->rows == 3 && taps->columns == 3) row_of_outputs(3, 3, taps, count, out);
        else if (taps->rows == 5 && taps->columns == 5) row_of_outputs(5, 5, taps, count, out);
        else row_of_outputs(taps->rows, taps->columns, taps, count, out);
    }
}

/// The definition, for windows in three dimensions and unusual ones.
static void by_definition(const float *input, const float *weights, const ts_window *w, const ts_depthwise_end *end,
                          float *output) {
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++)
        for (ptrdiff_t x = 0; x < w->output[2]; x++) {
            float sum = end->bias;
            for (ptrdiff_t c = 0; c < w->kernel[0]; c++) {
                const ptrdiff_t z = row / w->output[1] * w->stride[0] - w->begin[0] + c * w->dilation[0];
                if (z < 0 || z >= w->input[0]) continue;
                for (ptrdiff_t b = 0; b < w->kernel[1]; b++) {
                    const ptrdiff_t y = row % w->output[1] * w->stride[1] - w->begin[1] + b * w->dilation[1];
                    if (y < 0 || y >= w->input[1]) continue;
                    for (ptrdiff_t a = 0; a < w->kernel[2]; a++) {
                        const ptrdiff_t at = x * w->stride[2] - w->begin[2] + a * w->dilation[2];
                        if (at >= 0 && at < w->input[2])
                            sum += weights[(c * w->kernel[1] + b) * w->kernel[2] + a] *
                                   input[(z * w->input[1] + y) * w->input[2] + at];
                    }
                }
            }
            if (end->limits) {
                sum = sum < end->low ? end->low : sum;
                sum = sum > end->high ? end->high : sum;
            }
            if (end->hard_swish) {
                const float gate = sum * (1.0f / 6.0f) + 0.5f;
                sum *= gate < 0 ? 0 : gate > 1 ? 1 : gate;
            }
            output[row * w->output[2] + x] = sum;
        }
}

TS_SIMD
void ts_depthwise_f32(const float *input, const float *weights, const ts_window *w, const ts_depthwise_end *end,
                      float *output) {
    strip s;
    if (!plan_strip(w, &s)) {
        by_definition(input, weights, w, end, output);
        return;
    }
    row_of_taps taps = {.weights = weights, .rows = w->kernel[1], .columns = w->kernel[2], .end = *end};
    for (ptrdiff_t a = 0; a < taps.columns; a++) {
        const ptrdiff_t offset = a * w->dilation[2];
        taps.offsets[a] = offset % w->stride[2] * s.phase + offset / w->stride[2];
    }
    for (ptrdiff_t first = 0; first < w->output[2]; first += s.count)
        strip_of_rows(input, w, &s, &taps, first, output);
}
