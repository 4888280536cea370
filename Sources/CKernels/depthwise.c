#include "CKernels.h"

#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// Outputs are computed in blocks of BLOCK_ROWS rows by BLOCK_VECTORS vectors: each vector of the input that is read adds
/// to all rows that see it, and the sums fit 16 registers beside a column of weights. What a tile of outputs sees lies in
/// scratch memory, with its padding: CACHED elements, which stay in a first-level cache, or SCRATCH where windows are large.
enum { LANES = 8, BLOCK_ROWS = 4, BLOCK_VECTORS = 2, MOST_VECTORS = 5 };
enum { CACHED = 3584, SCRATCH = 16384, MOST_TAPS = 64 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/// Limits a vector; NaN stays.
TS_INLINE lane limit(lane values, float low, float high) {
    const lane lows = low - (lane){0}, highs = high - (lane){0};
    const mask below = values < lows;
    values = (lane)((below & (mask)lows) | (~below & (mask)values));
    const mask above = values > highs;
    return (lane)((above & (mask)highs) | (~above & (mask)values));
}

/// How the input of a tile lies in scratch memory: rows and columns with the same residue by the stride together, so that
/// neighbouring outputs see neighbours everywhere.
typedef struct {
    /// Outputs of a tile.
    ptrdiff_t rows, columns;
    /// Elements from one row to the next, and from one residue to the next.
    ptrdiff_t pitch, phase;
    /// Where the first output's taps lie, by kernel row and by kernel column.
    ptrdiff_t row_offsets[MOST_TAPS], column_offsets[MOST_TAPS];
    /// Rows of the output that share inputs lie `apart`.
    ptrdiff_t apart;
} layout;

/// What the blocks of a plane have in common.
typedef struct {
    const float *weights;
    const layout *layout;
    ptrdiff_t kernel_rows, kernel_columns;
    ts_depthwise_end end;
    float bias;
    /// Elements from one of a block's rows to the next, in the output.
    ptrdiff_t output_step;
    /// What will be needed next, and bytes of it to fetch with each block.
    const char *ahead;
    ptrdiff_t ahead_step;
} plane;

/// The end of some sums. Each condition is looked at for all of them, lest the compiler compute one after the other.
TS_INLINE void finish(const plane *p, const ptrdiff_t rows, const ptrdiff_t vectors, lane sums[rows][vectors]) {
    if (p->end.limits)
        UNROLL for (ptrdiff_t r = 0; r < rows; r++)
            UNROLL for (ptrdiff_t v = 0; v < vectors; v++) sums[r][v] = limit(sums[r][v], p->end.low, p->end.high);
    if (p->end.hard_swish)
        UNROLL for (ptrdiff_t r = 0; r < rows; r++)
            UNROLL for (ptrdiff_t v = 0; v < vectors; v++) sums[r][v] *= limit(sums[r][v] * (1.0f / 6.0f) + 0.5f, 0, 1);
}

/// A block of outputs of a kernel of `side` × `side` taps, undilated where the stride is not 1; `input` is what its first
/// output's first tap sees.
TS_INLINE void block(const plane *p, const ptrdiff_t side, const ptrdiff_t stride, const ptrdiff_t rows,
                     const ptrdiff_t vectors, const float *input, float *output) {
    const ptrdiff_t step = p->layout->apart * p->layout->pitch;
    // A single vector's sums are split in two: enough of them to hide the latency of a multiply-add.
    const ptrdiff_t sums_per_row = vectors == 1 ? 2 : vectors;
    lane sums[rows][sums_per_row];
    UNROLL
    for (ptrdiff_t r = 0; r < rows; r++)
        UNROLL
        for (ptrdiff_t v = 0; v < sums_per_row; v++) sums[r][v] = (v < vectors ? p->bias : 0) - (lane){0};
    UNROLL
    for (ptrdiff_t a = 0; a < side; a++)
        UNROLL
        for (ptrdiff_t q = 0; q < stride; q++) {
            const float *line = input + p->layout->row_offsets[q] + p->layout->column_offsets[a];
            UNROLL
            for (ptrdiff_t j = 0; j < (side - q + stride - 1) / stride + rows - 1; j++, line += step)
                UNROLL
                for (ptrdiff_t v = 0; v < vectors; v++) {
                    const lane seen = *(const lane *)(line + v * LANES);
                    UNROLL
                    for (ptrdiff_t r = 0; r < rows; r++) {
                        const ptrdiff_t b = (j - r) * stride + q;
                        if (j >= r && b < side)
                            sums[r][vectors == 1 ? a & 1 : v] += seen * p->weights[b * side + a];
                    }
                }
        }
    if (vectors == 1)
        UNROLL for (ptrdiff_t r = 0; r < rows; r++) sums[r][0] += sums[r][1];
    finish(p, rows, sums_per_row, sums);
    UNROLL
    for (ptrdiff_t r = 0; r < rows; r++)
        UNROLL
        for (ptrdiff_t v = 0; v < vectors; v++) *(lane *)(output + r * p->output_step + v * LANES) = sums[r][v];
}

/// `vectors` vectors of outputs of one row; the last begins `last` columns after the first.
TS_INLINE void row_block(const plane *p, const ptrdiff_t vectors, const ptrdiff_t rows, const ptrdiff_t columns,
                         ptrdiff_t last, const float *input, float *output) {
    lane sums[vectors];
    UNROLL
    for (ptrdiff_t v = 0; v < vectors; v++) sums[v] = p->bias - (lane){0};
    for (ptrdiff_t b = 0; b < rows; b++)
        for (ptrdiff_t a = 0; a < columns; a++) {
            const float weight = p->weights[b * columns + a];
            const float *line = input + p->layout->row_offsets[b] + p->layout->column_offsets[a];
            UNROLL
            for (ptrdiff_t v = 0; v < vectors; v++)
                sums[v] += weight * *(const lane *)(line + (v == vectors - 1 ? last : v * LANES));
        }
    finish(p, 1, vectors, &sums);
    UNROLL
    for (ptrdiff_t v = 0; v < vectors; v++) *(lane *)(output + (v == vectors - 1 ? last : v * LANES)) = sums[v];
}

/// One row of outputs. Where columns are no whole number of vectors, the last ones are computed twice.
TS_INLINE void row_band(const plane *p, const ptrdiff_t rows, const ptrdiff_t columns, const float *input,
                        float *output) {
    const ptrdiff_t count = p->layout->columns, chunk = MOST_VECTORS - 1;
    ptrdiff_t x = 0;
    for (; count - x > MOST_VECTORS * LANES; x += chunk * LANES)
        row_block(p, chunk, rows, columns, (chunk - 1) * LANES, input + x, output + x);
    const ptrdiff_t last = count - x - LANES;
    switch ((last + LANES - 1) / LANES) {
    case 0: return row_block(p, 1, rows, columns, last, input + x, output + x);
    case 1: return row_block(p, 2, rows, columns, last, input + x, output + x);
    case 2: return row_block(p, 3, rows, columns, last, input + x, output + x);
    case 3: return row_block(p, 4, rows, columns, last, input + x, output + x);
    default: return row_block(p, 5, rows, columns, last, input + x, output + x);
    }
}

/// Rows of outputs that share inputs, as many as a block has. Where columns are no whole number of vectors, the last ones
/// are computed twice. What the next rows need is fetched meanwhile.
TS_INLINE void band(const plane *p, const ptrdiff_t side, const ptrdiff_t stride, const float *input, float *output) {
    const ptrdiff_t columns = p->layout->columns, wide = BLOCK_VECTORS * LANES;
    const char *ahead = p->ahead;
    ptrdiff_t x = 0;
    for (; x + wide <= columns; x += wide) {
        block(p, side, stride, BLOCK_ROWS, BLOCK_VECTORS, input + x, output + x);
        for (ptrdiff_t i = 0; i < p->ahead_step; i += 64) __builtin_prefetch(ahead + i);
        ahead += p->ahead_step;
        UNROLL
        for (ptrdiff_t r = 0; r < BLOCK_ROWS; r++)
            __builtin_prefetch(output + x + (BLOCK_ROWS + r) * p->output_step, 1);
    }
    for (; x < columns; x += LANES) {
        const ptrdiff_t at = x + LANES <= columns ? x : columns - LANES;
        block(p, side, stride, BLOCK_ROWS, 1, input + at, output + at);
    }
}

// Each a function of its own, lest the compiler keep too much in registers.
TS_SIMD static void band_3(const plane *p, const float *input, float *output) { band(p, 3, 1, input, output); }
TS_SIMD static void band_5(const plane *p, const float *input, float *output) { band(p, 5, 1, input, output); }
TS_SIMD static void band_5_by_2(const plane *p, const float *input, float *output) { band(p, 5, 2, input, output); }
TS_SIMD static void band_7(const plane *p, const float *input, float *output) { band(p, 7, 1, input, output); }
TS_SIMD static void row_of_9(const plane *p, const float *input, float *output) { row_band(p, 3, 3, input, output); }
TS_SIMD static void row_of_any(const plane *p, const float *input, float *output) {
    row_band(p, p->kernel_rows, p->kernel_columns, input, output);
}

typedef void band_kernel(const plane *, const float *, float *);

/// Outputs of one row, or of a block's rows, which lie `apart` rows apart, from row `row` of the tile on.
TS_INLINE void compute(plane *p, band_kernel *band, ptrdiff_t rows, ptrdiff_t row, const float *memory, ptrdiff_t width,
                       ptrdiff_t columns, float *output) {
    const float *input = memory + row * p->layout->pitch;
    const ptrdiff_t apart = p->layout->apart;
    output += row * width;
    if (columns >= LANES) {
        p->output_step = apart * width;
        return band(p, input, output);
    }
    float part[BLOCK_ROWS * LANES];
    p->output_step = LANES;
    band(p, input, part);
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < columns; i++) output[r * apart * width + i] = part[r * LANES + i];
}

TS_INLINE void copy(const float *source, ptrdiff_t count, float *target) {
    if (count < LANES) {
        for (ptrdiff_t i = 0; i < count; i++) target[i] = source[i];
        return;
    }
    ptrdiff_t i = 0;
    // Two at a time, or the compiler makes a call of it, which takes longer than most rows.
    for (; i + 2 * LANES < count; i += 2 * LANES) {
        const lane a = *(const lane *)(source + i), b = *(const lane *)(source + i + LANES);
        *(lane *)(target + i) = a;
        *(lane *)(target + i + LANES) = b;
    }
    if (i + LANES < count) *(lane *)(target + i) = *(const lane *)(source + i);
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

/// One row of the input from column `start` on, which may lie outside, to the lines of all residues by `stride`; elements
/// outside are left alone.
TS_INLINE void lay_row(const float *row, ptrdiff_t width, ptrdiff_t start, ptrdiff_t stride, const layout *l,
                       float *line) {
    const ptrdiff_t length = l->pitch * stride;
    ptrdiff_t begin = start < 0 ? -start : 0, end = width - start < length ? width - start : length;
    if (begin >= end) return;
    if (stride == 1) {
        copy(row + start + begin, end - begin, line + begin);
    } else if (stride == 2) {
        if (begin & 1) {
            line[l->phase + begin / 2] = row[start + begin];
            begin++;
        }
        split(row + start + begin, end - begin, line + begin / 2, line + l->phase + begin / 2);
    } else {
        for (ptrdiff_t i = begin; i < end; i++) line[i % stride * l->phase + i / stride] = row[start + i];
    }
}

/// Returns 0 where the rows that a window sees are too many or too long.
static int plan(const ts_window *w, layout *l) {
    const ptrdiff_t rows = w->kernel[1], columns = w->kernel[2], strides[] = {w->stride[1], w->stride[2]};
    if (w->kernel[0] != 1 || w->input[0] != 1 || w->output[0] != 1 || w->begin[0] != 0) return 0;
    if (rows > MOST_TAPS || columns > MOST_TAPS || strides[0] > MOST_TAPS || strides[1] > MOST_TAPS) return 0;
    if (w->dilation[1] > SCRATCH || w->dilation[2] > SCRATCH) return 0;
    const ptrdiff_t row_reach = (rows - 1) * w->dilation[1] / strides[0];
    const ptrdiff_t column_reach = (columns - 1) * w->dilation[2] / strides[1];
    // Wide planes are cut into tiles on which several rows fit.
    const ptrdiff_t fewest = w->output[1] < BLOCK_ROWS * w->dilation[1] ? w->output[1] : BLOCK_ROWS * w->dilation[1];
    const ptrdiff_t wide = BLOCK_VECTORS * LANES;
    ptrdiff_t room = CACHED / (strides[0] * strides[1]), most = room / (row_reach + fewest) - column_reach;
    if (most < wide) {
        room = SCRATCH / (strides[0] * strides[1]);
        most = room / (row_reach + fewest) - column_reach;
    }
    if (most < wide) return 0;
    const ptrdiff_t parts = (w->output[2] + most - 1) / most;
    l->columns = parts == 1 ? w->output[2] : most / wide * wide;
    l->pitch = (l->columns < LANES ? LANES : l->columns) + column_reach;
    l->rows = room / l->pitch - row_reach;
    if (l->rows > w->output[1]) l->rows = w->output[1];
    l->phase = (l->rows + row_reach) * l->pitch;
    l->apart = strides[0] == 1 ? w->dilation[1] : 1;
    for (ptrdiff_t b = 0; b < rows; b++) {
        const ptrdiff_t offset = b * w->dilation[1];
        l->row_offsets[b] = offset % strides[0] * strides[1] * l->phase + offset / strides[0] * l->pitch;
    }
    for (ptrdiff_t a = 0; a < columns; a++) {
        const ptrdiff_t offset = a * w->dilation[2];
        l->column_offsets[a] = offset % strides[1] * l->phase + offset / strides[1];
    }
    return 1;
}

/// The definition, for windows in three dimensions and unusual ones.
static void by_definition(const float *input, const float *weights, const ts_window *w, const ts_depthwise_end *end,
                          float bias, float *output) {
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++)
        for (ptrdiff_t x = 0; x < w->output[2]; x++) {
            float sum = bias;
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

/// Rows `from` to `to` of what a tile sees, which begins `top` rows and `start` columns into the input; rows outside are 0.
TS_INLINE void lay_rows(const float *input, const ts_window *w, const ptrdiff_t stride, const layout *l, ptrdiff_t top,
                        ptrdiff_t start, ptrdiff_t from, ptrdiff_t to, float *memory) {
    ptrdiff_t residue = from % w->stride[1], line = from / w->stride[1];
    for (ptrdiff_t i = from; i < to; i++) {
        float *target = memory + residue * stride * l->phase + line * l->pitch;
        if (top + i >= 0 && top + i < w->input[1])
            lay_row(input + (top + i) * w->input[2], w->input[2], start, stride, l, target);
        else
            for (ptrdiff_t q = 0; q < stride; q++) memset(target + q * l->phase, 0, (size_t)l->pitch * sizeof(float));
        residue++;
        if (residue == w->stride[1]) {
            residue = 0;
            line++;
        }
    }
}

/// The kernel for rows of outputs that share inputs; NULL where each row is computed for itself.
static band_kernel *shared_rows(const ts_window *w) {
    if (w->kernel[1] != w->kernel[2] || w->stride[1] > 2 || (w->stride[1] == 2 && w->dilation[1] != 1)) return 0;
    switch (w->kernel[1]) {
    case 3: return w->stride[1] == 1 ? band_3 : 0;
    case 5: return w->stride[1] == 1 ? band_5 : band_5_by_2;
    case 7: return w->stride[1] == 1 ? band_7 : 0;
    default: return 0;
    }
}

static ptrdiff_t count_of(const ptrdiff_t *sizes) { return sizes[0] * sizes[1] * sizes[2]; }

/// Some columns of outputs of a plane, from column `x` on.
TS_INLINE void strip(plane *p, const layout *l, const ts_window *w, ptrdiff_t x, ptrdiff_t columns, const float *input,
                     float *memory, float *output) {
    band_kernel *shared = shared_rows(w), *single = w->kernel[1] == 3 && w->kernel[2] == 3 ? row_of_9 : row_of_any;
    const ptrdiff_t width = w->output[2], group = BLOCK_ROWS * l->apart;
    const ptrdiff_t reach = (w->kernel[1] - 1) * w->dilation[1] + 1;
    for (ptrdiff_t y = 0; y < w->output[1]; y += l->rows) {
        const ptrdiff_t rows = w->output[1] - y < l->rows ? w->output[1] - y : l->rows;
        const ptrdiff_t top = y * w->stride[1] - w->begin[1], start = x * w->stride[2] - w->begin[2];
        float *target = output + y * width + x;
        ptrdiff_t laid = 0;
        for (ptrdiff_t row = 0; row < rows;) {
            const int whole = shared && rows >= group && rows - row > l->apart;
            const ptrdiff_t step = whole ? group : 1, first = rows - row < step ? rows - step : row;
            const ptrdiff_t seen = (first + step - 1) * w->stride[1] + reach;
            if (w->stride[2] == 1) lay_rows(input, w, 1, l, top, start, laid, seen, memory);
            else if (w->stride[2] == 2) lay_rows(input, w, 2, l, top, start, laid, seen, memory);
            else lay_rows(input, w, w->stride[2], l, top, start, laid, seen, memory);
            if (laid < seen) laid = seen;
            const ptrdiff_t next = top + laid < 0 ? 0 : top + laid < w->input[1] ? top + laid : w->input[1];
            p->ahead = (const char *)(input + next * w->input[2]);
            if (!whole) compute(p, single, 1, row, memory, width, columns, target);
            else
                for (ptrdiff_t i = 0; i < l->apart; i++)
                    compute(p, shared, BLOCK_ROWS, first + i, memory, width, columns, target);
            row = first + step;
        }
    }
}

TS_SIMD
void ts_depthwise_f32(const float *input, const float *weights, const ts_window *w, const ts_depthwise_end *end,
                      ptrdiff_t planes, float *output) {
    const ptrdiff_t input_count = count_of(w->input), output_count = count_of(w->output), taps = count_of(w->kernel);
    layout l;
    if (!plan(w, &l)) {
        for (ptrdiff_t i = 0; i < planes; i++)
            by_definition(input + i * input_count, weights + i * taps, w, end, end->biases ? end->biases[i] : 0,
                          output + i * output_count);
        return;
    }
    float memory[SCRATCH];
    plane p = {.layout = &l, .end = *end, .kernel_rows = w->kernel[1], .kernel_columns = w->kernel[2]};
    const ptrdiff_t width = w->output[2], tile_columns = l.columns;
    for (ptrdiff_t x = 0; x < width; x += tile_columns) {
        const ptrdiff_t columns = width - x < tile_columns ? width - x : tile_columns;
        l.columns = columns < LANES ? LANES : columns;
        // All planes have their padding in the same places.
        memset(memory, 0, (size_t)(l.phase * w->stride[1] * w->stride[2]) * sizeof(float));
        const ptrdiff_t blocks = (l.columns + BLOCK_VECTORS * LANES - 1) / (BLOCK_VECTORS * LANES);
        p.ahead_step = BLOCK_ROWS * w->stride[1] * l.pitch * w->stride[2] * (ptrdiff_t)sizeof(float) / blocks;
        for (ptrdiff_t i = 0; i < planes; i++) {
            p.weights = weights + i * taps;
            p.bias = end->biases ? end->biases[i] : 0;
            strip(&p, &l, w, x, columns, input + i * input_count, memory, output + i * output_count);
        }
    }
}
