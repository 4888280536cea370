#include "CKernels.h"

#include <string.h>

/// Outputs x for which `x * stride + offset` lies in 0..<size, as begin and end within 0..output.
static inline void valid_range(ptrdiff_t offset, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t output, ptrdiff_t *begin,
                               ptrdiff_t *end) {
    ptrdiff_t b = offset >= 0 ? 0 : -offset, e = size - offset <= 0 ? 0 : size - offset;
    if (stride > 1) {
        b = (b + stride - 1) / stride;
        e = (e + stride - 1) / stride;
    }
    if (e > output) e = output;
    if (b > e) b = e;
    *begin = b;
    *end = e;
}

/// Patches of elements of `size` bytes, 1 or 4; every byte of an element outside the input is `padding`.
static inline __attribute__((always_inline)) void patches(const uint8_t *input, const size_t size,
                                                          const ts_window *w, ptrdiff_t channel_begin,
                                                          ptrdiff_t channel_end, ptrdiff_t first, ptrdiff_t count,
                                                          uint8_t padding, uint8_t *columns) {
    const ptrdiff_t plane = w->input[0] * w->input[1] * w->input[2];
    const ptrdiff_t width = w->output[2];
    const ptrdiff_t first_row = first / width, first_x = first % width;
    for (ptrdiff_t channel = channel_begin; channel < channel_end; channel++) {
        const uint8_t *source = input + channel * plane * (ptrdiff_t)size;
        for (ptrdiff_t c = 0; c < w->kernel[0]; c++)
            for (ptrdiff_t b = 0; b < w->kernel[1]; b++)
                for (ptrdiff_t a = 0; a < w->kernel[2]; a++) {
                    const ptrdiff_t offset = a * w->dilation[2] - w->begin[2];
                    const ptrdiff_t stride = w->stride[2];
                    ptrdiff_t valid_begin, valid_end;
                    valid_range(offset, stride, w->input[2], width, &valid_begin, &valid_end);
                    ptrdiff_t row = first_row, x = first_x, left = count;
                    while (left > 0) {
                        const ptrdiff_t end = x + left < width ? x + left : width;
                        const ptrdiff_t z = (row / w->output[1]) * w->stride[0] - w->begin[0] + c * w->dilation[0];
                        const ptrdiff_t y = (row % w->output[1]) * w->stride[1] - w->begin[1] + b * w->dilation[1];
                        if (z < 0 || z >= w->input[0] || y < 0 || y >= w->input[1]) {
                            memset(columns, padding, (size_t)(end - x) * size);
                        } else {
                            const uint8_t *line = source + (z * w->input[1] + y) * w->input[2] * (ptrdiff_t)size;
                            ptrdiff_t i = x;
                            ptrdiff_t middle = valid_begin < x ? x : valid_begin > end ? end : valid_begin;
                            ptrdiff_t tail = valid_end < middle ? middle : valid_end > end ? end : valid_end;
                            if (middle > i) memset(columns, padding, (size_t)(middle - i) * size);
                            if (stride == 1) {
                                if (tail > middle)
                                    memcpy(columns + (middle - x) * (ptrdiff_t)size,
                                           line + (middle + offset) * (ptrdiff_t)size, (size_t)(tail - middle) * size);
                            } else {
                                for (i = middle; i < tail; i++)
                                    memcpy(columns + (i - x) * (ptrdiff_t)size,
                                           line + (i * stride + offset) * (ptrdiff_t)size, size);
                            }
                            if (end > tail)
                                memset(columns + (tail - x) * (ptrdiff_t)size, padding, (size_t)(end - tail) * size);
                        }
                        columns += (end - x) * (ptrdiff_t)size;
                        left -= end - x;
                        x = 0;
                        row++;
                    }
                }
    }
}

TS_SIMD
void ts_patches_f32(const float *input, const ts_window *w, ptrdiff_t channel_begin, ptrdiff_t channel_end,
                    ptrdiff_t first, ptrdiff_t count, float *columns) {
    patches((const uint8_t *)input, sizeof(float), w, channel_begin, channel_end, first, count, 0,
            (uint8_t *)columns);
}

/// Elements of a row of patches that are gathered at a time, before they go to their panels.
enum { LINE = 1024, LANES = 8 };
typedef float lane __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline __attribute__((always_inline)) void copy(const float *source, ptrdiff_t count, float *target) {
    if (count < LANES) {
        for (ptrdiff_t i = 0; i < count; i++) target[i] = source[i];
        return;
    }
    // The last vector begins earlier where they are no whole number.
    for (ptrdiff_t i = 0; i + LANES < count; i += LANES) *(lane *)(target + i) = *(const lane *)(source + i);
    *(lane *)(target + count - LANES) = *(const lane *)(source + count - LANES);
}

/// Every second element; what lies between them and nothing else is read beside them.
static inline __attribute__((always_inline)) void copy_even(const float *source, ptrdiff_t count, float *target) {
    if (count < LANES) {
        for (ptrdiff_t i = 0; i < count; i++) target[i] = source[2 * i];
        return;
    }
    for (ptrdiff_t i = 0;; i = i + 2 * LANES < count ? i + LANES : count - LANES) {
        const lane a = *(const lane *)(source + 2 * i), b = *(const lane *)(source + 2 * i + LANES - 1);
        *(lane *)(target + i) = __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
        if (i == count - LANES) return;
    }
}

static inline __attribute__((always_inline)) void clear(float *target, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) target[i] = 0;
}

/// An output position, and a tap with the outputs of a line for which it lies inside the input.
typedef struct {
    ptrdiff_t z, y, x;
} position;
typedef struct {
    ptrdiff_t c, b, a, begin, end;
} tap_position;

/// What a tap sees in a plane, for `count` outputs from a position on; `ahead` elements after it lies what is needed next.
static inline __attribute__((always_inline)) void gather(const float *plane, const ts_window *w, const tap_position *tap,
                                                         position at, ptrdiff_t count, ptrdiff_t ahead, float *line) {
    const ptrdiff_t width = w->output[2], stride = w->stride[2], offset = tap->a * w->dilation[2] - w->begin[2];
    ptrdiff_t z = at.z * w->stride[0] - w->begin[0] + tap->c * w->dilation[0];
    ptrdiff_t y = at.y * w->stride[1] - w->begin[1] + tap->b * w->dilation[1], left = w->output[1] - at.y, x = at.x;
    while (count > 0) {
        const ptrdiff_t length = width - x < count ? width - x : count;
        ptrdiff_t low = tap->begin < x ? 0 : tap->begin - x, high = tap->end < x ? 0 : tap->end - x;
        if (low > length) low = length;
        if (high > length) high = length;
        if (high < low || z < 0 || z >= w->input[0] || y < 0 || y >= w->input[1]) high = low = length;
        clear(line, low);
        if (high > low) {
            const float *from = plane + (z * w->input[1] + y) * w->input[2] + (x + low) * stride + offset;
            for (ptrdiff_t i = 0; ahead && i < (high - low) * stride; i += 16) __builtin_prefetch(from + ahead + i);
            if (stride == 1) copy(from, high - low, line + low);
            else if (stride == 2) copy_even(from, high - low, line + low);
            else
                for (ptrdiff_t i = low; i < high; i++) line[i] = from[(i - low) * stride];
        }
        clear(line + high, length - high);
        line += length;
        count -= length;
        x = 0;
        y += w->stride[1];
        if (--left == 0) {
            left = w->output[1];
            y -= left * w->stride[1];
            z += w->stride[0];
        }
    }
}

/// The next tap; returns whether there is one in this channel.
static inline __attribute__((always_inline)) int advance(const ts_window *w, tap_position *tap) {
    if (++tap->a == w->kernel[2]) {
        tap->a = 0;
        if (++tap->b == w->kernel[1]) {
            tap->b = 0;
            if (++tap->c == w->kernel[0]) tap->c = 0;
        }
    }
    valid_range(tap->a * w->dilation[2] - w->begin[2], w->stride[2], w->input[2], w->output[2], &tap->begin, &tap->end);
    return tap->a + tap->b + tap->c > 0;
}

TS_SIMD
void ts_patch_panels_f32(const float *input, const ts_window *w, ptrdiff_t row_begin, ptrdiff_t row_end, ptrdiff_t first,
                         ptrdiff_t count, ptrdiff_t panel_columns, ptrdiff_t panel_stride, float *panels) {
    const ptrdiff_t plane = w->input[0] * w->input[1] * w->input[2];
    const ptrdiff_t area = w->kernel[1] * w->kernel[2], taps = w->kernel[0] * area;
    const ptrdiff_t most = LINE / panel_columns * panel_columns;
    // Planes are too far apart for the processor to guess the next; several taps see the same part of one.
    const ptrdiff_t ahead = taps == 1 ? 2 * plane : 0;
    float line[LINE];
    for (ptrdiff_t done = 0; done < count; done += most) {
        const ptrdiff_t part = count - done < most ? count - done : most, output = first + done;
        const position at = {
            output / w->output[2] / w->output[1], output / w->output[2] % w->output[1], output % w->output[2]};
        const ptrdiff_t tap = row_begin % taps;
        tap_position seen = {tap / area, tap % area / w->kernel[2], tap % w->kernel[2] - 1, 0, 0};
        advance(w, &seen);
        const float *source = input + row_begin / taps * plane;
        float *target = panels + done / panel_columns * panel_stride;
        for (ptrdiff_t row = row_begin; row < row_end; row++, target += panel_columns) {
            gather(source, w, &seen, at, part, ahead, line);
            float *panel = target;
            for (ptrdiff_t i = 0; i < part; i += panel_columns, panel += panel_stride)
                copy(line + i, part - i < panel_columns ? part - i : panel_columns, panel);
            if (!advance(w, &seen)) source += plane;
        }
    }
}

TS_SIMD
void ts_patches_8(const uint8_t *input, const ts_window *w, ptrdiff_t channel_begin, ptrdiff_t channel_end,
                  ptrdiff_t first, ptrdiff_t count, uint8_t padding, uint8_t *columns) {
    patches(input, 1, w, channel_begin, channel_end, first, count, padding, columns);
}

TS_SIMD
void ts_interleave_f32(const float *rows, ptrdiff_t row_stride, ptrdiff_t row_count, ptrdiff_t count, float bias,
                       float *target) {
    typedef float lane __attribute__((vector_size(32), aligned(4), may_alias));
    ptrdiff_t i = 0;
    if (row_count == 2)
        for (; i + 8 <= count; i += 8) {
            const lane a = *(const lane *)(rows + i) + bias, b = *(const lane *)(rows + row_stride + i) + bias;
            *(lane *)(target + 2 * i) = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            *(lane *)(target + 2 * i + 8) = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        }
    for (; i < count; i++)
        for (ptrdiff_t r = 0; r < row_count; r++) target[i * row_count + r] = rows[r * row_stride + i] + bias;
}

TS_SIMD
void ts_add_bias_f32(float *restrict output, const float *restrict residual, float bias, ptrdiff_t count) {
    if (residual)
        for (ptrdiff_t i = 0; i < count; i++) output[i] += bias + residual[i];
    else if (bias != 0)
        for (ptrdiff_t i = 0; i < count; i++) output[i] += bias;
}

TS_SIMD
void ts_scatter_patches_f32(const float *columns, const ts_window *w, ptrdiff_t channel, ptrdiff_t count, float *input) {
    const ptrdiff_t taps = w->kernel[0] * w->kernel[1] * w->kernel[2];
    const float *row = columns + channel * taps * count;
    float *target = input + channel * w->input[0] * w->input[1] * w->input[2];
    for (ptrdiff_t c = 0; c < w->kernel[0]; c++)
        for (ptrdiff_t b = 0; b < w->kernel[1]; b++)
            for (ptrdiff_t a = 0; a < w->kernel[2]; a++, row += count) {
                const ptrdiff_t offset = a * w->dilation[2] - w->begin[2];
                ptrdiff_t begin, end;
                valid_range(offset, w->stride[2], w->input[2], w->output[2], &begin, &end);
                for (ptrdiff_t line = 0; line < w->output[0] * w->output[1]; line++) {
                    const ptrdiff_t z = (line / w->output[1]) * w->stride[0] - w->begin[0] + c * w->dilation[0];
                    const ptrdiff_t y = (line % w->output[1]) * w->stride[1] - w->begin[1] + b * w->dilation[1];
                    if (z < 0 || z >= w->input[0] || y < 0 || y >= w->input[1]) continue;
                    float *to = target + (z * w->input[1] + y) * w->input[2] + offset;
                    const float *from = row + line * w->output[2];
                    for (ptrdiff_t x = begin; x < end; x++) to[x * w->stride[2]] += from[x];
                }
            }
}
