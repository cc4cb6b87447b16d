/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A capture as it is requested, and as it is shown. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_INFO_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_INFO_H

#include <jansson.h>
#include <stdint.h>

#include "proxy/config/config_trace.h"

/* A requested capture. Texts are borrowed for the call. */
struct tracing_request {
    uint64_t session;  /* 0: the route's sessions, including later ones */
    const char *route; /* if session is 0 */
    int fd;            /* taken in every case: a file or a pipe, open for writing; -1: use path */
    const char *path;  /* absolute; opened, rotated and kept by the monitor */
    struct config_trace how;
    json_t *by; /* borrowed: the requester, for the audit record; NULL: the configuration */
};

enum tracing_state {
    TRACING_BEGINNING, /* its audit record is not on disk yet */
    TRACING_RUNNING,
    TRACING_ENDING, /* stopped, but messages under way are still written */
    TRACING_ENDED,  /* with the reason in why; listed for a while */
};

struct tracing_info {
    uint64_t id;
    uint64_t session; /* 0: of a route */
    const char *route;
    const char *file;   /* "" if given as an fd */
    const char *filter; /* "" for all messages */
    enum tracing_state state;
    const char *why;   /* TRACING_ENDED: "asked", "disk full", "i/o error", "limit", "reader gone",
                          "session ended", "shutdown", "not recorded", "tracer gone";
                          TRACING_RUNNING: "disk full", which it waits for; else "" */
    uint64_t messages; /* written */
    uint64_t lost;     /* wanted but not written, for lack of room or time */
    uint64_t bytes;    /* written, in all files */
    uint64_t files;    /* number of files begun */
    unsigned sessions; /* being captured */
    const struct config_trace *how;
};

/* All captures of this run. */
struct tracing_totals {
    uint64_t running;
    uint64_t messages; /* as in tracing_info, here and below */
    uint64_t lost;
    uint64_t bytes;
};

/* The capture of this number has ended, and its last counts are known. */
typedef void tracing_ended_fn(void *arg, uint64_t id);

#endif
