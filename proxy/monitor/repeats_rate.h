/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* How often something may happen. Pure. */
#ifndef POEMD_PROXY_MONITOR_REPEATS_RATE_H
#define POEMD_PROXY_MONITOR_REPEATS_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Up to so many at once, then one each interval: when the next one would be due by the interval. */
struct repeats_rate {
    uint64_t due_ms;
};

/* Whether one more is allowed now. */
bool repeats_rate_may(const struct repeats_rate *r, uint64_t now_ms, unsigned burst,
                      unsigned interval_ms);

/* Takes one, also where it is not allowed: the next ones come the later. */
void repeats_rate_take(struct repeats_rate *r, uint64_t now_ms, unsigned interval_ms);

#endif
