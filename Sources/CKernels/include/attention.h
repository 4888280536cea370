#ifndef TS_ATTENTION_H
#define TS_ATTENTION_H

#include <stddef.h>

/// Numbers that are added to the scores of key k: row `k / divisor % modulus - first` of a matrix with one column a query.
typedef struct {
    const float *rows;
    ptrdiff_t divisor, modulus, first;
} ts_attention_bias;

/// Scores of `keys` keys, the first of which is key `first`, for `lanes` queries, a multiple of 16: row k holds key k's. They
/// are biased, and replaced by their powers of 2 relative to the highest score so far, rounded up to an integer. `maxima` and
/// `sums` go on from earlier keys (minus infinity and 0 before the first), `factors` says by what sums of earlier powers are
/// to be multiplied.
void ts_attention_powers(float *scores, ptrdiff_t first, ptrdiff_t keys, ptrdiff_t lanes,
                         const ts_attention_bias *biases, ptrdiff_t bias_count, float *maxima, float *sums,
                         float *factors);

/// Multiplies column j of a matrix of `rows` rows of `columns` elements by `factors[j]`.
void ts_scale_columns_f32(float *matrix, ptrdiff_t rows, ptrdiff_t columns, const float *factors);

/// Rows that lie anywhere as panels of `panel`: `panels[p][k][r] = factor * rows[p * panel + r][k]`; rows past the last
/// are 0.
void ts_pack_scattered_rows(const float *const *rows, ptrdiff_t count, ptrdiff_t depth, float factor, ptrdiff_t panel,
                            float *panels);

/// Columns of rows that lie anywhere as panels of `panel`: `panels[p][k][j] = rows[k][p * panel + j]`; columns past the
/// last are 0.
void ts_pack_scattered_columns(const float *const *rows, ptrdiff_t depth, ptrdiff_t columns, ptrdiff_t panel,
                               float *panels);

/// `targets[j][i] = matrix[i * columns + j] / divisors[j]` for the first `used` columns.
void ts_scatter_quotients(const float *matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t used, const float *divisors,
                          float *const *targets);

/// The most keys of a block of scores, and the most biases that are added to it.
enum { TS_SCORE_KEYS = 256, TS_SCORE_BIASES = 2 };

/// Scores of some keys for some queries, which become powers of 2 while they are in registers.
typedef struct {
    /// Keys, the first of which is key `first`; queries, a multiple of 16; elements of each.
    ptrdiff_t first, count, lanes, depth;
    /// The keys as a left operand of a matrix product, the queries as a right operand.
    const float *keys, *queries;
    const ts_attention_bias *biases;
    ptrdiff_t bias_count;
    /// What each query's powers are relative to: the maximum of some scores as `ts_attention_powers` leaves it.
    const float *references;
    /// `powers[panel][key][query]`, panels as wide as a tile and `panel_stride` elements apart, for whole tiles of keys;
    /// powers of keys past the last mean nothing.
    float *powers;
    ptrdiff_t panel_stride;
    /// The sum of each query's powers, and room for as many.
    float *block_sums;
    /// Sums of powers of earlier keys, to which those are added.
    float *sums;
} ts_score_block;

/// Computes powers with kernel `index` of the matrix kernels.
/// Returns 0, with `sums` as they were, where a score is so far above its reference, or a reference so large, that
/// `ts_attention_powers` is needed.
int ts_attention_scores(int index, const ts_score_block *block);

#endif
