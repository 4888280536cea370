#include "CKernels.h"
#include "elementary.h"

#define APPLY(expression)                                  \
    TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) { \
        float x = input[i];                                \
        output[i] = (expression);                          \
    }                                                      \
    break;

TS_SIMD void ts_apply_f32(ts_function function, float alpha, float beta, const float *input, float *output,
                          ptrdiff_t count) {
    switch (function) {
    case TS_IDENTITY: APPLY(x)
    case TS_RELU: APPLY(x < 0.0f ? 0.0f : x)
    case TS_CLIP: APPLY(ts_limit(x, alpha, beta))
    case TS_LEAKY_RELU: APPLY(x < 0.0f ? alpha * x : x)
    case TS_SIGMOID: APPLY(ts_sigmoid(x))
    case TS_HARD_SIGMOID: APPLY(ts_limit(alpha * x + beta, 0.0f, 1.0f))
    case TS_HARD_SWISH: APPLY(x * ts_limit(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f))
    case TS_GELU: ts_gelu_f32(input, output, count); break;
    case TS_GELU_TANH: APPLY(ts_gelu_tanh(x))
    case TS_TANH: APPLY(ts_tanh(x))
    case TS_SWISH: APPLY(x / (1.0f + ts_exp(-alpha * x)))
    case TS_MISH: APPLY(ts_mish(x))
    case TS_ELU: APPLY(x < 0.0f ? alpha * ts_expm1(x) : x)
    case TS_SELU: APPLY(beta * (x < 0.0f ? alpha * ts_expm1(x) : x))
    case TS_CELU: APPLY(x < 0.0f ? alpha * ts_expm1(x / alpha) : x)
    case TS_SOFTPLUS: APPLY(ts_softplus(x))
    case TS_SOFTSIGN: APPLY(x / (1.0f + fabsf(x)))
    case TS_EXP: APPLY(ts_exp(x))
    case TS_LOG: APPLY(ts_log(x))
    case TS_ERF: APPLY(ts_erf(x))
    case TS_SQRT: APPLY(__builtin_elementwise_sqrt(x))
    case TS_RECIPROCAL: APPLY(1.0f / x)
    case TS_ABS: APPLY(fabsf(x))
    case TS_NEGATE: APPLY(-x)
    case TS_FLOOR: APPLY(floorf(x))
    case TS_CEIL: APPLY(ceilf(x))
    case TS_ROUND: APPLY(nearbyintf(x))
    }
}

#define LOOP(first, second, expression)                    \
    TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) { \
        float a = (first);                                 \
        float b = (second);                                \
        output[i] = (expression);                          \
    }

#define COMBINE(expression)                    \
    if (first_step && second_step) {           \
        LOOP(first[i], second[i], expression)  \
    } else if (first_step) {                   \
        const float repeated = *second;        \
        LOOP(first[i], repeated, expression)   \
    } else if (second_step) {                  \
        const float repeated = *first;         \
        LOOP(repeated, second[i], expression)  \
    } else {                                   \
        const float a0 = *first, b0 = *second; \
        LOOP(a0, b0, expression)               \
    }                                          \
    break;

TS_SIMD void ts_combine_f32(ts_pair_function function, const float *first, ptrdiff_t first_step, const float *second,
                            ptrdiff_t second_step, float *output, ptrdiff_t count) {
    if (count <= 0) return;
    switch (function) {
    case TS_ADD: COMBINE(a + b)
    case TS_SUBTRACT: COMBINE(a - b)
    case TS_MULTIPLY: COMBINE(a * b)
    case TS_DIVIDE: COMBINE(a / b)
    case TS_MAXIMUM: COMBINE((a < b || b != b) ? b : a)
    case TS_MINIMUM: COMBINE((b < a || b != b) ? b : a)
    case TS_PRELU: COMBINE(a < 0.0f ? b * a : a)
    }
}
