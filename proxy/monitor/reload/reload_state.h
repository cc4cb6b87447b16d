/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A reload's state, shared by the files of this folder. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_STATE_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_STATE_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <stdint.h>

#include "proxy/config/config.h"
#include "proxy/monitor/facts/offload.h"
#include "proxy/monitor/routes/generation.h"
#include "proxy/monitor/reload/reload_request.h"

/* A configuration that is read in a thread. */
struct reload_job {
    struct offload_job job; /* first */
    struct reload *reload;
    const struct options *options;
    struct generation *running; /* held: it follows this one */
    bool opens;                 /* opens the sockets of new routes */
    /* the results */
    struct config *config;
    struct config_errors errors;
    int err;                     /* 0, -EINVAL with errors, or another -errno: unreadable */
    struct listener **listeners; /* by route; NULL: its socket is in use already */
    size_t n_listeners;
    json_t *warnings; /* texts */
};

/* Devices of an earlier configuration, which end with their sessions. */
struct reload_retired {
    SLIST_ENTRY(reload_retired) link;
    struct spawn *spawn;
    struct generation *generation; /* whose words they borrow, held */
};

/* An earlier inspector, which sessions in their handshake still use. */
struct reload_inspector {
    SLIST_ENTRY(reload_inspector) link;
    struct inspector *inspector;
    uint64_t last; /* the last session that can have used it */
};

struct reload {
    struct reload_subject subject;
    struct offload *offload; /* one thread; NULL before the first reload */
    struct reload_job *job;  /* under way; NULL: none, or given up */
    bool blocked;            /* a job that was given up has not returned yet */
    struct event *patience;
    struct event *step;
    struct reload_request request;
    reload_done_fn *done; /* NULL: no reload is under way */
    void *arg;
    json_t *parts; /* of the answer so far */
    /* trying the rules on running sessions */
    struct generation *tried; /* whose rules, held */
    uint64_t tried_upto;      /* sessions up to this number are done */
    uint64_t tried_since_ms;  /* the time of the beginning */
    unsigned n_denied;
    SLIST_HEAD(, reload_retired) retired;
    SLIST_HEAD(, reload_inspector) inspectors;
    unsigned n_inspectors;
};

#endif
