// Included once for each instruction set by tile_sets.h.

TS_INLINE TILE(vector) TILE(limit)(TILE(vector) x, TILE(vector) low, TILE(vector) high) {
    x = TILE(select)(x < low, low, x);
    return TILE(select)(x > high, high, x);
}

/// Adds the product of a column of the left operand and a row of the right one.
TS_INLINE void TILE(step)(const int vectors, const float *left, const float *right, TILE(vector) (*sums)[TILE_VECTORS]) {
    TILE(vector) factors[TILE_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) factors[v] = *(const TILE(vector) *)(right + v * TILE_LANES);
    UNROLL for (int i = 0; i < TILE_ROWS; i++)
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += left[i] * factors[v];
}

/// The end of a whole tile, whose first element is the first of everything that is added.
TS_INLINE void TILE(finish)(const int vectors, int accumulates, const ts_product_end *end,
                            TILE(vector) sums[TILE_ROWS][TILE_VECTORS], float *result, ptrdiff_t result_row) {
    if (accumulates)
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] += *(const TILE(vector) *)(result + i * result_row + v * TILE_LANES);
    if (end->row_bias)
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += end->row_bias[i];
    if (end->column_bias)
        UNROLL for (int v = 0; v < vectors; v++) {
            const TILE(vector) added = *(const TILE(vector) *)(end->column_bias + v * TILE_LANES);
            UNROLL for (int i = 0; i < TILE_ROWS; i++) sums[i][v] += added;
        }
    if (end->residual)
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] += *(const TILE(vector) *)(end->residual + i * end->residual_stride + v * TILE_LANES);
    if (end->limits) {
        const TILE(vector) low = end->low - (TILE(vector)){0}, high = end->high - (TILE(vector)){0};
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = TILE(limit)(sums[i][v], low, high);
    }
    if (end->hard_swish) {
        const TILE(vector) zero = {0}, one = 1 - zero;
        UNROLL for (int i = 0; i < TILE_ROWS; i++)
            UNROLL for (int v = 0; v < vectors; v++)
                sums[i][v] *= TILE(limit)(sums[i][v] * (1.0f / 6.0f) + 0.5f, zero, one);
    }
    UNROLL for (int i = 0; i < TILE_ROWS; i++)
        UNROLL for (int v = 0; v < vectors; v++)
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
TS_INLINE ts_product_end TILE(end_at)(const ts_product_end *whole, ptrdiff_t row, ptrdiff_t column) {
    ts_product_end end = {0};
    if (!whole) return end;
    end = *whole;
    if (end.row_bias) end.row_bias += row;
    if (end.column_bias) end.column_bias += column;
    if (end.residual) end.residual += row * end.residual_stride + column;
    return end;
}

/// Ends a tile of which `rows` rows and `columns` columns lie in the result.
TS_INLINE void TILE(close)(const int vectors, int accumulates, ts_product_end end,
                           TILE(vector) sums[TILE_ROWS][TILE_VECTORS], ptrdiff_t rows, ptrdiff_t columns, float *result,
                           ptrdiff_t result_row) {
    if (rows == TILE_ROWS && columns == vectors * TILE_LANES)
        return TILE(finish)(vectors, accumulates, &end, sums, result, result_row);
    TILE(edge) edge;
    TILE(enter)(&edge, accumulates, &end, rows, columns, result, result_row);
    TILE(finish)(vectors, accumulates, &end, sums, edge.result, TILE_COLUMNS);
    TILE(copy)(edge.result, TILE_COLUMNS, rows, columns, result, result_row);
}

/// Columns of the right operand that all rows are multiplied by before the next are: tiles `panel` elements apart, whose rows
/// are `row` elements apart.
typedef struct {
    const float *elements;
    ptrdiff_t panel, row;
    ptrdiff_t first, last;
} TILE(block);

/// A tile of the result. `vectors` is a constant at every call: one loop in registers for each width.
TS_INLINE void TILE(tile)(const int vectors, const ts_product *p, const float *left, const float *right,
                          ptrdiff_t right_row, ptrdiff_t row, ptrdiff_t column) {
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
    UNROLL for (int i = 0; i < TILE_ROWS; i++)
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = (TILE(vector)){0};
    const float *next = left + p->left_panel;
    for (ptrdiff_t k = p->depth; k > 0; k--) {
        TILE(step)(vectors, left, right, sums);
        __builtin_prefetch(next);
        next += TILE_ROWS;
        left += TILE_ROWS;
        right += right_row;
    }
    TILE(close)(vectors, p->accumulates, end, sums, rows, columns, result, p->result_row);
}

static __attribute__((noinline)) void TILE(whole_tile)(const ts_product *p, const float *left, const float *right,
                                                       ptrdiff_t right_row, ptrdiff_t row, ptrdiff_t column) {
    TILE(tile)(TILE_VECTORS, p, left, right, right_row, row, column);
}

static __attribute__((noinline)) void TILE(narrow_tile)(const ts_product *p, const float *left, const float *right,
                                                        ptrdiff_t right_row, ptrdiff_t row, ptrdiff_t column) {
    if (p->columns - column > TILE_LANES) TILE(tile)(2, p, left, right, right_row, row, column);
    else TILE(tile)(1, p, left, right, right_row, row, column);
}

/// Tiles of as many rows as one has, over the columns of a block.
static void TILE(row_of_tiles)(const ts_product *p, TILE(block) block, ptrdiff_t row) {
    const float *left = p->left + row / TILE_ROWS * p->left_panel;
    const float *right = block.elements;
    for (ptrdiff_t column = block.first; column < block.last; column += TILE_COLUMNS, right += block.panel) {
        if (block.last - column > 2 * TILE_LANES) TILE(whole_tile)(p, left, right, block.row, row, column);
        else TILE(narrow_tile)(p, left, right, block.row, row, column);
    }
}

/// A block as panels one after another. Its rows are read from end to end: in that order memory delivers them soonest.
static TILE(block) TILE(pack)(TILE(block) block, ptrdiff_t depth, float *packed) {
    const ptrdiff_t columns = block.last - block.first, panel = TILE_COLUMNS * depth;
    const float *from = block.elements;
    for (ptrdiff_t k = 0; k < depth; k++, from += block.row) {
        const float *ahead = k + TILE_AHEAD < depth ? from + TILE_AHEAD * block.row : from;
        float *to = packed + k * TILE_COLUMNS;
        ptrdiff_t column = 0;
        for (; column + TILE_COLUMNS <= columns; column += TILE_COLUMNS, to += panel)
            UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
                __builtin_prefetch(ahead + column + v * TILE_LANES);
                *(TILE(vector) *)(to + v * TILE_LANES) = *(const TILE(vector) *)(from + column + v * TILE_LANES);
            }
        if (column < columns) memcpy(to, from + column, (size_t)(columns - column) * sizeof(float));
    }
    return (TILE(block)){packed, panel, TILE_COLUMNS, block.first, block.last};
}

typedef float TILE(rows) __attribute__((vector_size(4 * TILE_ROWS), aligned(4), may_alias));

/// What becomes of a sum, the element of a row in the first column of the result.
TS_INLINE float TILE(finish_one)(const ts_product_end *end, float x, ptrdiff_t row) {
    if (end->row_bias) x += end->row_bias[row];
    if (end->column_bias) x += *end->column_bias;
    if (end->residual) x += end->residual[row * end->residual_stride];
    if (end->limits) {
        x = x < end->low ? end->low : x;
        x = x > end->high ? end->high : x;
    }
    if (end->hard_swish) {
        const float gate = x * (1.0f / 6.0f) + 0.5f;
        x *= gate < 0 ? 0 : gate > 1 ? 1 : gate;
    }
    return x;
}

/// A product with a single column. Lanes of vectors are rows: a tile would use one lane of each.
static void TILE(multiply_column)(const ts_product *p) {
    for (ptrdiff_t row = 0; row < p->rows; row += TILE_ROWS) {
        const float *left = p->left + row / TILE_ROWS * p->left_panel, *right = p->right;
        TILE(rows) sums[4] = {0};
        ptrdiff_t k = 0;
        for (; k + 4 <= p->depth; k += 4, left += 4 * TILE_ROWS, right += 4 * p->right_row)
            UNROLL for (int i = 0; i < 4; i++)
                sums[i] += *(const TILE(rows) *)(left + i * TILE_ROWS) * right[i * p->right_row];
        for (; k < p->depth; k++, left += TILE_ROWS, right += p->right_row)
            sums[0] += *(const TILE(rows) *)left * *right;
        const TILE(rows) sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        float *result = p->result + row * p->result_row;
        for (ptrdiff_t i = 0; i < TILE_ROWS && row + i < p->rows; i++, result += p->result_row) {
            const float x = p->accumulates ? sum[i] + *result : sum[i];
            *result = p->end ? TILE(finish_one)(p->end, x, row + i) : x;
        }
    }
}

static void TILE(multiply)(const ts_product *whole) {
    if (whole->columns == 1) {
        TILE(multiply_column)(whole);
        return;
    }
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
            TILE(block) block = {part.right + first / TILE_COLUMNS * part.right_panel, part.right_panel, part.right_row, first,
                                 first + (rest < whole->block_columns ? rest : whole->block_columns)};
            if (part.packed) block = TILE(pack)(block, part.depth, part.packed);
            for (ptrdiff_t row = 0; row < whole->rows; row += TILE_ROWS) TILE(row_of_tiles)(&part, block, row);
        }
    } while (k < whole->depth);
}
