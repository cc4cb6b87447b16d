/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/keeper/keeper_alive.h"

void keeper_alive_watch(struct keeper_alive *a, uint64_t now_ms)
{
    a->watched = true;
    a->due_ms = now_ms + LIMIT_BEAT_MS;
    heartbeat_start(&a->beat, now_ms);
    heartbeat_heard(&a->beat);
}

bool keeper_alive_look(struct keeper_alive *a, pid_t monitor, uint64_t now_ms)
{
    struct heartbeat_sample s;

    if (!a->watched || now_ms < a->due_ms) {
        return true;
    }
    a->due_ms = now_ms + LIMIT_BEAT_MS;
    heartbeat_look(monitor, &s);
    a->watched = heartbeat_beat(&a->beat, now_ms, &s) != HEARTBEAT_HUNG;
    return a->watched;
}
