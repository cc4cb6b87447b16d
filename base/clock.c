/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Clocks. */
#define _GNU_SOURCE
#include "base/clock.h"

#include <time.h>

#define S_MS 1000u
#define MS_NS 1000000u
#define S_NS 1000000000

uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * S_MS + (uint64_t)t.tv_nsec / MS_NS;
}

int64_t clock_time_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * S_NS + t.tv_nsec;
}
