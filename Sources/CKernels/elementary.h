#ifndef ELEMENTARY_H
#define ELEMENTARY_H

// Elementary functions without branches and calls, so that loops over them vectorise. The polynomials are minimax fits by
// the Remez exchange algorithm; arguments are reduced after W. J. Cody and W. Waite, "Software Manual for the Elementary
// Functions" (1980). NaN gives NaN.

#include <math.h>
#include <stdint.h>
#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

/// Before a loop whose iterations are independent, even when its input and its output are the same array.
#define TS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")

TS_INLINE float ts_from_bits(int32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

TS_INLINE int32_t ts_to_bits(float value) {
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

TS_INLINE float ts_limit(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

/// `x = n·log 2 + r`; returns r, and n as an integer.
TS_INLINE float ts_reduce_exponent(float x, int32_t *n) {
    // Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits.
    const float shift = 12582912.0f;
    float shifted = x * 1.44269504f + shift;
    float whole = shifted - shift;
    *n = ts_to_bits(shifted) - ts_to_bits(shift);
    return (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
}

/// e^r - 1 for |r| <= log(2)/2.
TS_INLINE float ts_expm1_reduced(float r) {
    float p = 1.38177827e-3f;
    p = p * r + 8.36811587e-3f;
    p = p * r + 4.16682698e-2f;
    p = p * r + 1.66665271e-1f;
    p = p * r + 4.99999940e-1f;
    return p * (r * r) + r;
}

TS_INLINE float ts_exp(float x) {
    int32_t n;
    float r = ts_reduce_exponent(ts_limit(x, -104.0f, 89.0f), &n);
    // Two factors: 2^n itself may lie outside the normal numbers.
    int32_t half = n >> 1;
    float power = (ts_expm1_reduced(r) + 1.0f) * ts_from_bits((half + 127) << 23);
    return power * ts_from_bits((n - half + 127) << 23);
}

/// e^x where it and its reduction stay normal: -87 <= x <= 88.
TS_INLINE float ts_exp_normal(float x) {
    int32_t n;
    float r = ts_reduce_exponent(x, &n);
    return (ts_expm1_reduced(r) + 1.0f) * ts_from_bits((n + 127) << 23);
}

/// e^x for x <= 0; 0 where it would not be a normal number.
TS_INLINE float ts_exp_nonpositive(float x) {
    float power = ts_exp_normal(x < -87.0f ? -87.0f : x);
    return x < -87.0f ? 0.0f : power;
}

/// e^x - 1 for x <= 88; -1 from -18 down.
TS_INLINE float ts_expm1(float x) {
    int32_t n;
    float r = ts_reduce_exponent(ts_limit(x, -18.0f, 88.0f), &n);
    float scale = ts_from_bits((n + 127) << 23);
    return scale * ts_expm1_reduced(r) + (scale - 1.0f);
}

TS_INLINE float ts_tanh(float x) {
    float magnitude = fabsf(x);
    float m = ts_expm1(2.0f * (magnitude > 10.0f ? 10.0f : magnitude));
    return copysignf(m / (m + 2.0f), x);
}

TS_INLINE float ts_sigmoid(float x) { return 1.0f / (1.0f + ts_exp(-x)); }

/// log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2).
TS_INLINE float ts_log1p_reduced(float f, float exponent) {
    float p = 6.94262683e-2f;
    p = p * f - 1.17454648e-1f;
    p = p * f + 1.18352540e-1f;
    p = p * f - 1.23902075e-1f;
    p = p * f + 1.42251551e-1f;
    p = p * f - 1.66690797e-1f;
    p = p * f + 2.00018480e-1f;
    p = p * f - 2.49999866e-1f;
    p = p * f + 3.33333164e-1f;
    float square = f * f;
    float tail = p * (square * f) - exponent * 2.12194440e-4f - 0.5f * square;
    return (f + tail) + exponent * 0.693359375f;
}

/// log x for a normal x > 0.
TS_INLINE float ts_log_normal(float x) {
    // The bits of sqrt(1/2) as origin put the mantissa into [sqrt(1/2), sqrt(2)).
    const int32_t origin = 0x3f3504f3;
    int32_t offset = ts_to_bits(x) - origin;
    int32_t exponent = offset >> 23;
    float mantissa = ts_from_bits((offset & 0x007fffff) + origin);
    return ts_log1p_reduced(mantissa - 1.0f, (float)exponent);
}

TS_INLINE float ts_log(float x) {
    const float smallest_normal = 1.17549435e-38f;
    int is_small = x < smallest_normal;
    float result = ts_log_normal(is_small ? x * 8388608.0f : x) - (is_small ? 15.9423847f : 0.0f);
    result = x == INFINITY ? x : result;
    result = x == 0.0f ? -INFINITY : result;
    return x < 0.0f || x != x ? NAN : result;
}

/// log(1 + y) for 0 <= y <= 1.
TS_INLINE float ts_log1p_unit(float y) {
    float sum = 1.0f + y;
    // What rounding the sum has lost, divided by the sum, is the error of its logarithm.
    return ts_log_normal(sum) + (y - (sum - 1.0f)) / sum;
}

TS_INLINE float ts_softplus(float x) {
    float correction = ts_log1p_unit(ts_exp(-fabsf(x)));
    return (x < 0.0f ? 0.0f : x) + correction;
}

TS_INLINE float ts_erf(float x) {
    float magnitude = fabsf(x);
    float square = x * x;
    float p = 7.85386728e-5f;
    p = p * square - 8.01019545e-4f;
    p = p * square + 5.18832775e-3f;
    p = p * square - 2.68538129e-2f;
    p = p * square + 1.12835854e-1f;
    p = p * square - 3.76126260e-1f;
    p = p * square + 1.12837911f;
    float inner = p * x;
    // log erfc x for 1 <= x <= 4, from where on erf x rounds to 1.
    float y = magnitude > 4.0f ? 4.0f : magnitude;
    float q = 1.85573983e-4f;
    q = q * y - 2.93960702e-3f;
    q = q * y + 2.18053181e-2f;
    q = q * y - 1.03037365e-1f;
    q = q * y - 6.38225675e-1f;
    q = q * y - 1.12704003f;
    q = q * y - 3.53719399e-4f;
    float outer = copysignf(1.0f - ts_exp_normal(q), x);
    return magnitude < 1.0f ? inner : outer;
}

/// x · tanh(log(1 + e^x)): with w = e^x the tangent is (w² + 2w) / (w² + 2w + 2).
TS_INLINE float ts_mish(float x) {
    float w = ts_exp(x > 20.0f ? 20.0f : x);
    float numerator = w * (w + 2.0f);
    return x * (numerator / (numerator + 2.0f));
}

TS_INLINE float ts_gelu(float x) { return 0.5f * x * (1.0f + ts_erf(x * 0.707106781f)); }

TS_INLINE float ts_gelu_tanh(float x) {
    return 0.5f * x * (1.0f + ts_tanh(0.797884561f * (x + 0.044715f * x * x * x)));
}

#endif
