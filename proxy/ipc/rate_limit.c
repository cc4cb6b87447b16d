/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A rate is stored as the moment at which the next event would be due if there were no burst. */
#include "proxy/ipc/rate_limit.h"

bool rate_limit_may(const struct rate_limit *r, uint64_t now_ms, unsigned burst,
                    unsigned interval_ms)
{
    return r->due_ms <= now_ms + (uint64_t)(burst - 1) * interval_ms;
}

void rate_limit_take(struct rate_limit *r, uint64_t now_ms, unsigned interval_ms)
{
    r->due_ms = (r->due_ms > now_ms ? r->due_ms : now_ms) + interval_ms;
}
