/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A session of a trace, as its reader reports it. */
#ifndef POEMD_TRACE_FILE_TRACE_SESSION_H
#define POEMD_TRACE_FILE_TRACE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* The facts about one session in a trace; lives as long as its reader. */
struct trace_session {
    uint64_t number; /* 0 if the interface has none */
    char route[LIMIT_NAME + 1];
    const char *name; /* the interface's: ROUTE/NUMBER */
    /* the interface's, for people, or "" */
    const char *description;
    const char *comment; /* one line of JSON, or "" */
    unsigned index;      /* from 0, in the order of the file; across sections */
    uint64_t seen;       /* by the last statistics */
    uint64_t lost;
    bool over;          /* … the session or its capture has ended */
    uint64_t ended_ns;  /* … when, since 1970; 0: unknown */
    const char *ending; /* the last statistics' comment, one line of JSON, or "" */
    void *user;         /* the caller's; NULL at first */
};

#endif
