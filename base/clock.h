/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The time of day, and the time since boot, as numbers. */
#ifndef POEMD_BASE_CLOCK_H
#define POEMD_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

#define CLOCK_S_NS 1000000000
#define CLOCK_MS_NS 1000000

/* Milliseconds, and nanoseconds, of CLOCK_MONOTONIC. */
uint64_t clock_ms(void);
uint64_t clock_ns(void);

/*
 * Milliseconds of CLOCK_MONOTONIC_COARSE, up to one tick of the kernel (10 ms) old: reads memory
 * only, so that it can be asked for each message. Wraps after 49 days, as differences do not mind.
 */
uint32_t clock_coarse_ms(void);

/* Nanoseconds since 1970, of CLOCK_REALTIME. */
int64_t clock_time_ns(void);

/* Returns a span of so many milliseconds, as libevent's timers take it. */
struct timeval clock_timeval(unsigned ms);

#endif
