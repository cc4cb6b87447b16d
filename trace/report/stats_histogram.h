/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A histogram of 64-bit numbers with bins that grow with what they count: 128 to an octave. What
 * is read from it is off by at most 1/256 of the true value (0.4 %), whatever that is; the
 * smallest, the largest and the sum are exact. One size, no allocation. Pure.
 */
#ifndef POEMD_TRACE_REPORT_STATS_HISTOGRAM_H
#define POEMD_TRACE_REPORT_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define STATS_HISTOGRAM_BITS 7u /* bins to an octave, as a power of two */
#define STATS_HISTOGRAM_BINS ((64u - STATS_HISTOGRAM_BITS + 1u) << STATS_HISTOGRAM_BITS)

/* For drawing: 4 steps to an octave, each of 32 bins; those below 128 are of 32 numbers each. */
#define STATS_HISTOGRAM_STEP 32u
#define STATS_HISTOGRAM_STEPS (STATS_HISTOGRAM_BINS / STATS_HISTOGRAM_STEP)

struct stats_histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t min; /* of nothing: 0 */
    uint64_t max;
    uint64_t bins[STATS_HISTOGRAM_BINS];
};

void stats_histogram_add(struct stats_histogram *h, uint64_t value);

/*
 * The smallest value that at least permille of 1000 are not above, within 0.4 %; never below min
 * or above max. Of nothing: 0.
 */
uint64_t stats_histogram_quantile(const struct stats_histogram *h, unsigned permille);

/* The step a value is counted in. */
unsigned stats_histogram_step(uint64_t value);

/* The smallest value of a step; of the one past the last: UINT64_MAX. */
uint64_t stats_histogram_step_low(unsigned step);

/* How many values are in a step. */
uint64_t stats_histogram_step_count(const struct stats_histogram *h, unsigned step);

#endif
