/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The line in the log about a session's end. */
#include "proxy/monitor/monitor_session_log.h"

#include <inttypes.h>

#include "proxy/ipc/log_ids.h"
#include "base/clock.h"
#include "proxy/monitor/monitor_session.h"

/* Returns true if neither a party nor the operator has wanted the end. */
static bool monitor_session_log_is_fault(enum session_reason reason)
{
    static const enum session_reason wanted[] = {
        REASON_CLIENT_CLOSED,   REASON_BACKEND_CLOSED, REASON_CLIENT_GONE, REASON_BACKEND_ABSENT,
        REASON_BACKEND_REFUSED, REASON_DENIED,         REASON_REFUSED,     REASON_SHUTDOWN,
        REASON_OPERATOR,        REASON_RELOAD};

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (reason == wanted[i]) {
            return false;
        }
    }
    return true;
}

/* Logs the counts as far as they are known. */
static void monitor_session_log_ended(void *arg, struct monitor_session *t,
                                      enum session_reason reason, const struct ipc_ended *what)
{
    const struct ipc_count *const b = what ? &what->to_backend : &t->to_backend;
    const struct ipc_count *const c = what ? &what->to_client : &t->to_client;
    struct log_subject about = monitor_session_subject(t, NULL);
    char letters[TAINT_COUNT + 1];
    const char *const known = t->counted ? "at least " : "";

    (void)arg;
    about.taint = taint_text(t->taint, letters);
    about.message_id = monitor_session_log_is_fault(reason) ? LOG_ID_ENDED_BADLY : NULL;
    if (!what && !t->counted && t->state >= SESSION_RELAYING) {
        log_line(
            LOG_INFO, &about, "ended: reason=%s state=%s ms=%" PRIu64 "; the counts are not known",
            session_reason_word(reason), session_state_name(t->state), clock_ms() - t->accepted_ms);
        return;
    }
    log_line(LOG_INFO, &about,
             "ended: reason=%s%s%s state=%s ms=%" PRIu64 " to-backend=%" PRIu64 "/%" PRIu64
             "/%" PRIu64 " to-client=%" PRIu64 "/%" PRIu64 "/%" PRIu64 " (%smessages/bytes/fds)",
             session_reason_word(reason), what && what->by ? " by=" : "",
             ipc_by_word(what ? what->by : IPC_BY_NOBODY), session_state_name(t->state),
             clock_ms() - t->accepted_ms, b->messages, b->bytes, b->fds, c->messages, c->bytes,
             c->fds, what ? "" : known);
}

void monitor_session_log(struct monitor_session_table *table)
{
    static const struct monitor_session_events events = {.ended = monitor_session_log_ended};

    monitor_session_observe(table, &events, NULL);
}
