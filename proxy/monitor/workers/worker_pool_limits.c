/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A worker cannot raise its own limits: its system calls are listed. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pool_limits.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/sock.h"
#include "proxy/config/worker_pool_settings.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/workers/worker_process.h"

/*
 * Raises one of a running worker's limits, within that which it was started with. Without
 * CAP_SYS_RESOURCE that fails if the worker has a user of its own: then the limit suits the routes
 * of its start, whose sessions rarely use so much.
 */
static void worker_pool_limits_raise(const struct worker_process *w, int resource, const char *what,
                                     uint64_t most)
{
    struct rlimit l;
    int err = prlimit(w->pid, (__rlimit_resource_t)resource, NULL, &l);

    if (!err && l.rlim_cur < most) {
        l.rlim_cur = most < l.rlim_max ? most : l.rlim_max;
        err = prlimit(w->pid, (__rlimit_resource_t)resource, &l, NULL);
    }
    if (err) {
        log_warning("cannot raise the limit of %s of worker pid=%ld: %s; a session for which it "
                    "does not suffice ends",
                    what, (long)w->pid, strerror(errno));
    }
}

void worker_pool_limits_note(struct worker_pool *c)
{
    c->memory = worker_pool_settings_memory(c->context->config);
    c->nofile = worker_pool_settings_nofile(c->context->config);
}

void worker_pool_limits_change_take(struct worker_pool *c, int settings_fd)
{
    const uint64_t memory = worker_pool_settings_memory(c->context->config);
    const uint64_t nofile = worker_pool_settings_nofile(c->context->config);

    sock_close(&c->settings_fd);
    c->settings_fd = settings_fd;
    for (unsigned i = 0; i < c->n; i++) {
        if (c->members[i].pid > 0 && memory > c->memory) {
            worker_pool_limits_raise(&c->members[i], RLIMIT_AS, "address space", memory);
        }
        if (c->members[i].pid > 0 && nofile > c->nofile) {
            worker_pool_limits_raise(&c->members[i], RLIMIT_NOFILE, "open files", nofile);
        }
    }
    c->memory = memory > c->memory ? memory : c->memory;
    c->nofile = nofile > c->nofile ? nofile : c->nofile;
}
