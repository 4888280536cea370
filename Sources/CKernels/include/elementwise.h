#ifndef TS_ELEMENTWISE_H
#define TS_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>

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

/// `output[i] = x/2 · (1 + erf(x / sqrt 2))` of `x = input[i]`; `output` may be `input`. Errors are below 2.5e-7 times the
/// larger of 1 and |x|.
void ts_gelu_f32(const float *input, float *output, ptrdiff_t count);

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
