/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares senders. No system call. */
#include "proxy/relay/sender_check.h"

#include "base/limits.h"

bool sender_check_init(struct sender_check *w, const struct sender_check_settings *s,
                       enum side party, struct session_page_sender *kept, sender_check_fn *fn,
                       void *arg)
{
    if (s->act == SENDER_CHECK_OFF) {
        return false;
    }
    *w = (struct sender_check){.who = s->who[party],
                               .act = SENDER_CHECK_NOTE,
                               .party = party,
                               .kept = kept,
                               .fn = fn,
                               .arg = arg};
    if (s->parties & (1u << party)) {
        w->act = (enum sender_check_act)s->act;
    }
    return true;
}

/* Pid 0 is a process that we cannot see, and is never known to be the same. */
static bool sender_check_is_same(const struct sock_sender *a, const struct sock_sender *b)
{
    return a->pid > 0 && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* For a note the pid is enough: a process that changes its user is still the same. */
static bool sender_check_is_noted(const struct sender_check *w, const struct sock_sender *from)
{
    return w->act == SENDER_CHECK_NOTE &&
           ((from->pid > 0 && from->pid == w->who.pid) || (from->pid == 0 && w->kept->late));
}

bool sender_check_look(struct sender_check *w, const struct sock_sender *from)
{
    w->kept->looks++;
    if (sender_check_is_same(&w->who, from) || sender_check_is_noted(w, from)) {
        return true;
    }
    if (!w->kept->told) {
        w->kept->told = 1;
        w->fn(w->arg, w->party, from);
    }
    return w->act != SENDER_CHECK_END;
}

bool sender_check_done(const struct sender_check *w)
{
    return w->act == SENDER_CHECK_NOTE &&
           (w->kept->told || (!w->kept->late && w->kept->looks >= LIMIT_WITNESS_LOOKS));
}
