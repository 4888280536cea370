#include "CKernels.h"

#include "tile_rows.h"

/// Most components along an axis, and those of a tile.
enum { COMPONENTS = 8, FREQUENCIES = 94 };

/// cos and sin of 2πk / points.
static const float cosines[9][8] = {
    [4] = {1, 0, -1, 0},
    [5] = {1, 0.30901699437494742f, -0.80901699437494742f, -0.80901699437494742f, 0.30901699437494742f},
    [6] = {1, 0.5f, -0.5f, -1, -0.5f, 0.5f},
    [7] = {1, 0.62348980185873353f, -0.22252093395631440f, -0.90096886790241913f, -0.90096886790241913f,
           -0.22252093395631440f, 0.62348980185873353f},
    [8] = {1, 0.70710678118654752f, 0, -0.70710678118654752f, -1, -0.70710678118654752f, 0, 0.70710678118654752f},
};
static const float sines[9][8] = {
    [4] = {0, 1, 0, -1},
    [5] = {0, 0.95105651629515357f, 0.58778525229247313f, -0.58778525229247313f, -0.95105651629515357f},
    [6] = {0, 0.86602540378443865f, 0.86602540378443865f, 0, -0.86602540378443865f, -0.86602540378443865f},
    [7] = {0, 0.78183148246802981f, 0.97492791218182361f, 0.43388373911755812f, -0.43388373911755812f,
           -0.97492791218182361f, -0.78183148246802981f},
    [8] = {0, 0.70710678118654752f, 1, 0.70710678118654752f, 0, -0.70710678118654752f, -1, -0.70710678118654752f},
};

/// What an axis becomes: real components first, then complex ones of two each.
typedef struct {
    ptrdiff_t real, complex;
} components;

TS_INLINE components components_of(ptrdiff_t extent) {
    if (extent < 3) return (components){extent == 1 ? 1 : 3, 0};
    return (components){extent % 2 + 1, extent / 2};
}

ptrdiff_t ts_phase_frequencies(ptrdiff_t row_extent, ptrdiff_t column_extent) {
    const components r = components_of(row_extent), c = components_of(column_extent);
    return r.real * c.real + 3 * (r.real * c.complex + r.complex * c.real) + 6 * r.complex * c.complex;
}

ptrdiff_t ts_phase_scratch(ptrdiff_t row_extent, ptrdiff_t column_extent, ptrdiff_t lanes) {
    return row_extent * column_extent * (lanes + SPARE);
}

/// Lays element (i, j) of all tiles in row `i * column_extent + j` of `scratch`.
static void gather(const ts_phases *p, const float *plane, ptrdiff_t readable, float *scratch) {
    for (ptrdiff_t i = 0; i < p->row_extent; i++)
        for (ptrdiff_t j = 0; j < p->column_extent; j++) {
            float *to = scratch + (i * p->column_extent + j) * (p->lanes + SPARE);
            const ptrdiff_t column = p->first_column + j * p->column_dilation;
            ptrdiff_t inside = p->width - column;
            if (inside > p->column_count) inside = p->column_count;
            for (ptrdiff_t r = 0; r < p->row_count; r++, to += p->column_count) {
                const ptrdiff_t row = p->first_row + r + i * p->row_dilation;
                const ptrdiff_t start = row * p->width + column, count = row < p->height ? inside : 0;
                // What is written behind a run's end is written again by the next one.
                if (count > 0 && start + count + 7 <= readable)
                    for (ptrdiff_t t = 0; t < count; t += 8)
                        *(eight *)(to + t) = *(const eight *)(plane + start + t);
                else if (count > 0) memcpy(to, plane + start, (size_t)count * sizeof(float));
                for (ptrdiff_t t = count > 0 ? count : 0; t < p->column_count; t++) to[t] = 0;
            }
            for (ptrdiff_t t = p->row_count * p->column_count; t < p->lanes; t++) *to++ = 0;
        }
}

/// The reverse for outputs.
static void scatter(const ts_phases *p, const float *scratch, const ts_winograd_end *end, float *plane) {
    for (ptrdiff_t i = 0; i < p->row_extent; i++)
        for (ptrdiff_t r = 0; r < p->row_count; r++) {
            const ptrdiff_t row = p->first_row + r + i * p->row_dilation;
            if (row >= p->height) break;
            for (ptrdiff_t j = 0; j < p->column_extent; j++) {
                const ptrdiff_t column = p->first_column + j * p->column_dilation;
                const ptrdiff_t inside = p->width - column, start = row * p->width + column;
                finish(end, scratch + (i * p->column_extent + j) * (p->lanes + SPARE) + r * p->column_count,
                       inside < p->column_count ? inside : p->column_count, end->residual ? end->residual + start : NULL,
                       plane + start);
            }
        }
}

// Loops over the extents of a phase are unrolled where those are constants, and stay loops otherwise.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#define TILE_SOURCE "phase_tile.h"
#include "tile_sets.h"
#pragma clang diagnostic pop

static const struct {
    void (*input)(const ts_phases *, const float *, float *, const ts_winograd_order *);
    void (*output)(const ts_phases *, const float *, ptrdiff_t, float, float *);
    void (*weights)(ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t, float *, ptrdiff_t);
} kernels[] = {
    {ts_phase_input_baseline, ts_phase_output_baseline, ts_phase_weights_baseline},
#ifdef TS_HAS_WIDER_TILES
    {ts_phase_input_avx2, ts_phase_output_avx2, ts_phase_weights_avx2},
    {ts_phase_input_avx512, ts_phase_output_avx512, ts_phase_weights_avx512},
#endif
};

void ts_phase_input(int index, const ts_phases *phases, ts_planes planes, float *scratch, float *target,
                    const ts_winograd_order *order) {
    const ptrdiff_t size = phases->height * phases->width;
    for (ptrdiff_t i = 0; i < planes.count; i++) {
        gather(phases, planes.elements + i * size, planes.readable - i * size, scratch);
        kernels[index].input(phases, scratch, target + i * order->panel, order);
    }
}

void ts_phase_output(int index, const ts_phases *phases, const ts_tile_sums *sums, const ts_winograd_end *end, float *scratch,
                     float *planes) {
    const ptrdiff_t size = phases->height * phases->width;
    for (ptrdiff_t i = 0; i < sums->count; i++) {
        const ts_winograd_end one = end_of_channel(end, sums, i, size);
        kernels[index].output(phases, sums->elements + i * sums->channel_step, sums->step, one.bias, scratch);
        scatter(phases, scratch, &one, planes + i * size);
    }
}

void ts_phase_weights(int index, ptrdiff_t row_extent, ptrdiff_t column_extent, const float *taps, ptrdiff_t tap_step,
                      ptrdiff_t count, float *target, ptrdiff_t step) {
    kernels[index].weights(row_extent, column_extent, taps, tap_step, count, target, step);
}
