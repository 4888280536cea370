#include "CKernels.h"

#include <string.h>
#include <unistd.h>

// Rows of a right operand that is packed between the fetch of one and its use.
#define TILE_AHEAD 4

#define TILE_SOURCE "strassen_tile.h"
#include "tile_sets.h"

typedef struct {
    ts_tile_size size;
    void (*multiply)(const ts_product *);
    void (*multiply_shared)(const ts_shared_product *);
} ts_matrix_kernel;

static const ts_matrix_kernel kernels[] = {
    {{4, 4 * TILE_VECTORS, 4}, ts_multiply_baseline, ts_multiply_shared_baseline},
#ifdef TS_HAS_WIDER_TILES
    {{4, 8 * TILE_VECTORS, 8}, ts_multiply_avx2, ts_multiply_shared_avx2},
    {{8, 16 * TILE_VECTORS, 16}, ts_multiply_avx512, ts_multiply_shared_avx512},
#endif
};

int ts_matrix_kernel_count(void) {
#ifdef TS_HAS_WIDER_TILES
    if (!__builtin_cpu_supports("x86-64-v3")) return 1;
    return __builtin_cpu_supports("x86-64-v4") ? 3 : 2;
#else
    return 1;
#endif
}

ptrdiff_t ts_matrix_cached_elements(void) {
    ptrdiff_t bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    // Half of it, within the sizes that machines have for each core.
    return bytes >= 1 << 20 ? 1 << 17 : 1 << 16;
}

ts_tile_size ts_matrix_tile(int index) { return kernels[index].size; }

void ts_multiply_panels(int index, const ts_product *product) { kernels[index].multiply(product); }

void ts_multiply_shared(int index, const ts_shared_product *product) { kernels[index].multiply_shared(product); }

static inline __attribute__((always_inline)) void pack_panel(const float *source, ptrdiff_t row_stride,
                                                             ptrdiff_t column_stride, ptrdiff_t present,
                                                             ptrdiff_t depth, const ptrdiff_t rows, float *panel) {
    for (ptrdiff_t k = 0; k < depth; k++, source += column_stride, panel += rows) {
        if (present == rows && row_stride == 1)
            for (ptrdiff_t i = 0; i < rows; i++) panel[i] = source[i];
        else if (present == rows)
            for (ptrdiff_t i = 0; i < rows; i++) panel[i] = source[i * row_stride];
        else
            for (ptrdiff_t i = 0; i < rows; i++) panel[i] = i < present ? source[i * row_stride] : 0;
    }
}

TS_SIMD
void ts_pack_left(const float *matrix, ptrdiff_t row_stride, ptrdiff_t column_stride, ptrdiff_t rows, ptrdiff_t depth,
                  ptrdiff_t panel_rows, float *panels) {
    for (ptrdiff_t first = 0; first < rows; first += panel_rows, panels += panel_rows * depth) {
        const ptrdiff_t present = rows - first < panel_rows ? rows - first : panel_rows;
        const float *source = matrix + first * row_stride;
        if (panel_rows == 8) pack_panel(source, row_stride, column_stride, present, depth, 8, panels);
        else if (panel_rows == 4) pack_panel(source, row_stride, column_stride, present, depth, 4, panels);
        else pack_panel(source, row_stride, column_stride, present, depth, panel_rows, panels);
    }
}

TS_SIMD
void ts_pack_right(const float *matrix, ptrdiff_t row_stride, ptrdiff_t column_stride, ptrdiff_t depth, ptrdiff_t columns,
                   ptrdiff_t panel_columns, float *panels) {
    for (ptrdiff_t first = 0; first < columns; first += panel_columns, panels += panel_columns * depth) {
        const ptrdiff_t present = columns - first < panel_columns ? columns - first : panel_columns;
        for (ptrdiff_t k = 0; k < depth; k++) {
            const float *source = matrix + k * row_stride + first * column_stride;
            float *target = panels + k * panel_columns;
            if (column_stride == 1) memcpy(target, source, (size_t)present * sizeof(float));
            else
                for (ptrdiff_t j = 0; j < present; j++) target[j] = source[j * column_stride];
            memset(target + present, 0, (size_t)(panel_columns - present) * sizeof(float));
        }
    }
}
