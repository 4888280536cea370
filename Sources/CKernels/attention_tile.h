// Included once for each instruction set by tile_sets.h.

/// 2^(x - reference), where the reference is an integer of moderate size: never less than about 2^-126, from 2^127 on some
/// number above 2^126, infinity or NaN; NaN for NaN.
TS_INLINE TILE(vector) TILE(power)(TILE(vector) x, TILE(vector) reference) {
    const TILE(vector) low = reference - 126.0f;
    x = TILE(select)(low > x, low, x);
#if TILE_LANES == 16
    // Powers of 32nds, less the bits of their numbers that the shift leaves in the mantissa.
    static const int32_t powers[32] = {
        0x3f800000, 0x3f7ecd87, 0x3f7daac3, 0x3f7c980f, 0x3f7b95c2, 0x3f7aa43a, 0x3f79c3d3, 0x3f78f4f0,
        0x3f7837f0, 0x3f778d3a, 0x3f76f532, 0x3f767043, 0x3f75fed7, 0x3f75a15b, 0x3f75583f, 0x3f7523f6,
        0x3f7504f3, 0x3f74fbaf, 0x3f7508a4, 0x3f752c4d, 0x3f75672a, 0x3f75b9be, 0x3f76248c, 0x3f76a81e,
        0x3f7744fd, 0x3f77fbb8, 0x3f78ccdf, 0x3f79b907, 0x3f7ac0c7, 0x3f7be4ba, 0x3f7d257d, 0x3f7e83b3};
    // Adding 1.5 · 2^18 leaves the nearest 32nd in the lowest bits, whichever integer is added, too.
    const TILE(vector) shift = 393216.0f - reference;
    const TILE(vector) shifted = x + shift;
    const TILE(vector) r = x - (shifted - shift);
    // The polynomial is positive however large r is.
    const TILE(mask) most = 0x48c00000 + 127 * 32 - (TILE(mask)){0};
    const TILE(mask) number = __builtin_elementwise_min((TILE(mask))shifted, most);
    const TILE(mask) root = (TILE(mask))_mm512_permutex2var_epi32(
        _mm512_loadu_si512(powers), (__m512i)number, _mm512_loadu_si512(powers + 16));
    const TILE(vector) power = (TILE(vector))(root + (number << 18));
    return (2.40226492e-1f * r + 6.93157375e-1f) * (power * r) + power;
#else
    const TILE(vector) high = reference + 128.0f;
    x = TILE(select)(x > high, high, x);
    // The same for integers, 127 more: the exponent's bits of their powers.
    const TILE(vector) shift = 12583039.0f - reference;
    const TILE(vector) shifted = x + shift;
    const TILE(vector) r = x - (shifted - shift);
    TILE(vector) p = 1.32764720e-3f * r + 9.67554133e-3f;
    p = p * r + 5.55071327e-2f;
    p = p * r + 2.40221197e-1f;
    p = p * r + 6.93146967e-1f;
    p = p * r + 1.00000007f;
    return p * (TILE(vector))((TILE(mask))shifted << 23);
#endif
}

/// What is added to the scores of a tile: a row for all of its keys, or NULL, and rows for each of them.
typedef struct {
    const float *common;
    const float *const *rows[TS_SCORE_BIASES];
    int count;
} TILE(biases);

static TILE(biases) TILE(biases_at)(const ts_score_block *p, const float *const *rows, ptrdiff_t key) {
    TILE(biases) biases = {0};
    for (ptrdiff_t b = 0; b < p->bias_count; b++) {
        const float *const *own = rows + b * TS_SCORE_KEYS + key;
        if (!biases.common && p->biases[b].divisor >= TILE_ROWS && own[0] == own[TILE_ROWS - 1]) biases.common = own[0];
        else biases.rows[biases.count++] = own;
    }
    return biases;
}

/// The powers of a tile: `rows` keys by some vectors of queries. `vectors` is a constant at every call; so are `varying`,
/// the rows that are added for each key, and `rows` where the tile is whole.
TS_INLINE void TILE(tile_of_powers)(const int vectors, const int varying, const ptrdiff_t rows, const ts_score_block *p,
                                    const TILE(biases) *biases, ptrdiff_t key, ptrdiff_t column) {
    TILE(vector) scores[TILE_ROWS][TILE_VECTORS];
    const float *keys = p->keys + key * p->depth, *queries = p->queries + column * p->depth;
    float *powers = p->powers + column / TILE_COLUMNS * p->panel_stride + key * TILE_COLUMNS;
    UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int i = 0; i < TILE_ROWS; i++) {
            __builtin_prefetch(powers + i * TILE_COLUMNS + v * TILE_LANES, 1);
            scores[i][v] = (TILE(vector)){0};
        }
    const float *next = keys + TILE_ROWS * p->depth;
    for (ptrdiff_t k = p->depth; k > 0; k--) {
        TILE(vector) factors[TILE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) factors[v] = *(const TILE(vector) *)(queries + v * TILE_LANES);
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++) scores[i][v] += keys[i] * factors[v];
        __builtin_prefetch(next);
        next += TILE_ROWS;
        keys += TILE_ROWS;
        queries += TILE_COLUMNS;
    }
    // Biases are added last: sums of small products on top of a large bias would lose more of their bits.
    UNROLL for (int v = 0; v < vectors; v++) {
        const ptrdiff_t at = column + v * TILE_LANES;
        TILE(vector) *sums = (TILE(vector) *)(p->block_sums + at), total = *sums, common = {0};
        const TILE(vector) reference = *(const TILE(vector) *)(p->references + at);
        if (biases->common) common = *(const TILE(vector) *)(biases->common + at);
        UNROLL for (int i = 0; i < TILE_ROWS; i++) {
            TILE(vector) score = scores[i][v] + common;
            for (int b = 0; b < varying; b++) score += *(const TILE(vector) *)(biases->rows[b][i] + at);
            const TILE(vector) power = TILE(power)(score, reference);
            *(TILE(vector) *)(powers + i * TILE_COLUMNS + v * TILE_LANES) = power;
            if (i < rows) total += power;
        }
        *sums = total;
    }
}

static __attribute__((noinline)) void TILE(evenly_biased_tile)(const ts_score_block *p, const TILE(biases) *biases,
                                                               ptrdiff_t key, ptrdiff_t column) {
    TILE(tile_of_powers)(TILE_VECTORS, 0, TILE_ROWS, p, biases, key, column);
}

static __attribute__((noinline)) void TILE(biased_tile)(const ts_score_block *p, const TILE(biases) *biases, ptrdiff_t key,
                                                        ptrdiff_t column) {
    TILE(tile_of_powers)(TILE_VECTORS, 1, TILE_ROWS, p, biases, key, column);
}

static __attribute__((noinline)) void TILE(twice_biased_tile)(const ts_score_block *p, const TILE(biases) *biases,
                                                              ptrdiff_t key, ptrdiff_t column) {
    TILE(tile_of_powers)(TILE_VECTORS, 2, TILE_ROWS, p, biases, key, column);
}

static __attribute__((noinline)) void TILE(partial_tile)(ptrdiff_t rows, const ts_score_block *p,
                                                         const TILE(biases) *biases, ptrdiff_t key, ptrdiff_t column) {
    const ptrdiff_t rest = p->lanes - column;
    if (rest > 2 * TILE_LANES) TILE(tile_of_powers)(3, biases->count, rows, p, biases, key, column);
    else if (rest > TILE_LANES) TILE(tile_of_powers)(2, biases->count, rows, p, biases, key, column);
    else TILE(tile_of_powers)(1, biases->count, rows, p, biases, key, column);
}

static void TILE(powers)(const ts_score_block *p, const float *const *bias_rows) {
    for (ptrdiff_t column = 0; column < p->lanes; column += TILE_COLUMNS)
        for (ptrdiff_t key = 0; key < p->count; key += TILE_ROWS) {
            const ptrdiff_t rows = p->count - key < TILE_ROWS ? p->count - key : TILE_ROWS;
            const TILE(biases) biases = TILE(biases_at)(p, bias_rows, key);
            if (rows < TILE_ROWS || p->lanes - column < TILE_COLUMNS) TILE(partial_tile)(rows, p, &biases, key, column);
            else if (biases.count == 0) TILE(evenly_biased_tile)(p, &biases, key, column);
            else if (biases.count == 1) TILE(biased_tile)(p, &biases, key, column);
            else TILE(twice_biased_tile)(p, &biases, key, column);
        }
}
