/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Clocks. */
#define _GNU_SOURCE
#include "base/clock.h"

#include <time.h>

static int64_t clock_read_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * CLOCK_S_NS + t.tv_nsec;
}

uint64_t clock_ms(void)
{
    return clock_ns() / CLOCK_MS_NS;
}

uint64_t clock_ns(void)
{
    return (uint64_t)clock_read_ns(CLOCK_MONOTONIC);
}

uint32_t clock_coarse_ms(void)
{
    return (uint32_t)(clock_read_ns(CLOCK_MONOTONIC_COARSE) / CLOCK_MS_NS);
}

int64_t clock_time_ns(void)
{
    return clock_read_ns(CLOCK_REALTIME);
}

struct timeval clock_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};
}
