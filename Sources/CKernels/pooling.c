#include "CKernels.h"

#include <math.h>
#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

/// A line of the input is first reduced over the rows of a window, for so many outputs that it stays in a first-level
/// cache.
enum { LANES = 8, CHUNK = 4, LINE = 4096, MOST_OUTPUTS = 1024 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline void clamp_taps(ptrdiff_t start, ptrdiff_t kernel, ptrdiff_t dilation, ptrdiff_t size, ptrdiff_t *begin,
                              ptrdiff_t *end) {
    ptrdiff_t b = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    ptrdiff_t e = size - start <= 0 ? 0 : (size - start + dilation - 1) / dilation;
    *end = e < kernel ? e : kernel;
    *begin = b < *end ? b : *end;
}

/// The larger, or the sum; a NaN in a window is its largest element, as everywhere in the specification.
TS_INLINE void join(const int is_max, lane *result, const float *values) {
    const lane value = *(const lane *)values;
    if (is_max) {
        const mask larger = (value > *result) | (value != value);
        *result = (lane)((larger & (mask)value) | (~larger & (mask)*result));
    } else {
        *result += value;
    }
}

/// What is reduced to a line: rows of planes of the input, from `first` on.
typedef struct {
    const float *first;
    ptrdiff_t planes, rows, plane_stride, row_stride;
} row_set;

TS_INLINE void join_rows(const int is_max, const ptrdiff_t vectors, const row_set *set, ptrdiff_t x, float *line) {
    lane results[CHUNK];
    for (ptrdiff_t v = 0; v < vectors; v++) results[v] = (is_max ? -INFINITY : 0) - (lane){0};
    for (ptrdiff_t c = 0; c < set->planes; c++) {
        const float *row = set->first + c * set->plane_stride + x;
        for (ptrdiff_t b = 0; b < set->rows; b++, row += set->row_stride)
            for (ptrdiff_t v = 0; v < vectors; v++) join(is_max, &results[v], row + v * LANES);
    }
    for (ptrdiff_t v = 0; v < vectors; v++) *(lane *)(line + x + v * LANES) = results[v];
}

TS_INLINE void reduce_rows(const int is_max, const row_set *set, ptrdiff_t count, float *line) {
    ptrdiff_t x = 0;
    for (; x + CHUNK * LANES <= count; x += CHUNK * LANES) join_rows(is_max, CHUNK, set, x, line);
    for (; x + LANES <= count; x += LANES) join_rows(is_max, 1, set, x, line);
    if (x < count && count >= LANES) join_rows(is_max, 1, set, count - LANES, line);
    if (count >= LANES) return;
    for (; x < count; x++) {
        float result = is_max ? -INFINITY : 0;
        for (ptrdiff_t c = 0; c < set->planes; c++)
            for (ptrdiff_t b = 0; b < set->rows; b++) {
                const float value = set->first[c * set->plane_stride + b * set->row_stride + x];
                if (!is_max) result += value;
                else if (value > result || value != value) result = value;
            }
        line[x] = result;
    }
}

/// Element `j * stride + p` to `phases[p * length + j]`.
TS_INLINE void split(const float *line, ptrdiff_t stride, ptrdiff_t length, float *phases) {
    ptrdiff_t j = 0;
    if (stride == 2)
        for (; j + LANES <= length; j += LANES) {
            const lane a = *(const lane *)(line + 2 * j), b = *(const lane *)(line + 2 * j + LANES);
            *(lane *)(phases + j) = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
            *(lane *)(phases + length + j) = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
        }
    for (; j < length; j++)
        for (ptrdiff_t p = 0; p < stride; p++) phases[p * length + j] = line[j * stride + p];
}

/// How columns of a plane are pooled: outputs of a row at a time, and elements for each residue of the stride.
typedef struct {
    ptrdiff_t count, phase;
} strip;

/// Returns 0 where a window is too wide.
static int plan_strip(const ts_window *w, strip *s) {
    const ptrdiff_t stride = w->stride[2];
    if (stride > LINE / LANES || w->dilation[2] > LINE || w->kernel[2] > LINE) return 0;
    const ptrdiff_t reach = (w->kernel[2] - 1) * w->dilation[2] / stride;
    ptrdiff_t most = (LINE / stride - reach) / LANES * LANES;
    if (most > MOST_OUTPUTS) most = MOST_OUTPUTS;
    if (most < LANES) return 0;
    s->count = w->output[2] < most ? w->output[2] : most;
    s->phase = (s->count + LANES - 1) / LANES * LANES + reach;
    return 1;
}

/// Elements that each output of an axis has in its window.
TS_INLINE ptrdiff_t tap_count(const ts_window *w, const ptrdiff_t end[3], int include_padding, int axis, ptrdiff_t x) {
    const ptrdiff_t margin = include_padding ? w->begin[axis] : 0, after = include_padding ? end[axis] : 0;
    ptrdiff_t first, last;
    clamp_taps(x * w->stride[axis] - w->begin[axis] + margin, w->kernel[axis], w->dilation[axis],
               w->input[axis] + margin + after, &first, &last);
    return last - first;
}

TS_INLINE void pool_strip(const int is_max, const float *input, const ts_window *w, const ptrdiff_t end[3],
                          int include_padding, const strip *s, ptrdiff_t first, float *output) {
    float unsplit[LINE], phases[LINE], counts[MOST_OUTPUTS];
    const ptrdiff_t stride = w->stride[2], length = s->phase * stride, start = first * stride - w->begin[2];
    const ptrdiff_t count = w->output[2] - first < s->count ? w->output[2] - first : s->count;
    float *line = stride == 1 ? phases : unsplit;
    // Elements of the line that lie inside the input; the others stay as they are.
    ptrdiff_t begin = start < 0 ? -start : 0, last = w->input[2] - start < length ? w->input[2] - start : length;
    if (begin > length) begin = length;
    if (last < begin) last = begin;
    for (ptrdiff_t i = 0; i < length; i++) line[i] = is_max ? -INFINITY : 0;
    if (!is_max)
        for (ptrdiff_t x = 0; x < count; x++) counts[x] = (float)tap_count(w, end, include_padding, 2, first + x);
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++) {
        const ptrdiff_t z = row / w->output[1], y = row % w->output[1];
        const ptrdiff_t top[2] = {z * w->stride[0] - w->begin[0], y * w->stride[1] - w->begin[1]};
        ptrdiff_t c_begin, c_end, b_begin, b_end;
        clamp_taps(top[0], w->kernel[0], w->dilation[0], w->input[0], &c_begin, &c_end);
        clamp_taps(top[1], w->kernel[1], w->dilation[1], w->input[1], &b_begin, &b_end);
        row_set set = {.planes = c_end - c_begin,
                       .rows = b_end - b_begin,
                       .plane_stride = w->dilation[0] * w->input[1] * w->input[2],
                       .row_stride = w->dilation[1] * w->input[2]};
        const ptrdiff_t plane = top[0] + c_begin * w->dilation[0], line_of_plane = top[1] + b_begin * w->dilation[1];
        if (set.rows == 0) set.planes = 0;
        if (set.planes > 0) set.first = input + (plane * w->input[1] + line_of_plane) * w->input[2] + start + begin;
        reduce_rows(is_max, &set, last - begin, line + begin);
        if (stride > 1) split(line, stride, s->phase, phases);
        float *out = output + row * w->output[2] + first;
        const float seen =
            is_max ? 0 : (float)(tap_count(w, end, include_padding, 0, z) * tap_count(w, end, include_padding, 1, y));
        for (ptrdiff_t x = 0; x < count; x += LANES) {
            lane result = (is_max ? -INFINITY : 0) - (lane){0};
            ptrdiff_t phase = 0, offset = 0;
            for (ptrdiff_t a = 0; a < w->kernel[2]; a++) {
                join(is_max, &result, phases + phase * s->phase + offset + x);
                for (phase += w->dilation[2]; phase >= stride; phase -= stride) offset++;
            }
            if (x + LANES <= count) *(lane *)(out + x) = result;
            else memcpy(out + x, &result, (size_t)(count - x) * sizeof(float));
        }
        if (!is_max)
            for (ptrdiff_t x = 0; x < count; x++) out[x] = seen * counts[x] > 0 ? out[x] / (seen * counts[x]) : 0;
    }
}

/// The definition, for windows that are wider than a line.
static void pool_by_definition(const int is_max, const float *input, const ts_window *w, const ptrdiff_t end[3],
                               int include_padding, float *output) {
    for (ptrdiff_t z = 0; z < w->output[0]; z++)
        for (ptrdiff_t y = 0; y < w->output[1]; y++)
            for (ptrdiff_t x = 0; x < w->output[2]; x++, output++) {
                const ptrdiff_t at[3] = {z * w->stride[0] - w->begin[0], y * w->stride[1] - w->begin[1],
                                         x * w->stride[2] - w->begin[2]};
                ptrdiff_t first[3], last[3];
                for (int axis = 0; axis < 3; axis++)
                    clamp_taps(at[axis], w->kernel[axis], w->dilation[axis], w->input[axis], &first[axis], &last[axis]);
                float result = is_max ? -INFINITY : 0;
                for (ptrdiff_t c = first[0]; c < last[0]; c++)
                    for (ptrdiff_t b = first[1]; b < last[1]; b++)
                        for (ptrdiff_t a = first[2]; a < last[2]; a++) {
                            const float value = input[((at[0] + c * w->dilation[0]) * w->input[1] + at[1] +
                                                       b * w->dilation[1]) * w->input[2] + at[2] + a * w->dilation[2]];
                            if (!is_max) result += value;
                            else if (value > result || value != value) result = value;
                        }
                if (!is_max) {
                    const ptrdiff_t count = tap_count(w, end, include_padding, 0, z) *
                                            tap_count(w, end, include_padding, 1, y) *
                                            tap_count(w, end, include_padding, 2, x);
                    result = count > 0 ? result / (float)count : 0;
                }
                *output = result;
            }
}

TS_SIMD
void ts_max_pool_f32(const float *input, const ts_window *w, float *output) {
    static const ptrdiff_t none[3];
    strip s;
    if (plan_strip(w, &s))
        for (ptrdiff_t first = 0; first < w->output[2]; first += s.count)
            pool_strip(1, input, w, none, 0, &s, first, output);
    else
        pool_by_definition(1, input, w, none, 0, output);
}

TS_SIMD
void ts_average_pool_f32(const float *input, const ts_window *w, const ptrdiff_t end[3], int include_padding,
                         float *output) {
    strip s;
    if (plan_strip(w, &s))
        for (ptrdiff_t first = 0; first < w->output[2]; first += s.count)
            pool_strip(0, input, w, end, include_padding, &s, first, output);
    else
        pool_by_definition(0, input, w, end, include_padding, output);
}

TS_SIMD
float ts_sum_f32(const float *input, ptrdiff_t count) {
    float partial[16] = {0};
    ptrdiff_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int lane = 0; lane < 16; lane++) partial[lane] += input[i + lane];
    for (; i < count; i++) partial[i % 16] += input[i];
    for (int width = 8; width >= 1; width /= 2)
        for (int lane = 0; lane < width; lane++) partial[lane] += partial[lane + width];
    return partial[0];
}
