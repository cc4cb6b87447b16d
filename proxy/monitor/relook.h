/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks that the parties of a session still execute the files that were judged: once more when the
 * verdict takes effect, and at intervals if the route has "look again every".
 *
 * A look asks the kernel for the identity of the file that the process executes (device, inode,
 * size, times): as long as all of it is the same, the bytes are those that were inspected. The
 * records "verdict" and "session-ended" contain the times of the looks; a change is a record of its
 * own.
 */
#ifndef POEMD_PROXY_MONITOR_RELOOK_H
#define POEMD_PROXY_MONITOR_RELOOK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/side.h"
#include "proxy/monitor/keep/state_record.h"

struct monitor_session;
struct monitor_session_table;

/* Stops looking at sessions that end, from now on; subscribe it after the recording of ends. */
void relook_init(struct monitor_session_table *sessions);

/*
 * Remembers the executables that peer_facts has found, and the time. If out of memory, nothing is
 * remembered, and the session is denied at its verdict.
 */
void relook_begin(struct monitor_session *t);

/*
 * The backend is another process now: remembers its executable instead, as peer_facts has found it.
 * Call relook_at_verdict again.
 */
void relook_replace_backend(struct monitor_session *t);

/*
 * A process is judged that may replace the backend: until the end, the looks are at that one
 * (relook_replace_backend). Afterwards the looks are at the one that the session has.
 */
void relook_begin_successor(struct monitor_session *t);
void relook_end_successor(struct monitor_session *t, bool replaced);

/*
 * Call when the verdict is about to take effect. Returns false if the session must be refused: a
 * party executes another file than the judged one, and the route's rules deny. If they do not, sets
 * TAINT_EXECUTABLE in the session's taint. Begins the looks at intervals.
 */
bool relook_at_verdict(struct monitor_session *t) __attribute__((warn_unused_result));

/* Copies what must outlive this process. Returns false if nothing is remembered: out stays. */
bool relook_keep(const struct monitor_session *t, struct state_looked out[SIDES]);

/*
 * Goes on with what an earlier monitor has kept. pidfds are of the parties, or -1; both are taken.
 * If out of memory, nothing is remembered.
 */
void relook_restore_take(struct monitor_session *t, const struct state_looked looked[SIDES],
                         const int pidfds[SIDES]);

/* Returns the times of the looks at each party, a new reference, or NULL if there are none. */
json_t *relook_record(const struct monitor_session *t) __attribute__((warn_unused_result));

#endif
