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

/// What an axis of `count` elements is made of: element x is `Σ weights[x·taps + k] · source[indices[x·taps + k]]`.
typedef struct {
    const int32_t *indices;
    const float *weights;
    ptrdiff_t taps, count;
} ts_axis;

/// Elements of scratch memory for `ts_resize_rows_f32`.
ptrdiff_t ts_resize_scratch(ptrdiff_t width, ptrdiff_t row_count, ptrdiff_t output_width);

/// Some rows of a plane resized in both dimensions: the `row_count` input rows `rows` are resized to `horizontal->count`
/// columns, and blended to `vertical->count` rows, whose indices count among `rows`.
void ts_resize_rows_f32(const float *plane, ptrdiff_t width, const int32_t *rows, ptrdiff_t row_count,
                        const ts_axis *horizontal, const ts_axis *vertical, float *scratch, float *output);

#endif
