/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A rate limit for repeated events. Pure. */
#ifndef POEMD_PROXY_IPC_RATE_LIMIT_H
#define POEMD_PROXY_IPC_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Allows a burst, then one event per interval. due_ms: the next one's time without a burst. */
struct rate_limit {
    uint64_t due_ms;
};

/* Returns true if one more event is allowed now. */
bool rate_limit_may(const struct rate_limit *r, uint64_t now_ms, unsigned burst,
                    unsigned interval_ms);

/* Counts an event, even if it was not allowed: later ones are delayed by it. */
void rate_limit_take(struct rate_limit *r, uint64_t now_ms, unsigned interval_ms);

#endif
