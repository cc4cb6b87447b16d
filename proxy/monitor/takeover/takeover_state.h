/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A take-over, as all its parts know it; it lives while the monitor starts. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_STATE_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_STATE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/routes/generation.h"
#include "proxy/monitor/workers/worker_process.h"

struct monitor_context;
struct monitor_session_table;
struct options;
struct route;
struct route_table;
struct worker_pool;

/* Takes the devices of an earlier configuration, whose words they borrow. */
typedef bool takeover_retire_fn(void *arg, struct spawn *retired, struct generation *g);

/* The parts of the monitor that a take-over needs; borrowed. */
struct takeover_subject {
    struct monitor_context *context;
    const struct options *options;
    struct route_table *routes;
    struct monitor_session_table *sessions;
    struct worker_pool *workers;
    takeover_retire_fn *retire;
    void *retire_arg;
};

/* A worker's process of the earlier monitor. */
struct takeover_worker {
    SLIST_ENTRY(takeover_worker) link;
    struct worker_process
        *living; /* NULL: it has ended, and this is what worker_pool_resume uses: */
    struct worker_process process;
};

/* A configuration under which sessions go on. */
struct takeover_generation {
    SLIST_ENTRY(takeover_generation) link;
    uint8_t digest[STATE_DIGEST];
    struct generation *generation; /* held; NULL: it cannot be read */
};

/* Devices with an earlier command of their route. */
struct takeover_devices {
    SLIST_ENTRY(takeover_devices) link;
    struct generation *generation; /* held */
    struct route *route;
    struct spawn *spawn;
};

struct takeover {
    struct takeover_subject subject;
    const struct spawn_host *host;
    bool resumes; /* there was an earlier monitor … */
    bool planned; /* … which was to be replaced, rather than having died */
    SLIST_HEAD(, takeover_worker) workers;
    SLIST_HEAD(, takeover_generation) generations;
    SLIST_HEAD(, takeover_devices) devices;
    uint64_t last_worker;  /* the last numbers of the earlier monitor: of workers … */
    uint64_t last_session; /* … of sessions … */
    uint64_t last_refusal; /* … and of refusals */
    unsigned go_on;        /* sessions that relay, … */
    unsigned anew;         /* … that begin anew, … */
    unsigned lost;         /* … and that have ended */
};

#endif
