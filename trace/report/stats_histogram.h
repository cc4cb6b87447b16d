/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A histogram of 64-bit numbers with bins that grow with the values: 128 per octave. Results are
 * within 1/256 (0.4 %) of the true value, whatever its size; smallest, largest and sum are exact.
 * Fixed size, no allocation. Pure.
 */
#ifndef POEMD_TRACE_REPORT_STATS_HISTOGRAM_H
#define POEMD_TRACE_REPORT_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define STATS_HISTOGRAM_BITS 7u /* bins per octave, as a power of two */
#define STATS_HISTOGRAM_BINS ((64u - STATS_HISTOGRAM_BITS + 1u) << STATS_HISTOGRAM_BITS)

/* For drawing: 4 steps per octave, of 32 bins each; below 128, a step is 32 numbers. */
#define STATS_HISTOGRAM_STEP 32u
#define STATS_HISTOGRAM_STEPS (STATS_HISTOGRAM_BINS / STATS_HISTOGRAM_STEP)

struct stats_histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t min; /* 0 if empty */
    uint64_t max;
    uint64_t bins[STATS_HISTOGRAM_BINS];
};

void stats_histogram_add(struct stats_histogram *h, uint64_t value);

/*
 * Returns the smallest value that at least permille of 1000 do not exceed, within 0.4 %; never
 * below min or above max; 0 if empty.
 */
uint64_t stats_histogram_quantile(const struct stats_histogram *h, unsigned permille);

/* Returns the step of a value. */
unsigned stats_histogram_step(uint64_t value);

/* Returns the smallest value of a step; UINT64_MAX for the one past the last. */
uint64_t stats_histogram_step_low(unsigned step);

/* Returns the number of values in a step. */
uint64_t stats_histogram_step_count(const struct stats_histogram *h, unsigned step);

#endif
