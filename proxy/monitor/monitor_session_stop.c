/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions that the monitor ends, rather than their peers or worker. */
#include "proxy/monitor/monitor_session_stop.h"

#include <errno.h>

#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"
#include "proxy/monitor/workers/worker_pool_watch.h"

void monitor_session_take_back(struct monitor_session *t, enum session_reason reason)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    log_line(LOG_WARNING, &about, "its worker did not end it in time: %s",
             session_reason_word(reason));
    worker_pool_disown(t);
    worker_pool_lost(t, reason);
}

bool monitor_session_stop(struct monitor_session *t, enum session_reason reason)
{
    if (reason != REASON_OPERATOR) {
        t->asked = reason;
    }
    if (t->state == SESSION_RELAYING && (!t->member || worker_pool_unsent(t, IPC_RESUME))) {
        monitor_session_end(t, REASON_OPERATOR, NULL);
        return true;
    }
    if (!t->member || worker_pool_unsent(t, IPC_SESSION)) {
        worker_pool_refuse_session(t, reason, ECONNABORTED);
        return true;
    }
    if (!worker_pool_answers(t)) {
        monitor_session_take_back(t, REASON_OPERATOR);
        return true;
    }
    if (!t->ending) {
        t->ending = true;
        monitor_session_changed(t);
        worker_pool_end(t);
        monitor_session_set_timer(t, LIMIT_END_MS);
    }
    return false;
}
