// Included once for each instruction set by tile_sets.h.

#include "matrix_tile.h"

/// A tile to one target, by way of the end.
static __attribute__((noinline)) void TILE(store)(const ts_shared_product *p, const ts_product_target *target,
                                                  const TILE(vector) *sums, ptrdiff_t row, ptrdiff_t column) {
    const ptrdiff_t rows = target->rows - row < TILE_ROWS ? target->rows - row : TILE_ROWS;
    const ptrdiff_t columns = target->columns - column < TILE_COLUMNS ? target->columns - column : TILE_COLUMNS;
    const ts_product_end end = TILE(end_at)(target->end, row, column);
    TILE(vector) lines[TILE_ROWS][TILE_VECTORS];
    UNROLL
    for (int i = 0; i < TILE_ROWS; i++)
        UNROLL
        for (int v = 0; v < TILE_VECTORS; v++) {
            const TILE(vector) sum = sums[i * TILE_VECTORS + v];
            lines[i][v] = target->negative ? -sum : sum;
        }
    TILE(close)(TILE_VECTORS, target->accumulates, end, lines, rows, columns,
                target->result + row * p->result_row + column, p->result_row);
}

TS_INLINE void TILE(shared_tile)(const ts_shared_product *p, const float *left, const float *right, const float *ahead,
                                 ptrdiff_t row, ptrdiff_t column) {
    enum { STEPS = 32 / TILE_ROWS, LINE = 16 };
    TILE(vector) sums[TILE_ROWS][TILE_VECTORS];
    UNROLL
    for (int i = 0; i < TILE_ROWS; i++)
        UNROLL
        for (int v = 0; v < TILE_VECTORS; v++) sums[i][v] = (TILE(vector)){0};
    for (int n = 0; n < p->target_count; n++) {
        const ts_product_target *target = &p->targets[n];
        const ts_product_end *end = target->end;
        for (ptrdiff_t i = row; i < row + TILE_ROWS && i < target->rows; i++)
            for (int v = 0; v < TILE_VECTORS; v++) {
                __builtin_prefetch(target->result + i * p->result_row + column + v * TILE_LANES, 1);
                if (end && end->residual)
                    __builtin_prefetch(end->residual + i * end->residual_stride + column + v * TILE_LANES);
            }
    }
    ptrdiff_t k = p->depth;
    for (; k >= STEPS; k -= STEPS, ahead += LINE) {
        __builtin_prefetch(ahead);
        UNROLL
        for (int step = 0; step < STEPS; step++)
            TILE(step)(TILE_VECTORS, left + step * TILE_ROWS, right + step * TILE_COLUMNS, sums);
        left += STEPS * TILE_ROWS;
        right += STEPS * TILE_COLUMNS;
    }
    for (; k > 0; k--, left += TILE_ROWS, right += TILE_COLUMNS) TILE(step)(TILE_VECTORS, left, right, sums);
    for (int n = 0; n < p->target_count; n++) {
        const ts_product_target *target = &p->targets[n];
        float *result = target->result + row * p->result_row + column;
        if (target->rows <= row || target->columns <= column) continue;
        if (target->rows - row < TILE_ROWS || target->columns - column < TILE_COLUMNS || target->end) {
            TILE(vector) lines[TILE_ROWS][TILE_VECTORS];
            UNROLL
            for (int i = 0; i < TILE_ROWS; i++)
                UNROLL
                for (int v = 0; v < TILE_VECTORS; v++) lines[i][v] = sums[i][v];
            TILE(store)(p, target, lines[0], row, column);
            continue;
        }
        const TILE(vector) sign = (target->negative ? -1.0f : 1.0f) - (TILE(vector)){0};
        const TILE(vector) none = {0};
        UNROLL
        for (int i = 0; i < TILE_ROWS; i++)
            UNROLL
            for (int v = 0; v < TILE_VECTORS; v++) {
                TILE(vector) *place = (TILE(vector) *)(result + i * p->result_row + v * TILE_LANES);
                *place = (target->accumulates ? *place : none) + sums[i][v] * sign;
            }
    }
}

// Without the attribute vectors of 512 bits are cut in two.
static __attribute__((min_vector_width(32 * TILE_LANES))) void TILE(multiply_shared)(const ts_shared_product *p) {
    // Every row of tiles fetches a part of each panel that comes next.
    const ptrdiff_t part = (p->depth * TILE_COLUMNS * TILE_ROWS / (p->rows > 0 ? p->rows : 1) + 15) & ~(ptrdiff_t)15;
    for (ptrdiff_t row = 0; row < p->rows; row += TILE_ROWS)
        for (ptrdiff_t column = 0; column < p->columns; column += TILE_COLUMNS) {
            const float *left = p->left + row / TILE_ROWS * p->left_panel;
            const float *right = p->right + column / TILE_COLUMNS * p->right_panel;
            const float *next = p->next ? p->next + column / TILE_COLUMNS * p->next_panel + row / TILE_ROWS * part : left;
            TILE(shared_tile)(p, left, right, next, row, column);
        }
}
