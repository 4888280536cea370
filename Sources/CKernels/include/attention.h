#ifndef TS_ATTENTION_H
#define TS_ATTENTION_H

#include <stddef.h>

/// Numbers that are added to the scores of key k: row `k / divisor % modulus - first` of a matrix with one column a query.
typedef struct {
    const float *rows;
    ptrdiff_t divisor, modulus, first;
} ts_attention_bias;

/// Scores of `keys` keys, the first of which is key `first`, for `lanes` queries, a multiple of 16: row k holds key k's. They
/// are biased, and replaced by their powers of 2 relative to the highest score so far. `maxima` and `sums` go on from
/// earlier keys (minus infinity and 0 before the first), `factors` says by what sums of earlier powers are to be multiplied.
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

#endif
