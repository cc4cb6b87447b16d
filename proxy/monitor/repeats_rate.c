/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A rate is stored as the moment at which the next event would be due if there were no burst. */
#include "proxy/monitor/repeats_rate.h"

bool repeats_rate_may(const struct repeats_rate *r, uint64_t now_ms, unsigned burst,
                      unsigned interval_ms)
{
    return r->due_ms <= now_ms + (uint64_t)(burst - 1) * interval_ms;
}

void repeats_rate_take(struct repeats_rate *r, uint64_t now_ms, unsigned interval_ms)
{
    r->due_ms = (r->due_ms > now_ms ? r->due_ms : now_ms) + interval_ms;
}
