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

// MARK: elementwise.c

/// Functions of one variable; `alpha` and `beta` are a function's parameters, where it has any.
typedef enum {
    TS_IDENTITY,
    TS_RELU,
    TS_CLIP,           // limited to [alpha, beta]
    TS_LEAKY_RELU,     // x < 0 ? alpha·x : x
    TS_SIGMOID,        // 1 / (1 + e^-x)
    TS_HARD_SIGMOID,   // alpha·x + beta, limited to [0, 1]
    TS_HARD_SWISH,     // x · (x/6 + 1/2, limited to [0, 1])
    TS_GELU,           // x/2 · (1 + erf(x/√2))
    TS_GELU_TANH,      // x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))
    TS_TANH,
    TS_SWISH,          // x / (1 + e^(-alpha·x))
    TS_MISH,           // x · tanh(log(1 + e^x))
    TS_ELU,            // x < 0 ? alpha (e^x - 1) : x
    TS_SELU,           // beta (x < 0 ? alpha (e^x - 1) : x)
    TS_CELU,           // x < 0 ? alpha (e^(x/alpha) - 1) : x
    TS_SOFTPLUS,       // log(1 + e^x)
    TS_SOFTSIGN,       // x / (1 + |x|)
    TS_EXP,
    TS_LOG,
    TS_ERF,
    TS_SQRT,
    TS_RECIPROCAL,
    TS_ABS,
    TS_NEGATE,
    TS_FLOOR,
    TS_CEIL,
    TS_ROUND,          // halves to even
} ts_function;

/// `output[i] = function(input[i])`; `output` may be `input`. Relative errors of exp, log, tanh and erf are below 2.5e-7.
void ts_apply_f32(ts_function function, float alpha, float beta, const float *input, float *output, ptrdiff_t count);

/// Functions of two variables.
typedef enum {
    TS_ADD,
    TS_SUBTRACT,
    TS_MULTIPLY,
    TS_DIVIDE,
    TS_MAXIMUM,  // NaN when one of both is
    TS_MINIMUM,
    TS_PRELU,    // a < 0 ? b·a : a
} ts_pair_function;

/// `output[i] = function(first[i · first_step], second[i · second_step])`, steps being 0 or 1; `output` may be an input
/// whose step is 1.
void ts_combine_f32(ts_pair_function function, const float *first, ptrdiff_t first_step, const float *second,
                    ptrdiff_t second_step, float *output, ptrdiff_t count);

#endif
