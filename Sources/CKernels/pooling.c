#include "CKernels.h"

#include <math.h>

static inline void clamp_taps(ptrdiff_t start, ptrdiff_t kernel, ptrdiff_t dilation, ptrdiff_t size, ptrdiff_t *begin,
                              ptrdiff_t *end) {
    ptrdiff_t b = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    ptrdiff_t e = size - start <= 0 ? 0 : (size - start + dilation - 1) / dilation;
    *end = e < kernel ? e : kernel;
    *begin = b < *end ? b : *end;
}

TS_SIMD
void ts_max_pool_f32(const float *restrict input, const ts_window *w, float *restrict output) {
    const ptrdiff_t width = w->output[2];
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++) {
        float *restrict out = output + row * width;
        for (ptrdiff_t x = 0; x < width; x++) out[x] = -INFINITY;
        const ptrdiff_t z0 = (row / w->output[1]) * w->stride[0] - w->begin[0];
        const ptrdiff_t y0 = (row % w->output[1]) * w->stride[1] - w->begin[1];
        ptrdiff_t c_begin, c_end, b_begin, b_end;
        clamp_taps(z0, w->kernel[0], w->dilation[0], w->input[0], &c_begin, &c_end);
        clamp_taps(y0, w->kernel[1], w->dilation[1], w->input[1], &b_begin, &b_end);
        for (ptrdiff_t c = c_begin; c < c_end; c++)
            for (ptrdiff_t b = b_begin; b < b_end; b++) {
                const float *restrict line =
                    input + ((z0 + c * w->dilation[0]) * w->input[1] + y0 + b * w->dilation[1]) * w->input[2];
                for (ptrdiff_t a = 0; a < w->kernel[2]; a++) {
                    const ptrdiff_t offset = a * w->dilation[2] - w->begin[2], stride = w->stride[2];
                    ptrdiff_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
                    ptrdiff_t end = w->input[2] - offset <= 0 ? 0 : (w->input[2] - offset + stride - 1) / stride;
                    if (end > width) end = width;
                    // A NaN in the window is the result, as everywhere in the specification.
                    if (stride == 1)
                        for (ptrdiff_t x = begin; x < end; x++) {
                            const float value = line[x + offset];
                            out[x] = value > out[x] || value != value ? value : out[x];
                        }
                    else
                        for (ptrdiff_t x = begin; x < end; x++) {
                            const float value = line[x * stride + offset];
                            out[x] = value > out[x] || value != value ? value : out[x];
                        }
                }
            }
    }
}

TS_SIMD
void ts_average_pool_f32(const float *restrict input, const ts_window *w, const ptrdiff_t end[3], int include_padding,
                         float *restrict output) {
    ptrdiff_t index = 0;
    for (ptrdiff_t z = 0; z < w->output[0]; z++)
        for (ptrdiff_t y = 0; y < w->output[1]; y++)
            for (ptrdiff_t x = 0; x < w->output[2]; x++) {
                const ptrdiff_t at[3] = {z * w->stride[0] - w->begin[0], y * w->stride[1] - w->begin[1],
                                         x * w->stride[2] - w->begin[2]};
                ptrdiff_t first[3], last[3], padded = 1, seen = 1;
                for (int axis = 0; axis < 3; axis++) {
                    clamp_taps(at[axis], w->kernel[axis], w->dilation[axis], w->input[axis], &first[axis], &last[axis]);
                    ptrdiff_t all_begin, all_end;
                    clamp_taps(at[axis] + w->begin[axis], w->kernel[axis], w->dilation[axis],
                               w->input[axis] + w->begin[axis] + end[axis], &all_begin, &all_end);
                    padded *= all_end - all_begin;
                    seen *= last[axis] - first[axis];
                }
                float sum = 0;
                for (ptrdiff_t c = first[0]; c < last[0]; c++)
                    for (ptrdiff_t b = first[1]; b < last[1]; b++) {
                        const float *line =
                            input + ((at[0] + c * w->dilation[0]) * w->input[1] + at[1] + b * w->dilation[1]) * w->input[2] +
                            at[2];
                        for (ptrdiff_t a = first[2]; a < last[2]; a++) sum += line[a * w->dilation[2]];
                    }
                const ptrdiff_t divisor = include_padding ? padded : seen;
                output[index++] = divisor > 0 ? sum / (float)divisor : 0;
            }
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
