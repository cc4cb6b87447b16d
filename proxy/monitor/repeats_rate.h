/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A rate limit for repeated events. Pure. */
#ifndef POEMD_PROXY_MONITOR_REPEATS_RATE_H
#define POEMD_PROXY_MONITOR_REPEATS_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Allows a burst, then one event per interval. due_ms: the next one's time without a burst. */
struct repeats_rate {
    uint64_t due_ms;
};

/* Returns true if one more event is allowed now. */
bool repeats_rate_may(const struct repeats_rate *r, uint64_t now_ms, unsigned burst,
                      unsigned interval_ms);

/* Counts an event, even if it was not allowed: later ones are delayed by it. */
void repeats_rate_take(struct repeats_rate *r, uint64_t now_ms, unsigned interval_ms);

#endif
