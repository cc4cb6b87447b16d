/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Log-linear bins: a value's leading bits select its bin. Pure. */
#include "trace/report/stats_histogram.h"

#define BITS STATS_HISTOGRAM_BITS
#define PER_OCTAVE (1u << BITS)

/*
 * Below 2^BITS, each number has its own bin; above, the octave and the BITS bits behind the leading
 * one select it.
 */
static unsigned stats_histogram_bin_of(uint64_t value)
{
    unsigned exponent;

    if (value < PER_OCTAVE) {
        return (unsigned)value;
    }
    exponent = 63u - (unsigned)__builtin_clzll(value);
    return ((exponent - BITS + 1) << BITS) +
           (unsigned)((value >> (exponent - BITS)) & (PER_OCTAVE - 1));
}

static uint64_t stats_histogram_bin_low(unsigned bin)
{
    const unsigned octave = bin >> BITS;

    if (octave == 0) {
        return bin;
    }
    return (uint64_t)(PER_OCTAVE + (bin & (PER_OCTAVE - 1))) << (octave - 1);
}

static uint64_t stats_histogram_bin_middle(unsigned bin)
{
    const unsigned octave = bin >> BITS;

    return stats_histogram_bin_low(bin) + (octave < 2 ? 0 : ((uint64_t)1 << (octave - 1)) / 2);
}

void stats_histogram_add(struct stats_histogram *h, uint64_t value)
{
    h->bins[stats_histogram_bin_of(value)]++;
    h->sum += value;
    if (h->count++ == 0 || value < h->min) {
        h->min = value;
    }
    if (value > h->max) {
        h->max = value;
    }
}

uint64_t stats_histogram_quantile(const struct stats_histogram *h, unsigned permille)
{
    /* In two parts, since count * permille could overflow. */
    const uint64_t rank = h->count / 1000 * permille + (h->count % 1000 * permille + 999) / 1000;
    uint64_t seen = 0;

    for (unsigned i = 0; i < STATS_HISTOGRAM_BINS; i++) {
        seen += h->bins[i];
        if (seen >= rank && seen > 0) {
            const uint64_t v = stats_histogram_bin_middle(i);

            return v < h->min ? h->min : v > h->max ? h->max : v;
        }
    }
    return 0;
}

unsigned stats_histogram_step(uint64_t value)
{
    return stats_histogram_bin_of(value) / STATS_HISTOGRAM_STEP;
}

uint64_t stats_histogram_step_low(unsigned step)
{
    return step < STATS_HISTOGRAM_STEPS ? stats_histogram_bin_low(step * STATS_HISTOGRAM_STEP)
                                        : UINT64_MAX;
}

uint64_t stats_histogram_step_count(const struct stats_histogram *h, unsigned step)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < STATS_HISTOGRAM_STEP; i++) {
        n += h->bins[step * STATS_HISTOGRAM_STEP + i];
    }
    return n;
}
