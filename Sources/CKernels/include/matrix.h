#ifndef TS_MATRIX_H
#define TS_MATRIX_H

#include <stddef.h>

/// The sizes of a matrix kernel for one instruction set: a tile of the result is `rows` × `columns` and stays in registers.
typedef struct {
    ptrdiff_t rows, columns;
    /// Lanes of a vector; a tile may be narrower than `columns` by whole vectors.
    ptrdiff_t lanes;
} ts_tile_size;

/// What is done to a product before it is stored: `activation(x + row_bias[i] + column_bias[j] + residual[i][j])`.
typedef struct {
    /// NULL for none.
    const float *row_bias, *column_bias, *residual;
    ptrdiff_t residual_stride;
    /// Whether results are limited to low...high; NaN stays.
    int limits;
    float low, high;
    /// Whether the result x is replaced by `x * min(max(x / 6 + 1/2, 0), 1)` at last.
    int hard_swish;
} ts_product_end;

/// A product of packed matrices, `result = left · right`, or added to what `result` holds.
typedef struct {
    ptrdiff_t rows, columns, depth;
    /// Panels of as many rows as a tile has, `[panel][depth][row]`, `left_panel` elements apart. Rows past the last are read,
    /// and not used.
    const float *left;
    ptrdiff_t left_panel;
    /// Row k of panel j at `right + j * right_panel + k * right_row`; read in whole vectors unless it is packed.
    const float *right;
    ptrdiff_t right_panel, right_row;
    /// NULL, or room for `ts_matrix_part_depth(depth)` rows of `block_columns` columns, where right rows that are far apart
    /// are laid in panels. The right operand's panels are then adjacent columns.
    float *packed;
    /// Columns that are multiplied by all rows before the next are; a multiple of a tile's.
    ptrdiff_t block_columns;
    float *result;
    ptrdiff_t result_row;
    int accumulates;
    /// NULL while parts of the sum are missing.
    const ts_product_end *end;
} ts_product;

/// Instruction sets that this processor has kernels for, the best one last; at least 1.
int ts_matrix_kernel_count(void);

/// The tile of kernel `index`.
ts_tile_size ts_matrix_tile(int index);

/// Elements of the right operand that stay in a second-level cache beside what else goes through it.
ptrdiff_t ts_matrix_cached_elements(void);

/// The most rows of the right operand that are multiplied in one pass; more are cut into equal parts.
enum { TS_MATRIX_DEPTH = 512 };

/// Rows of the right operand in one pass.
static inline ptrdiff_t ts_matrix_part_depth(ptrdiff_t depth) {
    const ptrdiff_t parts = (depth + TS_MATRIX_DEPTH - 1) / TS_MATRIX_DEPTH;
    return parts == 0 ? 0 : (depth + parts - 1) / parts;
}

/// Computes a product with kernel `index`.
void ts_multiply_panels(int index, const ts_product *product);

/// Rows of a matrix as panels of `panel_rows`: `panels[panel][k][row] = matrix[row * row_stride + k * column_stride]`; rows
/// past the last are 0. Panels are `panel_rows * depth` apart.
void ts_pack_left(const float *matrix, ptrdiff_t row_stride, ptrdiff_t column_stride, ptrdiff_t rows, ptrdiff_t depth,
                  ptrdiff_t panel_rows, float *panels);

/// Columns of a matrix as panels of `panel_columns`: `panels[panel][k][column]`, columns past the last 0.
void ts_pack_right(const float *matrix, ptrdiff_t row_stride, ptrdiff_t column_stride, ptrdiff_t depth, ptrdiff_t columns,
                   ptrdiff_t panel_columns, float *panels);

#endif
