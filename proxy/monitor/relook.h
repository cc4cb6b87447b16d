/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whether the parties of a session still execute what was judged: looked at once more when the
 * verdict takes effect, and at intervals where the route has "look again every".
 *
 * A look asks the kernel for the identity of the file that the process executes (device, inode,
 * size, times): the bytes are those that were inspected as long as all of it is the same. When each
 * look was is in the records "verdict" and "session-ended"; a change is a record of its own.
 */
#ifndef POEMD_PROXY_MONITOR_RELOOK_H
#define POEMD_PROXY_MONITOR_RELOOK_H

#include <jansson.h>
#include <stdbool.h>

#include "proxy/ipc/session_state.h"

struct monitor_session;

/* Remembers the executables that the session's inquiry has found, and the time. Without memory
 * nothing is remembered, and the session is denied at its verdict. */
void relook_begin(struct monitor_session *t);

/*
 * The verdict is about to take effect. Returns false if the session must be refused: a party
 * executes another file than the one that was judged, and the route's rules deny. If they do not,
 * the session's taint has TAINT_EXECUTABLE then. Begins the looks at intervals.
 */
bool relook_at_verdict(struct monitor_session *t) __attribute__((warn_unused_result));

/* When each party was looked at: a new reference, NULL where there is nothing to tell. */
json_t *relook_record(const struct monitor_session *t) __attribute__((warn_unused_result));

/* The reason for which the session ends, a worker having reported this one. */
enum session_reason relook_reason(const struct monitor_session *t, enum session_reason reported);

/* No more looks. May be called twice, and from within one. */
void relook_end(struct monitor_session *t);

/* Frees what was remembered: when the ticket is reaped. */
void relook_free(struct monitor_session *t);

#endif
