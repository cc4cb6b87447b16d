/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Asks the workers for their counts, and stores them in the sessions. */
#include "proxy/monitor/workers/worker_pool_count.h"

#include "proxy/ipc/ipc.h"
#include "proxy/ipc/setup_lack.h"

void worker_pool_count(struct worker_pool *c)
{
    const struct ipc_msg m = {.type = IPC_COUNT};

    for (unsigned i = 0; i < c->n; i++) {
        struct worker_process *w = &c->members[i];

        /* If the channel is full the worker is busy, and the last known counts must do. */
        if (w->ready && !heartbeat_late(&w->beat) && !w->counting &&
            ipc_send(w->channel_fd, &m, NULL, 0) == 0) {
            w->counting = true;
        }
    }
}

bool worker_pool_counting(const struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->members[i].counting) {
            return true;
        }
    }
    return false;
}

struct monitor_session *worker_pool_session(struct worker_process *w, uint64_t id)
{
    struct monitor_session *const t = monitor_session_find(w->worker_pool->sessions, id);

    return t && t->member == w ? t : NULL;
}

void worker_pool_take_counts(struct worker_process *w, const struct ipc_counts *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct ipc_counted *counted = &c->counted[i];

        struct monitor_session *const t = worker_pool_session(w, counted->session);

        if (t) {
            t->counted = true;
            t->to_backend = counted->to_backend;
            t->to_client = counted->to_client;
            t->lack = counted->lack < SETUP_LACKS ? counted->lack : SETUP_KEPT;
            t->replace_lack =
                counted->replace_lack < SETUP_LACKS ? counted->replace_lack : SETUP_KEPT;
            monitor_session_count_overdue(t, counted->overdue);
        }
    }
    w->longest_turn_us = c->longest_turn_us;
    if (c->last) {
        worker_process_counted(w);
    }
}
