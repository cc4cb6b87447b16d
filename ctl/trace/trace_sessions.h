/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Remembers the sessions of a trace for actions that must free their user pointers at the end. */
#ifndef POEMD_CTL_TRACE_TRACE_SESSIONS_H
#define POEMD_CTL_TRACE_TRACE_SESSIONS_H

#include <stddef.h>

#include "trace/file/reader.h"

struct trace_sessions {
    struct trace_session **session; /* borrowed from the reader */
    size_t n;
    size_t room;
};

/* Returns false if memory runs out. */
bool trace_sessions_add(struct trace_sessions *s, struct trace_session *session)
    __attribute__((warn_unused_result));
void trace_sessions_deinit(struct trace_sessions *s);

#endif
