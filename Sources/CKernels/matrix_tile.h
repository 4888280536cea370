// Included once for each instruction set: TILE(name) names its functions, TILE_LANES is the width of its vectors,
// TILE_ROWS × TILE_VECTORS the accumulators that fit its registers.

typedef float TILE(vector) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));
typedef int32_t TILE(mask) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));

static inline __attribute__((always_inline)) TILE(vector) TILE(select)(TILE(mask) mask, TILE(vector) yes,
                                                                       TILE(vector) no) {
    return (TILE(vector))((mask & (TILE(mask))yes) | (~mask & (TILE(mask))no));
}

/// The end of one row of a tile.
static inline __attribute__((always_inline)) void TILE(finish)(const int vectors, const ts_product *p, ptrdiff_t row,
                                                               ptrdiff_t column, ptrdiff_t columns, int whole,
                                                               TILE(vector) *line, float *result) {
    const ts_product_end *end = p->end;
    float edge[TILE_VECTORS * TILE_LANES], extra[TILE_VECTORS * TILE_LANES];
    float *target = whole ? result : edge;
    if (p->accumulates) {
        if (!whole) memcpy(edge, result, (size_t)columns * sizeof(float));
        for (int v = 0; v < vectors; v++) line[v] += *(const TILE(vector) *)(target + v * TILE_LANES);
    }
    if (end) {
        if (end->row_bias)
            for (int v = 0; v < vectors; v++) line[v] += end->row_bias[row];
        const float *added[2] = {
            end->column_bias ? end->column_bias + column : NULL,
            end->residual ? end->residual + row * end->residual_stride + column : NULL,
        };
        for (int source = 0; source < 2; source++) {
            const float *values = added[source];
            if (!values) continue;
            if (!whole) values = memcpy(extra, values, (size_t)columns * sizeof(float));
            for (int v = 0; v < vectors; v++) line[v] += *(const TILE(vector) *)(values + v * TILE_LANES);
        }
        if (end->limits) {
            const TILE(vector) low = end->low - (TILE(vector)){0}, high = end->high - (TILE(vector)){0};
            for (int v = 0; v < vectors; v++) {
                line[v] = TILE(select)(line[v] < low, low, line[v]);
                line[v] = TILE(select)(line[v] > high, high, line[v]);
            }
        }
    }
    for (int v = 0; v < vectors; v++) *(TILE(vector) *)(target + v * TILE_LANES) = line[v];
    if (!whole) memcpy(result, edge, (size_t)columns * sizeof(float));
}

/// Adds the product of a column of the left operand and a row of the right one.
static inline __attribute__((always_inline)) void TILE(step)(const int vectors, const float *left, const float *right,
                                                             TILE(vector) (*sums)[TILE_VECTORS]) {
    TILE(vector) factors[TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) factors[v] = *(const TILE(vector) *)(right + v * TILE_LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[i][v] += left[i] * factors[v];
}

/// `vectors` is a constant at every call: one loop in registers for each width.
static inline __attribute__((always_inline)) void TILE(tile)(const int vectors, const ts_product *p, const float *left,
                                                             const float *right, ptrdiff_t row, ptrdiff_t column) {
    TILE(vector) sums[TILE_ROWS][TILE_VECTORS];
    const ptrdiff_t rows = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS;
    const ptrdiff_t columns = p->columns - column < vectors * TILE_LANES ? p->columns - column : vectors * TILE_LANES;
    const int whole = columns == vectors * TILE_LANES;
    float *result = p->result + row * p->result_row + column;
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[i][v] = (TILE(vector)){0};
    // What the end reads and writes is far apart in memory: it is fetched while the sums are formed.
    for (ptrdiff_t i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) {
            __builtin_prefetch(result + i * p->result_row + v * TILE_LANES, 1);
            if (p->end && p->end->residual)
                __builtin_prefetch(p->end->residual + (row + i) * p->end->residual_stride + column + v * TILE_LANES);
        }
    const ptrdiff_t stride = p->right_row;
    for (ptrdiff_t k = p->depth; k > 0; k--) {
        TILE(step)(vectors, left, right, sums);
        left += TILE_ROWS;
        right += stride;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++)
        if (i < rows)
            TILE(finish)(vectors, p, row + i, column, columns, whole, sums[i], result + i * p->result_row);
}

static void TILE(multiply)(const ts_product *whole) {
    enum { WIDTH = TILE_VECTORS * TILE_LANES, COLUMNS = TS_BLOCK_COLUMNS / WIDTH * WIDTH };
    ptrdiff_t k = 0;
    do {
        ts_product part = *whole;
        part.depth = whole->depth - k < TS_BLOCK_DEPTH ? whole->depth - k : TS_BLOCK_DEPTH;
        part.left += k * TILE_ROWS;
        part.right += k * whole->right_row;
        part.accumulates |= k > 0;
        k += part.depth;
        if (k < whole->depth) part.end = NULL;
        for (ptrdiff_t first = 0; first < whole->columns; first += COLUMNS) {
            const ptrdiff_t last = whole->columns - first < COLUMNS ? whole->columns : first + COLUMNS;
            for (ptrdiff_t row = 0; row < whole->rows; row += TILE_ROWS) {
                const float *left = part.left + row / TILE_ROWS * part.left_panel;
                for (ptrdiff_t column = first; column < last; column += WIDTH) {
                    const float *right = part.right + column / WIDTH * part.right_panel;
                    const ptrdiff_t rest = last - column;
                    if (rest > 2 * TILE_LANES) TILE(tile)(3, &part, left, right, row, column);
                    else if (rest > TILE_LANES) TILE(tile)(2, &part, left, right, row, column);
                    else TILE(tile)(1, &part, left, right, row, column);
                }
            }
        }
    } while (k < whole->depth);
}
