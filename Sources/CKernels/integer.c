#include "CKernels.h"

#include <string.h>

#define TS_INLINE static inline __attribute__((always_inline))

TS_INLINE void pack(const uint8_t *source, ptrdiff_t line_stride, ptrdiff_t inner_stride, ptrdiff_t lines,
                    ptrdiff_t inner, const uint8_t *zeros, ptrdiff_t zero_step, uint8_t flip, const ptrdiff_t width,
                    int16_t *packed) {
    for (ptrdiff_t first = 0; first < lines; first += width) {
        const ptrdiff_t count = lines - first < width ? lines - first : width;
        int16_t zero[TS_RIGHT_LINES];
        for (ptrdiff_t line = 0; line < count; line++) zero[line] = zeros[(first + line) * zero_step] ^ flip;
        const uint8_t *even = source + first * line_stride;
        ptrdiff_t k = 0;
        // Contiguous lines: sixteen bytes of each are widened at once, then their pairs are interleaved.
        for (; count == width && inner_stride == 1 && k + 16 <= inner; k += 16, even += 16, packed += 16 * width) {
            int16_t wide[TS_RIGHT_LINES][16];
            for (ptrdiff_t line = 0; line < width; line++)
                for (ptrdiff_t i = 0; i < 16; i++)
                    wide[line][i] = (int16_t)((even[line * line_stride + i] ^ flip) - zero[line]);
            for (ptrdiff_t pair = 0; pair < 8; pair++)
                for (ptrdiff_t line = 0; line < width; line++)
                    memcpy(packed + 2 * (pair * width + line), wide[line] + 2 * pair, 2 * sizeof(int16_t));
        }
        for (; k < inner; k += 2, even += 2 * inner_stride, packed += 2 * width) {
            const uint8_t *odd = even + inner_stride;
            if (count == width && k + 1 < inner && line_stride == 1) {
                for (ptrdiff_t line = 0; line < width; line++) {
                    packed[2 * line] = (int16_t)((even[line] ^ flip) - zero[line]);
                    packed[2 * line + 1] = (int16_t)((odd[line] ^ flip) - zero[line]);
                }
                continue;
            }
            if (count < width || k + 1 == inner) memset(packed, 0, (size_t)(2 * width) * sizeof(int16_t));
            for (ptrdiff_t line = 0; line < count; line++) {
                packed[2 * line] = (int16_t)((even[line * line_stride] ^ flip) - zero[line]);
                if (k + 1 < inner) packed[2 * line + 1] = (int16_t)((odd[line * line_stride] ^ flip) - zero[line]);
            }
        }
    }
}

TS_SIMD void ts_pack_left_8(const uint8_t *source, ptrdiff_t line_stride, ptrdiff_t inner_stride, ptrdiff_t lines,
                            ptrdiff_t inner, const uint8_t *zeros, ptrdiff_t zero_step, uint8_t flip,
                            int16_t *packed) {
    pack(source, line_stride, inner_stride, lines, inner, zeros, zero_step, flip, TS_LEFT_LINES, packed);
}

TS_SIMD void ts_pack_right_8(const uint8_t *source, ptrdiff_t line_stride, ptrdiff_t inner_stride, ptrdiff_t lines,
                             ptrdiff_t inner, const uint8_t *zeros, ptrdiff_t zero_step, uint8_t flip,
                             int16_t *packed) {
    pack(source, line_stride, inner_stride, lines, inner, zeros, zero_step, flip, TS_RIGHT_LINES, packed);
}

typedef int16_t pairs8 __attribute__((vector_size(32)));
typedef int32_t products16 __attribute__((vector_size(64)));
typedef int32_t sums8 __attribute__((vector_size(32)));
typedef uint32_t wraps8 __attribute__((vector_size(32)));

/// `sum += left · right`, two products for each of eight sums. Written so that a compiler sees the one instruction that
/// multiplies pairs, where there is one.
#define TS_ADD_PAIRS(sum, left, right)                                                                               \
    do {                                                                                                             \
        const products16 products =                                                                                  \
            __builtin_convertvector(left, products16) * __builtin_convertvector(right, products16);                  \
        const sums8 even = __builtin_shufflevector(products, products, 0, 2, 4, 6, 8, 10, 12, 14);                   \
        const sums8 odd = __builtin_shufflevector(products, products, 1, 3, 5, 7, 9, 11, 13, 15);                    \
        sum += (wraps8)(even + odd);                                                                                 \
    } while (0)

/// One tile: `rows` (at most `TS_LEFT_LINES`, known when compiled) by `TS_RIGHT_LINES`.
TS_INLINE void multiply_tile(const int16_t *left, const int16_t *right, const ptrdiff_t rows, ptrdiff_t columns,
                             ptrdiff_t pairs, int32_t *result, ptrdiff_t result_stride) {
    wraps8 sums[TS_LEFT_LINES][2];
#pragma clang loop unroll(full)
    for (ptrdiff_t row = 0; row < rows; row++) sums[row][0] = sums[row][1] = (wraps8){0};
    for (ptrdiff_t pair = 0; pair < pairs; pair++, left += 2 * TS_LEFT_LINES, right += 2 * TS_RIGHT_LINES) {
        pairs8 first, second;
        memcpy(&first, right, sizeof first);
        memcpy(&second, right + 16, sizeof second);
#pragma clang loop unroll(full)
        for (ptrdiff_t row = 0; row < rows; row++) {
            int32_t both;
            memcpy(&both, left + 2 * row, sizeof both);
            const pairs8 repeated = (pairs8)(sums8){both, both, both, both, both, both, both, both};
            TS_ADD_PAIRS(sums[row][0], repeated, first);
            TS_ADD_PAIRS(sums[row][1], repeated, second);
        }
    }
#pragma clang loop unroll(full)
    for (ptrdiff_t row = 0; row < rows; row++)
        memcpy(result + row * result_stride, sums[row], (size_t)columns * sizeof(int32_t));
}

TS_SIMD void ts_multiply_s16(const int16_t *left, const int16_t *right, ptrdiff_t rows, ptrdiff_t columns,
                             ptrdiff_t pairs, int32_t *result, ptrdiff_t result_stride) {
    for (ptrdiff_t column = 0; column < columns; column += TS_RIGHT_LINES) {
        const ptrdiff_t width = columns - column < TS_RIGHT_LINES ? columns - column : TS_RIGHT_LINES;
        const int16_t *panel = right + column * 2 * pairs;
        for (ptrdiff_t row = 0; row < rows; row += TS_LEFT_LINES) {
            const int16_t *lines = left + row * 2 * pairs;
            int32_t *target = result + row * result_stride + column;
            switch (rows - row) {
                case 1: multiply_tile(lines, panel, 1, width, pairs, target, result_stride); break;
                case 2: multiply_tile(lines, panel, 2, width, pairs, target, result_stride); break;
                case 3: multiply_tile(lines, panel, 3, width, pairs, target, result_stride); break;
                case 4: multiply_tile(lines, panel, 4, width, pairs, target, result_stride); break;
                case 5: multiply_tile(lines, panel, 5, width, pairs, target, result_stride); break;
                default: multiply_tile(lines, panel, TS_LEFT_LINES, width, pairs, target, result_stride);
            }
        }
    }
}
