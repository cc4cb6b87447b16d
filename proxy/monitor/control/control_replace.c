/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The request to replace a session's device. */
#include "proxy/monitor/control/control_replace.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_replace.h"

static void control_on_replaced(void *arg, json_t *answer)
{
    struct control_client *const c = arg;

    if (answer) {
        c->single = answer;
        c->part = CONTROL_PART_END;
    } else {
        control_refuse(c, CONTROL_FAILED, "out of memory for the answer: see the log");
    }
    control_go_on(c);
}

void control_dispatch_replace(struct control_client *c)
{
    struct monitor_session *const t = monitor_session_find(c->subject->sessions, c->request.number);
    const struct monitor_session_replace_request q = {.dry_run =
                                                          (c->request.flags & CONTROL_DRY_RUN) != 0,
                                                      .uid = c->who.uid,
                                                      .pid = c->who.pid,
                                                      .fn = control_on_replaced,
                                                      .arg = c};
    const int device_fd = c->given_fd;
    const char *why;

    if (c->who.uid != 0 && c->who.uid != geteuid()) {
        control_refuse(c, CONTROL_REFUSED, "only root may choose another device");
        return;
    }
    if ((c->request.flags & ~CONTROL_DRY_RUN) || !t) {
        control_refuse(c, CONTROL_NO, "there is no session %" PRIu64, c->request.number);
        return;
    }
    why = monitor_session_replace_lack(t);
    if (!why) {
        log_warning("session=%" PRIu64 ": %s its device is requested by uid=%u pid=%d", t->id,
                    q.dry_run ? "a trial of replacing" : "replacing", (unsigned)q.uid, (int)q.pid);
        c->given_fd = -1;
        c->state = CONTROL_REPLACING;
        why = monitor_session_replace_begin_take(t, device_fd, &q);
    }
    if (why) {
        c->state = CONTROL_ASKED_NOTHING;
        control_refuse(c, CONTROL_NO, "session %" PRIu64 ": %s", c->request.number, why);
    }
}

void control_replace_forget(struct control_client *c)
{
    struct monitor_session *const t = monitor_session_find(c->subject->sessions, c->request.number);

    if (t && c->request.type == CONTROL_REPLACE) {
        monitor_session_replace_forget(t, c);
    }
}
