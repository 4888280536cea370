#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// Inner loops in C. Each is compiled for the baseline and for AVX2 with FMA; the better one is chosen when the program is
// loaded. Callers have checked that every index stays inside its array.
#ifndef TS_SIMD
#if defined(__x86_64__) && defined(__linux__)
#define TS_SIMD __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define TS_SIMD
#endif
#endif

// MARK: convolution.c

/// A window over three spatial dimensions, outermost first; `begin` is the padding before the input.
typedef struct {
    ptrdiff_t input[3], output[3], kernel[3], stride[3], dilation[3], begin[3];
} ts_window;

/// Patches as columns: row (channel, tap), column output position `first + i` for i in 0..<count. Rows are `count` apart.
void ts_patches_f32(const float *input, const ts_window *window, ptrdiff_t channel_begin, ptrdiff_t channel_end,
                    ptrdiff_t first, ptrdiff_t count, float *columns);

/// One output plane of a depthwise convolution, starting from `bias`; output rows `row_begin..<row_end` (over the first two
/// dimensions together).
void ts_depthwise_f32(const float *input, const float *weights, float bias, const ts_window *window, ptrdiff_t row_begin,
                      ptrdiff_t row_end, float *output);

/// `output[i] += bias`, and `+ residual[i]` unless residual is NULL.
void ts_add_bias_f32(float *output, const float *residual, float bias, ptrdiff_t count);

/// The transpose of `ts_patches_f32`: adds every column entry to the input position that it came from.
void ts_scatter_patches_f32(const float *columns, const ts_window *window, ptrdiff_t channel, ptrdiff_t count,
                            float *input);

// MARK: pooling.c

/// Largest element of every window of one plane.
void ts_max_pool_f32(const float *input, const ts_window *window, float *output);
/// Mean of every window of one plane; padding counts when `include_padding`, up to the padded end `end`.
void ts_average_pool_f32(const float *input, const ts_window *window, const ptrdiff_t end[3], int include_padding,
                         float *output);
/// Sum of `count` elements, by eight running sums.
float ts_sum_f32(const float *input, ptrdiff_t count);

// MARK: movement.c

/// Dimensions that `ts_copy_strided` takes at most.
enum { TS_MAX_RANK = 64 };

/// `target[Σ i·target_strides] = source[Σ i·source_strides]` for every index below `sizes`, for elements of `width` bytes
/// (1, 2, 4, 8 or 16), at any alignment. `rank` is 1 or more, every size 1 or more; strides count elements. The memories
/// do not overlap.
void ts_copy_strided(ptrdiff_t width, ptrdiff_t rank, const ptrdiff_t *sizes, const ptrdiff_t *source_strides,
                     const ptrdiff_t *target_strides, const void *source, void *target);

// MARK: resize.c

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
