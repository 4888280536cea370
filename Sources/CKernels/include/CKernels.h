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

#include "convolution.h"
#include "pooling.h"

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
