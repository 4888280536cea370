#include "CKernels.h"
#include "elementary.h"

TS_SIMD
static void gelu(const float *input, float *output, ptrdiff_t count) {
    TS_INDEPENDENT for (ptrdiff_t i = 0; i < count; i++) output[i] = ts_gelu(input[i]);
}

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

// Coefficients of minimax polynomials for erf(x / sqrt 2) around the multiples i of 0.385: row k is those of
// (x / 0.385 - i)^k. From 14.5 multiples on the function is nearly 1.
static const float coefficients[5][16] = {
    {0.0f, 0.299762577f, 0.558700085f, 0.751909554f, 0.876439631f, 0.945770621f, 0.97911185f, 0.992961109f, 0.99792999f,
     0.999469757f, 0.999881864f, 0.999977171f, 0.999996185f, 0.999999464f, 0.99999994f, 1.0f},
    {0.307184845f, 0.285240263f, 0.228378102f, 0.157661587f, 0.0938475728f, 0.0481662787f, 0.0213148464f, 0.00813272782f,
     0.00267546554f, 0.00075886643f, 0.000185578174f, 3.91269241e-05f, 7.11217535e-06f, 1.11454244e-06f, 1.50572816e-07f},
    {1.40314196e-05f, -0.0211391505f, -0.0338504203f, -0.0350533091f, -0.0278208219f, -0.0178487226f, -0.0094784312f,
     -0.00421940396f, -0.00158643851f, -0.0005062485f, -0.000137565876f, -3.19070932e-05f, -6.32770207e-06f,
     -1.07437461e-06f, -1.56334721e-07f},
    {-0.00767381582f, -0.00596752483f, -0.00229931017f, 0.00127207406f, 0.00314990222f, 0.00320421602f, 0.00228255033f,
     0.00126399379f, 0.000566491974f, 0.000209656544f, 6.48274145e-05f, 1.68722472e-05f, 3.7148975e-06f, 6.94461903e-07f,
     1.10519792e-07f},
    {0.000203551084f, 0.000737069291f, 0.00099828199f, 0.000718126248f, 0.000218215733f, -0.000151617147f,
     -0.000271067169f, -0.00022162305f, -0.000127533975f, -5.68514952e-05f, -2.04125299e-05f, -6.02383307e-06f,
     -1.47878063e-06f, -3.04369507e-07f, -5.28120943e-08f},
};

/// The polynomials are looked up in registers.
__attribute__((target("arch=x86-64-v4")))
static void gelu_wide(const float *input, float *output, ptrdiff_t count) {
    __m512 table[5];
    for (int k = 0; k < 5; k++) table[k] = _mm512_loadu_ps(coefficients[k]);
    const __m512 scale = _mm512_set1_ps(1 / 0.385f), most = _mm512_set1_ps(15 * 0.385f), half = _mm512_set1_ps(0.5f);
    // Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits.
    const __m512 shift = _mm512_set1_ps(12582912.0f);
    for (ptrdiff_t i = 0; i < count; i += 16) {
        const __mmask16 present = count - i < 16 ? (__mmask16)((1 << (count - i)) - 1) : 0xffff;
        const __m512 x = _mm512_maskz_loadu_ps(present, input + i);
        const __m512 magnitude = _mm512_min_ps(_mm512_abs_ps(x), most);
        const __m512 shifted = _mm512_fmadd_ps(magnitude, scale, shift);
        const __m512 r = _mm512_fmsub_ps(magnitude, scale, _mm512_sub_ps(shifted, shift));
        const __m512i interval = _mm512_castps_si512(shifted);
        __m512 p = _mm512_permutexvar_ps(interval, table[4]);
        for (int k = 3; k >= 0; k--) p = _mm512_fmadd_ps(p, r, _mm512_permutexvar_ps(interval, table[k]));
        const __m512 half_x = _mm512_mul_ps(x, half);
        _mm512_mask_storeu_ps(output + i, present, _mm512_fmadd_ps(_mm512_abs_ps(half_x), p, half_x));
    }
}
#endif

void ts_gelu_f32(const float *input, float *output, ptrdiff_t count) {
#if defined(__x86_64__) && defined(__linux__)
    if (__builtin_cpu_supports("x86-64-v4")) return gelu_wide(input, output, count);
#endif
    gelu(input, output, count);
}
