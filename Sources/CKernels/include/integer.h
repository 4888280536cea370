#ifndef TS_INTEGER_H
#define TS_INTEGER_H

#include <stddef.h>
#include <stdint.h>

#include "convolution.h"

/// Lines of one packed panel of the left and of the right operand.
enum { TS_LEFT_LINES = 6, TS_RIGHT_LINES = 16 };

/// `lines` lines of `inner` bytes each, as panels of 16-bit differences from the lines' zero points: pair by pair along the
/// inner dimension, line by line within a pair. Missing lines and an odd last element are 0.
///
/// Bytes lie `line_stride` and `inner_stride` apart; zero points `zero_step`. `flip` is 0x80 for signed bytes, else 0.
/// `packed` holds the number of lines and `inner` rounded up to the panel's lines and to 2.
void ts_pack_left_8(const uint8_t *source, ptrdiff_t line_stride, ptrdiff_t inner_stride, ptrdiff_t lines,
                    ptrdiff_t inner, const uint8_t *zeros, ptrdiff_t zero_step, uint8_t flip, int16_t *packed);
void ts_pack_right_8(const uint8_t *source, ptrdiff_t line_stride, ptrdiff_t inner_stride, ptrdiff_t lines,
                     ptrdiff_t inner, const uint8_t *zeros, ptrdiff_t zero_step, uint8_t flip, int16_t *packed);

/// `result[row][column] = Σ left · right` of packed operands over `pairs` pairs; sums wrap in 32 bits.
void ts_multiply_s16(const int16_t *left, const int16_t *right, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t pairs,
                     int32_t *result, ptrdiff_t result_stride);

/// Patches of bytes, as `ts_patches_f32`; `padding` stands where the window leaves the input.
void ts_patches_8(const uint8_t *input, const ts_window *window, ptrdiff_t channel_begin, ptrdiff_t channel_end,
                  ptrdiff_t first, ptrdiff_t count, uint8_t padding, uint8_t *columns);

#endif
