#include "CKernels.h"

#define TS_INLINE static inline __attribute__((always_inline))

typedef float vector4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float vector8 __attribute__((vector_size(32), aligned(4), may_alias));

/// Columns of 4 rows, one after another.
TS_INLINE void transpose4(const float *rows, ptrdiff_t stride, float *columns) {
    vector4 row[4], pairs[4];
    for (int i = 0; i < 4; i++) row[i] = *(const vector4 *)(rows + i * stride);
    for (int i = 0; i < 2; i++) {
        pairs[2 * i] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 0, 4, 1, 5);
        pairs[2 * i + 1] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 2, 6, 3, 7);
    }
    for (int i = 0; i < 2; i++) {
        *(vector4 *)(columns + 8 * i) = __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 4, 5);
        *(vector4 *)(columns + 8 * i + 4) = __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 6, 7);
    }
}

/// Columns of 8 rows, one after another.
TS_INLINE void transpose8(const float *rows, ptrdiff_t stride, float *columns) {
    vector8 row[8], pairs[8], fours[8];
    for (int i = 0; i < 8; i++) row[i] = *(const vector8 *)(rows + i * stride);
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[2 * i + 1] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    // Fours of columns 0 and 4, 1 and 5, 2 and 6, 3 and 7: of the upper rows, then of the lower ones.
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 2; i++) {
            const vector8 upper = pairs[4 * half + i], lower = pairs[4 * half + 2 + i];
            fours[4 * half + 2 * i] = __builtin_shufflevector(upper, lower, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[4 * half + 2 * i + 1] = __builtin_shufflevector(upper, lower, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        *(vector8 *)(columns + 8 * i) = __builtin_shufflevector(fours[i], fours[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        *(vector8 *)(columns + 8 * i + 32) = __builtin_shufflevector(fours[i], fours[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Some columns of one panel, `panel` at most.
TS_INLINE void pack_columns(const float *source, ptrdiff_t row_stride, ptrdiff_t present, ptrdiff_t columns,
                            const ptrdiff_t panel, float *target) {
    if (present >= panel && columns == panel && panel == 8) transpose8(source, row_stride, target);
    else if (present >= panel && columns == panel && panel == 4) transpose4(source, row_stride, target);
    else
        for (ptrdiff_t k = 0; k < columns; k++)
            for (ptrdiff_t i = 0; i < panel; i++)
                target[k * panel + i] = i < present ? source[i * row_stride + k] : 0;
}

/// Columns that are read together, a line of the cache: rows may be so far apart that few lines of them stay in it. Lines are
/// fetched `FETCHED` columns ahead, into the second-level cache.
enum { LINE = 16, FETCHED = 2 * LINE, SECOND_LEVEL = 2 };

TS_INLINE void sum_left(const float *matrix, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t half_rows, ptrdiff_t depth,
                        ptrdiff_t half_depth, const ptrdiff_t panel, float *restrict sums) {
    const ptrdiff_t size = half_rows * depth;
    for (ptrdiff_t first = 0; first < half_rows; first += panel)
        for (ptrdiff_t k = 0; k < depth; k += LINE) {
            const ptrdiff_t columns = depth - k < LINE ? depth - k : LINE;
            float quarters[4][LINE * 8];
            for (int quarter = 0; quarter < 4; quarter++) {
                const ptrdiff_t row = first + quarter / 2 * half_rows;
                const float *source = matrix + row * row_stride + k + quarter % 2 * half_depth;
                for (ptrdiff_t i = 0; i < panel && row + i < rows; i++)
                    __builtin_prefetch(source + i * row_stride + FETCHED, 0, SECOND_LEVEL);
                for (ptrdiff_t c = 0; c < columns; c += panel)
                    pack_columns(source + c, row_stride, rows - row, columns - c < panel ? columns - c : panel, panel,
                                 quarters[quarter] + c * panel);
            }
            float *target = sums + first * depth + k * panel;
            for (ptrdiff_t i = 0; i < columns * panel; i++) {
                const float a11 = quarters[0][i], a12 = quarters[1][i], a21 = quarters[2][i], a22 = quarters[3][i];
                target[i] = a11 + a22;
                target[i + size] = a21 + a22;
                target[i + 2 * size] = a11;
                target[i + 3 * size] = a22;
                target[i + 4 * size] = a11 + a12;
                target[i + 5 * size] = a21 - a11;
                target[i + 6 * size] = a12 - a22;
            }
        }
}

TS_SIMD
void ts_strassen_sum_left(const float *matrix, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t half_rows, ptrdiff_t depth,
                          ptrdiff_t half_depth, ptrdiff_t panel_rows, float *sums) {
    if (panel_rows == 8) sum_left(matrix, row_stride, rows, half_rows, depth, half_depth, 8, sums);
    else sum_left(matrix, row_stride, rows, half_rows, depth, half_depth, 4, sums);
}

TS_SIMD
void ts_strassen_sum_right(const float *left_panel, const float *right_panel, ptrdiff_t count, float *restrict sums) {
    for (ptrdiff_t i = 0; i < count; i++) {
        const float b11 = left_panel[i], b21 = left_panel[count + i];
        const float b12 = right_panel ? right_panel[i] : 0, b22 = right_panel ? right_panel[count + i] : 0;
        sums[i] = b11 + b22;
        sums[i + count] = b12 - b22;
        sums[i + 2 * count] = b21 - b11;
        sums[i + 3 * count] = b11 + b12;
        sums[i + 4 * count] = b21 + b22;
    }
}

/// A right operand that is no sum.
enum { B11 = -2, B22 = -1 };

/// A quarter of the result that a product goes to.
typedef struct {
    int quarter, negative;
    /// Whether no product came before, and whether none comes after.
    int first, last;
} place;

static const struct {
    /// The number of a sum, or a quarter.
    int right, count;
    place places[2];
} products[TS_STRASSEN_PRODUCTS] = {
    {0, 2, {{0, 0, 1, 0}, {3, 0, 1, 0}}}, {B11, 2, {{2, 0, 1, 0}, {3, 1, 0, 0}}},
    {1, 2, {{1, 0, 1, 0}, {3, 0, 0, 0}}}, {2, 2, {{0, 0, 0, 0}, {2, 0, 0, 1}}},
    {B22, 2, {{0, 1, 0, 0}, {1, 0, 0, 1}}}, {3, 1, {{3, 0, 0, 1}}},
    {4, 1, {{0, 0, 0, 1}}},
};

static const float *right_operand(const ts_strassen_block *block, int number, ptrdiff_t *panel) {
    const int right = products[number].right;
    *panel = right < 0 ? block->right_panel : block->sum_panel;
    return right < 0 ? block->right[right - B11] : block->sums + right * block->sum_stride;
}

void ts_strassen_multiply(int index, const ts_strassen_block *block) {
    const ts_tile_size tile = ts_matrix_tile(index);
    ts_product_end ends[4];
    for (int quarter = 0; block->end && quarter < 4; quarter++) {
        const ptrdiff_t row = quarter / 2 * block->row_distance, column = quarter % 2 * block->column_distance;
        ends[quarter] = *block->end;
        if (ends[quarter].row_bias) ends[quarter].row_bias += row;
        if (ends[quarter].column_bias) ends[quarter].column_bias += column;
        if (ends[quarter].residual) ends[quarter].residual += row * block->end->residual_stride + column;
    }
    for (int number = 0; number < TS_STRASSEN_PRODUCTS; number++) {
        ts_shared_product product = {
            .rows = block->rows, .columns = block->columns, .depth = block->depth,
            .left = block->left + number * block->rows * block->depth, .left_panel = tile.rows * block->depth,
            .next = block->next_sums, .next_panel = block->sum_panel,
            .result_row = block->result_row, .target_count = products[number].count,
        };
        product.right = right_operand(block, number, &product.right_panel);
        if (number + 1 < TS_STRASSEN_PRODUCTS) product.next = right_operand(block, number + 1, &product.next_panel);
        // There are no panels for columns past the matrix.
        if (products[number].right == B22)
            product.columns = (block->column_counts[1] + tile.columns - 1) / tile.columns * tile.columns;
        for (int n = 0; n < product.target_count; n++) {
            const place *place = &products[number].places[n];
            const int below = place->quarter / 2, beside = place->quarter % 2;
            product.targets[n] = (ts_product_target){
                .rows = block->row_counts[below], .columns = block->column_counts[beside],
                .result = block->result + below * block->row_distance * block->result_row
                    + beside * block->column_distance,
                .negative = place->negative, .accumulates = block->accumulates || !place->first,
                .end = block->end && place->last ? &ends[place->quarter] : NULL,
            };
        }
        ts_multiply_shared(index, &product);
    }
}
