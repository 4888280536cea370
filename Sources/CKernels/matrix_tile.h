// Included once for each instruction set: TILE(name) names its functions, TILE_LANES is the width of its vectors,
// TILE_ROWS × TILE_VECTORS the accumulators that fit its registers, TILE_AHEAD the rows of a right operand that is still to
// be packed between its fetch and its use.

typedef float TILE(vector) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));
typedef int32_t TILE(mask) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));

#define TILE_COLUMNS (TILE_VECTORS * TILE_LANES)
#define TILE_INLINE static inline __attribute__((always_inline))
#define TILE_UNROLL _Pragma("clang loop unroll(full)")

TILE_INLINE TILE(vector) TILE(select)(TILE(mask) mask, TILE(vector) yes, TILE(vector) no) {
    return (TILE(vector))((mask & (TILE(mask))yes) | (~mask & (TILE(mask))no));
}

TILE_INLINE TILE(vector) TILE(limit)(TILE(vector) x, TILE(vector) low, TILE(vector) high) {
    x = TILE(select)(x < low, low, x);
    return TILE(select)(x > high, high, x);
}

/// Adds the product of a column of the left operand and a row of the right one.
TILE_INLINE void TILE(step)(const int vectors, const float *left, const float *right,
                            TILE(vector) (*sums)[TILE_VECTORS]) {
    TILE(vector) factors[TILE_VECTORS];
    TILE_UNROLL for (int v = 0; v < vectors; v++) factors[v] = *(const TILE(vector) *)(right + v * TILE_LANES);
    TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
        TILE_UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += left[i] * factors[v];
}

/// The end of a whole tile, whose first element is the first of everything that is added.
TILE_INLINE void TILE(finish)(const int vectors, int accumulates, const ts_product_end *end,
                              TILE(vector) sums[TILE_ROWS][TILE_VECTORS], float *result, ptrdiff_t result_row) {
    if (accumulates)
        TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
            TILE_UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] += *(const TILE(vector) *)(result + i * result_row + v * TILE_LANES);
    if (end->row_bias)
        TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
            TILE_UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += end->row_bias[i];
    if (end->column_bias)
        TILE_UNROLL for (int v = 0; v < vectors; v++) {
            const TILE(vector) added = *(const TILE(vector) *)(end->column_bias + v * TILE_LANES);
            TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++) sums[i][v] += added;
        }
    if (end->residual)
        TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
            TILE_UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] += *(const TILE(vector) *)(end->residual + i * end->residual_stride + v * TILE_LANES);
    if (end->limits) {
        const TILE(vector) low = end->low - (TILE(vector)){0}, high = end->high - (TILE(vector)){0};
        TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
            TILE_UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = TILE(limit)(sums[i][v], low, high);
    }
    if (end->hard_swish) {
        const TILE(vector) zero = {0}, one = 1 - zero;
        TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
            TILE_UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] *= TILE(limit)(sums[i][v] * (1.0f / 6.0f) + 0.5f, zero, one);
    }
    TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
        TILE_UNROLL for (int v = 0; v < vectors; v++)
            *(TILE(vector) *)(result + i * result_row + v * TILE_LANES) = sums[i][v];
}

static void TILE(copy)(const float *source, ptrdiff_t source_row, ptrdiff_t rows, ptrdiff_t columns, float *target,
                       ptrdiff_t target_row) {
    for (ptrdiff_t i = 0; i < rows; i++)
        memcpy(target + i * target_row, source + i * source_row, (size_t)columns * sizeof(float));
}

/// Where a tile that is not whole is finished.
typedef struct {
    float result[TILE_ROWS * TILE_COLUMNS], residual[TILE_ROWS * TILE_COLUMNS];
    float row_bias[TILE_ROWS], column_bias[TILE_COLUMNS];
} TILE(edge);

/// Copies what such a tile is made of, and lets its end read that.
static __attribute__((noinline)) void TILE(enter)(TILE(edge) *edge, int accumulates, ts_product_end *end, ptrdiff_t rows,
                                                  ptrdiff_t columns, const float *result, ptrdiff_t result_row) {
    if (accumulates) TILE(copy)(result, result_row, rows, columns, edge->result, TILE_COLUMNS);
    if (end->row_bias) {
        TILE(copy)(end->row_bias, 0, 1, rows, edge->row_bias, 0);
        end->row_bias = edge->row_bias;
    }
    if (end->column_bias) {
        TILE(copy)(end->column_bias, 0, 1, columns, edge->column_bias, 0);
        end->column_bias = edge->column_bias;
    }
    if (end->residual) {
        TILE(copy)(end->residual, end->residual_stride, rows, columns, edge->residual, TILE_COLUMNS);
        end->residual = edge->residual;
        end->residual_stride = TILE_COLUMNS;
    }
}

/// The end of the tile whose first element is at a row and a column.
TILE_INLINE ts_product_end TILE(end_at)(const ts_product_end *whole, ptrdiff_t row, ptrdiff_t column) {
    ts_product_end end = {0};
    if (!whole) return end;
    end = *whole;
    if (end.row_bias) end.row_bias += row;
    if (end.column_bias) end.column_bias += column;
    if (end.residual) end.residual += row * end.residual_stride + column;
    return end;
}

/// Ends a tile of which `rows` rows and `columns` columns lie in the result.
TILE_INLINE void TILE(close)(const int vectors, int accumulates, ts_product_end end,
                             TILE(vector) sums[TILE_ROWS][TILE_VECTORS], ptrdiff_t rows, ptrdiff_t columns, float *result,
                             ptrdiff_t result_row) {
    if (rows == TILE_ROWS && columns == vectors * TILE_LANES)
        return TILE(finish)(vectors, accumulates, &end, sums, result, result_row);
    TILE(edge) edge;
    TILE(enter)(&edge, accumulates, &end, rows, columns, result, result_row);
    TILE(finish)(vectors, accumulates, &end, sums, edge.result, TILE_COLUMNS);
    TILE(copy)(edge.result, TILE_COLUMNS, rows, columns, result, result_row);
}

/// A tile of the result. `vectors` and `packs` are constants at every call: one loop in registers for each width.
/// - packs: Whether the right operand is copied to `packed` in passing.
TILE_INLINE void TILE(tile)(const int vectors, const int packs, const ts_product *p, const float *left,
                            const float *right, ptrdiff_t right_row, float *packed, ptrdiff_t row, ptrdiff_t column) {
    TILE(vector) sums[TILE_ROWS][TILE_VECTORS];
    const ptrdiff_t rows = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS;
    const ptrdiff_t columns = p->columns - column < vectors * TILE_LANES ? p->columns - column : vectors * TILE_LANES;
    float *result = p->result + row * p->result_row + column;
    const ts_product_end end = TILE(end_at)(p->end, row, column);
    // What the end reads and writes is far apart in memory: it is fetched while the sums are formed.
    for (ptrdiff_t i = 0; i < rows; i++) {
        const float *to = result + i * p->result_row;
        for (int v = 0; v < vectors; v++) __builtin_prefetch(to + v * TILE_LANES, 1);
        __builtin_prefetch(to + columns - 1, 1);
        if (!end.residual) continue;
        const float *from = end.residual + i * end.residual_stride;
        for (int v = 0; v < vectors; v++) __builtin_prefetch(from + v * TILE_LANES);
        __builtin_prefetch(from + columns - 1);
    }
    TILE_UNROLL for (int i = 0; i < TILE_ROWS; i++)
        TILE_UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = (TILE(vector)){0};
    const float *next = left + p->left_panel;
    for (ptrdiff_t k = p->depth; k > 0; k--) {
        TILE(step)(vectors, left, right, sums);
        if (packs) {
            TILE_UNROLL for (int v = 0; v < vectors; v++) {
                __builtin_prefetch(right + TILE_AHEAD * right_row + v * TILE_LANES);
                *(TILE(vector) *)(packed + v * TILE_LANES) = *(const TILE(vector) *)(right + v * TILE_LANES);
            }
            packed += TILE_COLUMNS;
        } else {
            __builtin_prefetch(next);
            next += TILE_ROWS;
        }
        left += TILE_ROWS;
        right += right_row;
    }
    TILE(close)(vectors, p->accumulates, end, sums, rows, columns, result, p->result_row);
}

static __attribute__((noinline)) void TILE(whole_tile)(const ts_product *p, const float *left, const float *right,
                                                       ptrdiff_t right_row, ptrdiff_t row, ptrdiff_t column) {
    TILE(tile)(TILE_VECTORS, 0, p, left, right, right_row, NULL, row, column);
}

static __attribute__((noinline)) void TILE(packing_tile)(const ts_product *p, const float *left, const float *right,
                                                         ptrdiff_t right_row, float *packed, ptrdiff_t row,
                                                         ptrdiff_t column) {
    TILE(tile)(TILE_VECTORS, 1, p, left, right, right_row, packed, row, column);
}

static __attribute__((noinline)) void TILE(narrow_tile)(const ts_product *p, const float *left, const float *right,
                                                        ptrdiff_t right_row, ptrdiff_t row, ptrdiff_t column) {
    if (p->columns - column > TILE_LANES) TILE(tile)(2, 0, p, left, right, right_row, NULL, row, column);
    else TILE(tile)(1, 0, p, left, right, right_row, NULL, row, column);
}

/// Tiles of as many rows as one has, over the columns of a block.
static void TILE(row_of_tiles)(const ts_product *p, ptrdiff_t row, ptrdiff_t first, ptrdiff_t last) {
    const float *left = p->left + row / TILE_ROWS * p->left_panel;
    for (ptrdiff_t column = first; column < last; column += TILE_COLUMNS) {
        const float *right = p->right + column / TILE_COLUMNS * p->right_panel;
        ptrdiff_t right_row = p->right_row;
        const ptrdiff_t rest = last - column;
        if (p->packed) {
            float *packed = p->packed + (column - first) * p->depth;
            if (row == 0 && rest >= TILE_COLUMNS) {
                TILE(packing_tile)(p, left, right, right_row, packed, row, column);
                continue;
            }
            if (row == 0) TILE(copy)(right, right_row, p->depth, rest, packed, TILE_COLUMNS);
            right = packed;
            right_row = TILE_COLUMNS;
        }
        if (rest > 2 * TILE_LANES) TILE(whole_tile)(p, left, right, right_row, row, column);
        else TILE(narrow_tile)(p, left, right, right_row, row, column);
    }
}

static void TILE(multiply)(const ts_product *whole) {
    const ptrdiff_t depth = ts_matrix_part_depth(whole->depth);
    ptrdiff_t k = 0;
    do {
        ts_product part = *whole;
        part.depth = whole->depth - k < depth ? whole->depth - k : depth;
        part.left += k * TILE_ROWS;
        part.right += k * whole->right_row;
        part.accumulates |= k > 0;
        k += part.depth;
        if (k < whole->depth) part.end = NULL;
        for (ptrdiff_t first = 0; first < whole->columns; first += whole->block_columns) {
            const ptrdiff_t rest = whole->columns - first;
            const ptrdiff_t last = first + (rest < whole->block_columns ? rest : whole->block_columns);
            for (ptrdiff_t row = 0; row < whole->rows; row += TILE_ROWS)
                TILE(row_of_tiles)(&part, row, first, last);
        }
    } while (k < whole->depth);
}

#undef TILE_COLUMNS
#undef TILE_INLINE
#undef TILE_UNROLL
