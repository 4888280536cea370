// Includes TILE_SOURCE once for each instruction set, the baseline first, then what x86-64 has since: TILE(name) names its
// functions, TILE_LANES is the width of its vectors, TILE_ROWS × TILE_VECTORS the sums that fit its registers.

#include "tile_macros.h"

#define TILE(name) ts_##name##_baseline
#define TILE_LANES 4
#define TILE_ROWS 4
#include "tile_vectors.h"
#include TILE_SOURCE
#undef TILE
#undef TILE_LANES
#undef TILE_ROWS

#ifdef TS_HAS_WIDER_TILES
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define TILE(name) ts_##name##_avx2
#define TILE_LANES 8
#define TILE_ROWS 4
#include "tile_vectors.h"
#include TILE_SOURCE
#undef TILE
#undef TILE_LANES
#undef TILE_ROWS
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define TILE(name) ts_##name##_avx512
#define TILE_LANES 16
#define TILE_ROWS 8
#include "tile_vectors.h"
#include TILE_SOURCE
#undef TILE
#undef TILE_LANES
#undef TILE_ROWS
#pragma clang attribute pop
#endif
