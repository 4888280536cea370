#include "CKernels.h"

TS_SIMD void ts_widen_f16(const uint16_t *input, float *output, ptrdiff_t count) {
    const _Float16 *halves = (const _Float16 *)input;
    for (ptrdiff_t i = 0; i < count; i++) output[i] = (float)halves[i];
}

TS_SIMD void ts_narrow_f16(const float *input, uint16_t *output, ptrdiff_t count) {
    _Float16 *halves = (_Float16 *)output;
    for (ptrdiff_t i = 0; i < count; i++) halves[i] = (_Float16)input[i];
}
