#include "CKernels.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Elements by width. Constants of a model lie in its file at any alignment.
typedef uint8_t word8;
typedef uint16_t __attribute__((aligned(1), may_alias)) word16;
typedef uint32_t __attribute__((aligned(1), may_alias)) word32;
typedef uint64_t __attribute__((aligned(1), may_alias)) word64;
typedef struct {
    word64 low, high;
} word128;

typedef uint16_t __attribute__((vector_size(16), aligned(1), may_alias)) vector16;
typedef uint32_t __attribute__((vector_size(16), aligned(1), may_alias)) vector32;
typedef uint64_t __attribute__((vector_size(16), aligned(1), may_alias)) vector64;

#define SHUFFLE __builtin_shufflevector

// A square of `tile` × `tile` elements, transposed in registers.

INLINE void transpose_tile_word32(word32 *target, ptrdiff_t row, const word32 *source, ptrdiff_t column) {
    const vector32 a = *(const vector32 *)source, b = *(const vector32 *)(source + column);
    const vector32 c = *(const vector32 *)(source + 2 * column), d = *(const vector32 *)(source + 3 * column);
    const vector32 ab0 = SHUFFLE(a, b, 0, 4, 1, 5), ab1 = SHUFFLE(a, b, 2, 6, 3, 7);
    const vector32 cd0 = SHUFFLE(c, d, 0, 4, 1, 5), cd1 = SHUFFLE(c, d, 2, 6, 3, 7);
    *(vector32 *)target = SHUFFLE(ab0, cd0, 0, 1, 4, 5);
    *(vector32 *)(target + row) = SHUFFLE(ab0, cd0, 2, 3, 6, 7);
    *(vector32 *)(target + 2 * row) = SHUFFLE(ab1, cd1, 0, 1, 4, 5);
    *(vector32 *)(target + 3 * row) = SHUFFLE(ab1, cd1, 2, 3, 6, 7);
}

INLINE void transpose_tile_word16(word16 *target, ptrdiff_t row, const word16 *source, ptrdiff_t column) {
    vector16 pairs[8];
    vector32 quads[8];
    for (int i = 0; i < 4; i++) {
        const vector16 a = *(const vector16 *)(source + 2 * i * column);
        const vector16 b = *(const vector16 *)(source + (2 * i + 1) * column);
        pairs[2 * i] = SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        pairs[2 * i + 1] = SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 2; i++) {
            const vector32 a = (vector32)pairs[4 * half + i], b = (vector32)pairs[4 * half + 2 + i];
            quads[4 * half + 2 * i] = SHUFFLE(a, b, 0, 4, 1, 5);
            quads[4 * half + 2 * i + 1] = SHUFFLE(a, b, 2, 6, 3, 7);
        }
    for (int i = 0; i < 4; i++) {
        const vector64 a = (vector64)quads[i], b = (vector64)quads[4 + i];
        *(vector64 *)(target + 2 * i * row) = SHUFFLE(a, b, 0, 2);
        *(vector64 *)(target + (2 * i + 1) * row) = SHUFFLE(a, b, 1, 3);
    }
}

INLINE void transpose_tile_word64(word64 *target, ptrdiff_t row, const word64 *source, ptrdiff_t column) {
    const vector64 a = *(const vector64 *)source, b = *(const vector64 *)(source + column);
    *(vector64 *)target = SHUFFLE(a, b, 0, 2);
    *(vector64 *)(target + row) = SHUFFLE(a, b, 1, 3);
}

INLINE void transpose_tile_word8(word8 *target, ptrdiff_t row, const word8 *source, ptrdiff_t column) {
    // Eight columns of eight bytes, each a 64-bit number: swap ever larger halves of the 8×8 matrix.
    uint64_t lines[8];
    for (int i = 0; i < 8; i++) memcpy(&lines[i], source + i * column, 8);
    for (int shift = 1; shift < 8; shift *= 2) {
        const uint64_t mask = shift == 1 ? 0x00ff00ff00ff00ff : shift == 2 ? 0x0000ffff0000ffff : 0x00000000ffffffff;
        for (int i = 0; i < 8; i++) {
            if (i & shift) continue;
            const uint64_t swapped = ((lines[i] >> (8 * shift)) ^ lines[i + shift]) & mask;
            lines[i] ^= swapped << (8 * shift);
            lines[i + shift] ^= swapped;
        }
    }
    for (int i = 0; i < 8; i++) memcpy(target + i * row, &lines[i], 8);
}

INLINE void transpose_tile_word128(word128 *target, ptrdiff_t row, const word128 *source, ptrdiff_t column) {
    (void)row, (void)column;
    *target = *source;
}

enum { TILE_word8 = 8, TILE_word16 = 8, TILE_word32 = 4, TILE_word64 = 2, TILE_word128 = 1 };

// Side of the square within which a transpose stays before it goes on: its lines fit the first-level cache.
enum { BLOCK = 64 };

#define DEFINE_STRIDED_COPY(word)                                                                                      \
    INLINE void copy_line_##word(word *target, ptrdiff_t target_stride, const word *source, ptrdiff_t source_stride,   \
                                 ptrdiff_t count) {                                                                    \
        if (target_stride == 1 && source_stride == 1) {                                                                \
            memcpy(target, source, (size_t)count * sizeof(word));                                                      \
        } else if (target_stride == 1 && source_stride == 0) {                                                         \
            const word value = *source;                                                                                \
            for (ptrdiff_t i = 0; i < count; i++) target[i] = value;                                                   \
        } else if (target_stride == 1) {                                                                               \
            for (ptrdiff_t i = 0; i < count; i++) target[i] = source[i * source_stride];                               \
        } else {                                                                                                       \
            for (ptrdiff_t i = 0; i < count; i++) target[i * target_stride] = source[i * source_stride];               \
        }                                                                                                              \
    }                                                                                                                  \
    /* target[r·row + c] = source[c·column + r] */                                                                     \
    INLINE void transpose_##word(word *target, ptrdiff_t row, const word *source, ptrdiff_t column, ptrdiff_t rows,    \
                                 ptrdiff_t columns) {                                                                  \
        for (ptrdiff_t r0 = 0; r0 < rows; r0 += BLOCK)                                                                 \
            for (ptrdiff_t c0 = 0; c0 < columns; c0 += BLOCK) {                                                        \
                const ptrdiff_t r1 = r0 + BLOCK < rows ? r0 + BLOCK : rows;                                            \
                const ptrdiff_t c1 = c0 + BLOCK < columns ? c0 + BLOCK : columns;                                      \
                ptrdiff_t r = r0;                                                                                      \
                for (; r + TILE_##word <= r1; r += TILE_##word) {                                                      \
                    ptrdiff_t c = c0;                                                                                  \
                    for (; c + TILE_##word <= c1; c += TILE_##word)                                                    \
                        transpose_tile_##word(target + r * row + c, row, source + c * column + r, column);             \
                    for (; c < c1; c++)                                                                                \
                        for (ptrdiff_t i = r; i < r + TILE_##word; i++) target[i * row + c] = source[c * column + i];  \
                }                                                                                                      \
                for (; r < r1; r++)                                                                                    \
                    for (ptrdiff_t c = c0; c < c1; c++) target[r * row + c] = source[c * column + r];                  \
            }                                                                                                          \
    }                                                                                                                  \
    TS_SIMD static void copy_##word(ptrdiff_t rank, const ptrdiff_t *sizes, const ptrdiff_t *source_strides,           \
                                    const ptrdiff_t *target_strides, const word *source, word *target) {               \
        const ptrdiff_t last = rank - 1;                                                                               \
        ptrdiff_t crossed = -1;                                                                                        \
        if (target_strides[last] == 1 && source_strides[last] != 1 && source_strides[last] != 0)                       \
            for (ptrdiff_t axis = 0; axis < last; axis++)                                                              \
                if (source_strides[axis] == 1) crossed = axis;                                                         \
        ptrdiff_t index[TS_MAX_RANK] = {0};                                                                            \
        for (;;) {                                                                                                     \
            if (crossed >= 0)                                                                                          \
                transpose_##word(target, target_strides[crossed], source, source_strides[last], sizes[crossed],        \
                                 sizes[last]);                                                                         \
            else                                                                                                       \
                copy_line_##word(target, target_strides[last], source, source_strides[last], sizes[last]);             \
            ptrdiff_t axis = last - 1;                                                                                 \
            for (; axis >= 0; axis--) {                                                                                \
                if (axis == crossed) continue;                                                                         \
                source += source_strides[axis];                                                                        \
                target += target_strides[axis];                                                                        \
                if (++index[axis] < sizes[axis]) break;                                                                \
                source -= sizes[axis] * source_strides[axis];                                                          \
                target -= sizes[axis] * target_strides[axis];                                                          \
                index[axis] = 0;                                                                                       \
            }                                                                                                          \
            if (axis < 0) return;                                                                                      \
        }                                                                                                              \
    }

DEFINE_STRIDED_COPY(word8)
DEFINE_STRIDED_COPY(word16)
DEFINE_STRIDED_COPY(word32)
DEFINE_STRIDED_COPY(word64)
DEFINE_STRIDED_COPY(word128)

void ts_copy_strided(ptrdiff_t width, ptrdiff_t rank, const ptrdiff_t *sizes, const ptrdiff_t *source_strides,
                     const ptrdiff_t *target_strides, const void *source, void *target) {
    switch (width) {
        case 1: copy_word8(rank, sizes, source_strides, target_strides, source, target); break;
        case 2: copy_word16(rank, sizes, source_strides, target_strides, source, target); break;
        case 4: copy_word32(rank, sizes, source_strides, target_strides, source, target); break;
        case 8: copy_word64(rank, sizes, source_strides, target_strides, source, target); break;
        case 16: copy_word128(rank, sizes, source_strides, target_strides, source, target); break;
        default: break;
    }
}

/// Elements that are written at once: a line of a cache. Less would be read from memory first.
enum { STREAMED = 16 };
typedef float streamed __attribute__((vector_size(32)));
typedef float streamed_source __attribute__((vector_size(32), aligned(4), may_alias));

TS_SIMD
void ts_stream_rows(const float *source, ptrdiff_t source_row, ptrdiff_t rows, ptrdiff_t columns, float *target,
                    ptrdiff_t target_row) {
    for (ptrdiff_t i = 0; i < rows; i++, source += source_row, target += target_row) {
        ptrdiff_t head = (ptrdiff_t)(-(uintptr_t)target / sizeof(float)) & (STREAMED - 1);
        if (head > columns) head = columns;
        memcpy(target, source, (size_t)head * sizeof(float));
        ptrdiff_t column = head;
        for (; column + STREAMED <= columns; column += STREAMED) {
            const streamed_source *from = (const streamed_source *)(source + column);
            __builtin_nontemporal_store((streamed)from[0], (streamed *)(target + column));
            __builtin_nontemporal_store((streamed)from[1], (streamed *)(target + column) + 1);
        }
        memcpy(target + column, source + column, (size_t)(columns - column) * sizeof(float));
    }
    // Such stores are not in order with others.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
