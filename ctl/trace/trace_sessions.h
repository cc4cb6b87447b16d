/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The sessions that a trace has shown, for whoever has to free what it knows of them. */
#ifndef POEMD_CTL_TRACE_TRACE_SESSIONS_H
#define POEMD_CTL_TRACE_TRACE_SESSIONS_H

#include <stddef.h>

#include "trace/file/reader.h"

struct trace_sessions {
    struct trace_session **session; /* borrowed: the reader's */
    size_t n;
    size_t room;
};

/* False: no memory. */
bool trace_sessions_add(struct trace_sessions *s, struct trace_session *session)
    __attribute__((warn_unused_result));
void trace_sessions_deinit(struct trace_sessions *s);

#endif
