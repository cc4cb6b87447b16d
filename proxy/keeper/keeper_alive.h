/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Whether the monitor still makes its turns: it sends WATCHDOG=1 every LIMIT_BEAT_MS. */
#ifndef POEMD_PROXY_KEEPER_KEEPER_ALIVE_H
#define POEMD_PROXY_KEEPER_KEEPER_ALIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/helper/heartbeat.h"

struct keeper_alive {
    bool watched;
    struct heartbeat beat;
    uint64_t due_ms; /* of the next look, by clock_ms */
};

/* The monitor is ready: it is watched from now on. */
void keeper_alive_watch(struct keeper_alive *a, uint64_t now_ms);

/* Looks at the monitor if that is due. Returns false if it hangs. */
bool keeper_alive_look(struct keeper_alive *a, pid_t monitor, uint64_t now_ms)
    __attribute__((warn_unused_result));

#endif
