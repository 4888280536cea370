#include "CKernels.h"

#include <string.h>

/// Outputs x for which `x * stride + offset` lies in 0..<size, as begin and end within 0..output.
static inline void valid_range(ptrdiff_t offset, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t output, ptrdiff_t *begin,
                               ptrdiff_t *end) {
    ptrdiff_t b = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    ptrdiff_t e = size - offset <= 0 ? 0 : (size - offset + stride - 1) / stride;
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

void ts_copy_rows_f32(const float *source, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t count, float *target) {
    enum { AHEAD = 2, LINE = 16 };
    for (ptrdiff_t row = 0; row < rows; row++, source += row_stride, target += count) {
        // Rows are too far apart for the processor to guess the next.
        if (row + AHEAD < rows)
            for (ptrdiff_t i = 0; i < count; i += LINE) __builtin_prefetch(source + AHEAD * row_stride + i);
        memcpy(target, source, (size_t)count * sizeof(float));
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
