// Included once for each instruction set by tile_sets.h.

typedef float TILE(vector) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));
typedef int32_t TILE(mask) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));

TS_INLINE TILE(vector) TILE(select)(TILE(mask) mask, TILE(vector) yes, TILE(vector) no) {
    return (TILE(vector))((mask & (TILE(mask))yes) | (~mask & (TILE(mask))no));
}
