/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Workers that an earlier monitor has started, and that have relayed on (IPC_ADOPT).
 *
 * Those of the same program take the places of new ones. Those of an earlier program retire: once
 * new workers take work, they hand their sessions over one by one, each between two messages, and
 * exit with the last. A session that its worker cannot hand over ends there.
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_ADOPT_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_ADOPT_H

#include "proxy/monitor/workers/worker_process.h"

/* A process of an earlier monitor's. */
struct worker_pool_adoptee {
    pid_t pid;
    int channel_fd;             /* the monitor's end */
    struct worker_pages *pages; /* of its sessions */
    bool retires;               /* it runs an earlier program */
};

/*
 * Goes on with a worker, before worker_pool_start, and asks it for its sessions; takes its fd, and
 * its pages unless it returns NULL: then it is to be killed, and counts as one that has died.
 */
struct worker_process *worker_pool_adopt_take(struct worker_pool *c,
                                              const struct worker_pool_adoptee *a)
    __attribute__((warn_unused_result));

/*
 * A session of that worker's, as the earlier monitor knew it, in a state in which a worker has it,
 * and with the page that it has there. What has become of it the worker reports.
 */
void worker_pool_adopt_session(struct worker_process *w, struct monitor_session *t);

/* Sends IPC_ADOPT if it has not been sent. Returns false if the channel is full. */
bool worker_pool_adopt_post(struct worker_process *w);

/*
 * Returns true if the message was for an earlier monitor, and has no consequence any more: all that
 * matters is repeated.
 */
bool worker_pool_adopt_ignores(const struct worker_process *w, const struct ipc_msg *m);

/* The worker lists sessions. Returns false if it must not, or lists them wrongly. */
bool worker_pool_adopted(struct worker_process *w, const struct ipc_adopted *a)
    __attribute__((warn_unused_result));

/* Has a worker that retires hand its sessions over, or exit. Every LIMIT_BEAT_MS. */
void worker_pool_adopt_beat(struct worker_process *w);

#endif
