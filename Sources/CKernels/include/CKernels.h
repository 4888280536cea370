#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// Inner loops in C. Each is compiled for the baseline and for AVX2 with FMA; the better one is chosen when the program is
// loaded. Callers have checked that every index stays inside its array.
#ifndef TS_SIMD
#if defined(__x86_64__) && defined(__linux__)
#define TS_SIMD __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define TS_SIMD
#endif
#endif

#include "attention.h"
#include "convolution.h"
#include "depthwise.h"
#include "distance.h"
#include "elementwise.h"
#include "matrix.h"
#include "half.h"
#include "integer.h"
#include "movement.h"
#include "normalize.h"
#include "phases.h"
#include "pooling.h"
#include "reduce.h"
#include "resize.h"
#include "softmax.h"
#include "strassen.h"
#include "winograd.h"

#endif
