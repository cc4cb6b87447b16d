/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Each process has a serial number, so that it is not confused with the next one in its place. */
#include "proxy/monitor/workers/worker_pool_keep.h"

#include <string.h>

#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"

static struct state_worker worker_pool_keep_record(const struct worker_process *w)
{
    return (struct state_worker){.serial = w->pages->serial,
                                 .number = w->number,
                                 .pid = w->pid > 0 ? w->pid : 0,
                                 .gone_pid = w->gone_pid > 0 ? w->gone_pid : 0};
}

void worker_pool_keep(struct worker_process *w)
{
    struct worker_pool *const c = w->worker_pool;
    struct state_file *const state = c->context->state;
    char name[STATE_NAME_SIZE];
    struct state_worker record;
    int err = 0;

    w->pages->serial = ++c->last_serial;
    record = worker_pool_keep_record(w);
    if (state) {
        state_file_head(state)->last_worker = c->last_serial;
        state_file_write_head(state);
        err =
            fdstore_keep(c->context->store, state_fds_channel(record.serial, name), w->channel_fd);
    }
    if (err) {
        log_warning("the channel of worker pid=%ld cannot be kept: %s", (long)w->pid,
                    strerror(-err));
    }
    worker_pages_keep(w->pages, c->context->store, state, &record);
}

void worker_pool_keep_died(struct worker_process *w)
{
    if (w->pages) {
        const struct state_worker record = worker_pool_keep_record(w);

        worker_pages_keep_again(w->pages, &record);
    }
}

void worker_pool_keep_closed(const struct worker_process *w)
{
    char name[STATE_NAME_SIZE];

    if (w->pages && w->pages->serial && w->channel_fd >= 0) {
        fdstore_drop(w->worker_pool->context->store, state_fds_channel(w->pages->serial, name));
    }
}
