/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which processes use a session's sockets: the checks of its senders, and what follows. */
#include "proxy/worker/session_senders.h"

#include <string.h>

#include "base/log.h"
#include "proxy/worker/session_watch.h"

#define SUBJECT(s, leg_name) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route[0] ? (s)->route : NULL, .leg = (leg_name), \
        .quiet = (s)->quiet != IPC_LOGGED \
    }

/* Another process than the judged one uses a socket. */
static void session_senders_on_stranger(void *arg, enum side party, const struct sock_sender *from)
{
    struct session *s = arg;
    const struct sender_check *w = &s->guard->witnesses[party];

    session_watch_stranger(s, party, from);
    if (!sender_check_is_strict(w)) {
        return;
    }
    if (w->who.pid == 0) {
        log_line(LOG_WARNING, SUBJECT(s, side_name(party)),
                 "handed on: its socket is used by a process that cannot be identified as the one "
                 "judged");
    } else {
        log_line(LOG_WARNING, SUBJECT(s, side_name(party)),
                 "handed on: its socket is used by process %ld, user %ld, group %ld; the one "
                 "judged is process %ld, user %ld, group %ld",
                 (long)from->pid, (long)from->uid, (long)from->gid, (long)w->who.pid,
                 (long)w->who.uid, (long)w->who.gid);
    }
    if (w->act == SENDER_CHECK_TAINT) {
        session_taint(s, party, TAINT_HANDED_ON);
    }
}

void session_senders_check(struct session_guard *guard,
                           const struct sender_check_settings *settings)
{
    for (int i = 0; i < SIDES; i++) {
        struct sender_check *w = &guard->witnesses[i];

        guard->watching[i] = sender_check_init(w, settings, (enum side)i, &guard->page->senders[i],
                                               session_senders_on_stranger, NULL)
                                 ? w
                                 : NULL;
    }
}

void session_senders_recheck(struct session *s, const struct sender_check_settings *settings)
{
    struct session_guard *const g = s->guard;
    struct sender_check *const w = &g->witnesses[SIDE_BACKEND];
    struct session_page_sender *const kept = &g->page->senders[SIDE_BACKEND];

    memset(kept, 0, sizeof *kept);
    g->watching[SIDE_BACKEND] =
        sender_check_init(w, settings, SIDE_BACKEND, kept, session_senders_on_stranger, s) ? w
                                                                                           : NULL;
}
