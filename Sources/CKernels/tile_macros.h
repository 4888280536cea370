#ifndef TILE_MACROS_H
#define TILE_MACROS_H

#define TS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// Columns of a tile of sums, three vectors: with a few rows enough sums at once to hide the latency of a multiply-add, and few
/// loads for each.
#define TILE_VECTORS 3
#define TILE_COLUMNS (TILE_VECTORS * TILE_LANES)

#if defined(__x86_64__) && defined(__linux__)
#define TS_HAS_WIDER_TILES 1
#endif

#endif
