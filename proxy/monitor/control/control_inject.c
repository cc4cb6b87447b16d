/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The request to inject faults into a session. */
#include "proxy/monitor/control/control_inject.h"

#include <inttypes.h>

#include "proxy/config/config_inject.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/monitor_session_inject.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

void control_dispatch_inject(struct control_client *c)
{
    struct monitor_session *const t = monitor_session_find(c->subject->sessions, c->request.number);
    struct ipc_inject rules;
    char text[256];
    const char *why;

    if (!t) {
        control_refuse(c, CONTROL_NO, "there is no session %" PRIu64, c->request.number);
        return;
    }
    if (c->request.flags != 0 ||
        !config_inject_read(c->request.filter, &rules, text, sizeof text)) {
        control_refuse(c, CONTROL_REFUSED, "%s",
                       c->request.flags != 0 ? "not a valid request" : text);
        return;
    }
    why = monitor_session_inject(t, &rules, c->who.uid, c->who.pid);
    if (why) {
        control_refuse(c, CONTROL_NO, "session %" PRIu64 ": %s", t->id, why);
        return;
    }
    worker_pool_outbox_send(t, IPC_INJECT);
    c->single =
        json_pack("{s:{s:I,s:i}}", "inject", "session", (json_int_t)t->id, "rules", (int)rules.n);
    c->part = CONTROL_PART_END;
}
