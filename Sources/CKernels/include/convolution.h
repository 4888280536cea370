#ifndef TS_CONVOLUTION_H
#define TS_CONVOLUTION_H

#include <stddef.h>

/// A window over three spatial dimensions, outermost first; `begin` is the padding before the input.
typedef struct {
    ptrdiff_t input[3], output[3], kernel[3], stride[3], dilation[3], begin[3];
} ts_window;

/// Patches as columns: row (channel, tap), column output position `first + i` for i in 0..<count. Rows are `count` apart.
void ts_patches_f32(const float *input, const ts_window *window, ptrdiff_t channel_begin, ptrdiff_t channel_end,
                    ptrdiff_t first, ptrdiff_t count, float *columns);

/// Rows row_begin..<row_end of the same matrix as panels of `panel_columns` columns, at most 1024, `panel_stride` elements
/// apart: column i of row r at `panels[i / panel_columns * panel_stride + (r - row_begin) * panel_columns + i % panel_columns]`.
/// A row counts taps, and then channels.
void ts_patch_panels_f32(const float *input, const ts_window *window, ptrdiff_t row_begin, ptrdiff_t row_end,
                         ptrdiff_t first, ptrdiff_t count, ptrdiff_t panel_columns, ptrdiff_t panel_stride,
                         float *panels);

/// `target[i * row_count + r] = rows[r * row_stride + i] + bias`: elements of some rows in turn.
void ts_interleave_f32(const float *rows, ptrdiff_t row_stride, ptrdiff_t row_count, ptrdiff_t count, float bias,
                       float *target);

/// `output[i] += bias`, and `+ residual[i]` unless residual is NULL.
void ts_add_bias_f32(float *output, const float *residual, float bias, ptrdiff_t count);

/// The transpose of `ts_patches_f32`: adds every column entry to the input position that it came from.
void ts_scatter_patches_f32(const float *columns, const ts_window *window, ptrdiff_t channel, ptrdiff_t count,
                            float *input);

#endif
