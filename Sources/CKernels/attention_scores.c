#include "CKernels.h"

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#endif

#define TILE_SOURCE "attention_tile.h"
#include "tile_sets.h"

/// References up to here leave enough bits for fractions of scores.
static const float most_reference = 0x1p16f;
/// Sums up to here are of powers that are exact, and can be multiplied and added on.
static const float most_sum = 0x1p60f;

TS_SIMD
static int are_moderate(const float *numbers, ptrdiff_t count, float most) {
    int moderate = 1;
    for (ptrdiff_t i = 0; i < count; i++) moderate &= __builtin_fabsf(numbers[i]) <= most;
    return moderate;
}

static void compute_powers(int index, const ts_score_block *block, const float *const *bias_rows) {
    switch (index) {
#ifdef TS_HAS_WIDER_TILES
    case 1: return ts_powers_avx2(block, bias_rows);
    case 2: return ts_powers_avx512(block, bias_rows);
#endif
    default: return ts_powers_baseline(block, bias_rows);
    }
}

int ts_attention_scores(int index, const ts_score_block *block) {
    if (!are_moderate(block->references, block->lanes, most_reference)) return 0;
    // Past the last key of a tile its row is repeated.
    const float *rows[TS_SCORE_BIASES][TS_SCORE_KEYS];
    const ptrdiff_t padded = (block->count + 7) & ~(ptrdiff_t)7;
    for (ptrdiff_t b = 0; b < block->bias_count; b++) {
        const ts_attention_bias *bias = &block->biases[b];
        ptrdiff_t within = block->first % bias->divisor, row = block->first / bias->divisor % bias->modulus;
        for (ptrdiff_t k = 0; k < padded; k++) {
            rows[b][k] = bias->rows + (row - bias->first) * block->lanes;
            if (k + 1 >= block->count || ++within < bias->divisor) continue;
            within = 0;
            if (++row == bias->modulus) row = 0;
        }
    }
    for (ptrdiff_t j = 0; j < block->lanes; j++) block->block_sums[j] = 0;
    compute_powers(index, block, rows[0]);
    if (!are_moderate(block->block_sums, block->lanes, most_sum)) return 0;
    for (ptrdiff_t j = 0; j < block->lanes; j++) block->sums[j] += block->block_sums[j];
    return 1;
}
