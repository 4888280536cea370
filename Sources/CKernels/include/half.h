#ifndef TS_HALF_H
#define TS_HALF_H

#include <stddef.h>
#include <stdint.h>

/// binary16 as binary32, exactly.
void ts_widen_f16(const uint16_t *input, float *output, ptrdiff_t count);
/// binary32 as the nearest binary16, halves to even.
void ts_narrow_f16(const float *input, uint16_t *output, ptrdiff_t count);

#endif
