#ifndef TS_RESIZE_H
#define TS_RESIZE_H

#include <stddef.h>
#include <stdint.h>

/// `output[x] = Σ weights[x·taps + k] · input[indices[x·taps + k]]` over the taps, for x in 0..<count.
void ts_interpolate_line_f32(const float *input, const int32_t *indices, const float *weights, ptrdiff_t taps,
                             ptrdiff_t count, float *output);
void ts_interpolate_line_f64(const double *input, const int32_t *indices, const double *weights, ptrdiff_t taps,
                             ptrdiff_t count, double *output);

/// `output[x] = Σ weights[k] · input[indices[k]·stride + x]` over the taps, for x in 0..<count.
void ts_blend_lines_f32(const float *input, ptrdiff_t stride, const int32_t *indices, const float *weights,
                        ptrdiff_t taps, ptrdiff_t count, float *output);
void ts_blend_lines_f64(const double *input, ptrdiff_t stride, const int32_t *indices, const double *weights,
                        ptrdiff_t taps, ptrdiff_t count, double *output);

#endif
