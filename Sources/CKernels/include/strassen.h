#ifndef TS_STRASSEN_H
#define TS_STRASSEN_H

#include "matrix.h"

// Strassen's algorithm, one level: seven products of sums of quarters instead of eight products of quarters. The sums are
// formed while the operands are packed, and each product is added to the one or two quarters of the result that need it
// (Huang, Smith, Henry, van de Geijn: Strassen's algorithm reloaded, SC 2016).
//
// With A, B and C in quarters 11, 12, 21, 22:
//   M1 = (A11 + A22) (B11 + B22)   to C11, C22
//   M2 = (A21 + A22)  B11          to C21, -C22
//   M3 =  A11        (B12 - B22)   to C12, C22
//   M4 =  A22        (B21 - B11)   to C11, C21
//   M5 = (A11 + A12)  B22          to -C11, C12
//   M6 = (A21 - A11) (B11 + B12)   to C22
//   M7 = (A12 - A22) (B21 + B22)   to C11

enum { TS_STRASSEN_PRODUCTS = 7, TS_STRASSEN_RIGHT_SUMS = 5 };

/// A matrix that a product is added to or subtracted from.
typedef struct {
    /// What lies past them is not stored.
    ptrdiff_t rows, columns;
    float *result;
    int negative, accumulates;
    const ts_product_end *end;
} ts_product_target;

/// A product of packed matrices, of whole tiles, for several places.
typedef struct {
    ptrdiff_t rows, columns, depth;
    /// As in `ts_product`; rows of the right operand are as long as a tile.
    const float *left;
    ptrdiff_t left_panel;
    const float *right;
    ptrdiff_t right_panel;
    /// The right operand of the next product, fetched meanwhile; NULL for none.
    const float *next;
    ptrdiff_t next_panel;
    ptrdiff_t result_row;
    int target_count;
    ts_product_target targets[2];
} ts_shared_product;

/// Computes a product with kernel `index`.
void ts_multiply_shared(int index, const ts_shared_product *product);

/// The left operands, `sums[product][panel][k][row of the panel]`. Quarters are `half_rows` (whole panels) and `half_depth`
/// apart; rows past the matrix are 0.
void ts_strassen_sum_left(const float *matrix, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t half_rows, ptrdiff_t depth,
                          ptrdiff_t half_depth, ptrdiff_t panel_rows, float *sums);

/// The right operands that are sums, `sums[sum][element]` in the order of the products, of a panel in the left half of the
/// matrix and one in the right half, NULL for columns past the matrix. A panel has `2 * count` elements.
void ts_strassen_sum_right(const float *left_panel, const float *right_panel, ptrdiff_t count, float *sums);

/// Part of a result: two ranges of rows by two ranges of columns, for some of the depth.
typedef struct {
    /// Of a quarter, in whole tiles.
    ptrdiff_t rows, columns, depth;
    /// What there is of each range.
    ptrdiff_t row_counts[2], column_counts[2];
    /// From `ts_strassen_sum_left`.
    const float *left;
    /// Panels of B11 and of B22, `right_panel` elements apart, and of the sums, `sum_panel` apart; sums of a panel are
    /// `sum_stride` apart.
    const float *right[2];
    ptrdiff_t right_panel;
    const float *sums;
    ptrdiff_t sum_stride, sum_panel;
    /// Like `sums`, for what is computed next; NULL for nothing.
    const float *next_sums;
    /// The second range of rows and of columns start as many rows and columns after the first.
    float *result;
    ptrdiff_t result_row, row_distance, column_distance;
    int accumulates;
    /// NULL while parts of the sum are missing.
    const ts_product_end *end;
} ts_strassen_block;

/// Computes the seven products with kernel `index`.
void ts_strassen_multiply(int index, const ts_strassen_block *block);

#endif
