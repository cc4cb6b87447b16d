/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The verdict on a new process of a device, while its session is held: by the same rules, about the
 * same facts, as for the first one (decision.h). It gets nothing but VERSION before the verdict is
 * sent to the worker, which waits for its record, "backend-replaced" or "backend-refused".
 */
#ifndef POEMD_PROXY_MONITOR_DECISION_AGAIN_H
#define POEMD_PROXY_MONITOR_DECISION_AGAIN_H

#include <stdbool.h>

#include "proxy/ipc/ipc.h"
#include "proxy/monitor/facts/audit_writer.h"

struct monitor_session;

/* Of a held session. Ready when zeroed. */
struct decision_again {
    struct monitor_session *session;
    struct audit_writer_wait recorded;
    bool denied;
    bool replaces; /* set by the owner: a device that lives */
    char *facts;   /* … of the new process, for t->facts once it does; taken by the owner */
};

/*
 * Begins to gather facts about the process at t->backend_fd. Returns false if out of memory. d is
 * borrowed until decision_again_end.
 */
bool decision_again_begin(struct monitor_session *t, struct decision_again *d)
    __attribute__((warn_unused_result));

/* The worker's evidence, checked. */
void decision_again_heard(struct monitor_session *t, const struct ipc_evidence *e);

/* Returns true if the process was denied. */
bool decision_again_denied(const struct decision_again *d);

/* Records that the worker has not taken the process. */
void decision_again_note_refused(struct monitor_session *t, const char *reason, const char *why);

/* Drops what waits, whatever it has come to. */
void decision_again_end(struct monitor_session *t, struct decision_again *d);

#endif
