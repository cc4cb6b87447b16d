/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares senders. No system call. */
#include "proxy/relay/witness.h"

#include "base/limits.h"

bool witness_init(struct witness *w, const struct witness_settings *s, enum rules_party party,
                  witness_fn *fn, void *arg)
{
    if (s->act == WITNESS_OFF) {
        return false;
    }
    *w = (struct witness){
        .who = s->who[party], .act = WITNESS_NOTE, .party = party, .fn = fn, .arg = arg};
    if (s->parties & (1u << party)) {
        w->act = (enum witness_act)s->act;
    }
    return true;
}

/* A number of 0 is that of a process that we cannot see: not known to be the same. */
static bool is_same(const struct sock_sender *a, const struct sock_sender *b)
{
    return a->pid > 0 && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* For a note the number is enough: a process that becomes another user is still the same. */
static bool witness_is_noted(const struct witness *w, const struct sock_sender *from)
{
    return w->act == WITNESS_NOTE &&
           ((from->pid > 0 && from->pid == w->who.pid) || (from->pid == 0 && w->late));
}

bool witness_look(struct witness *w, const struct sock_sender *from)
{
    w->looks++;
    if (is_same(&w->who, from) || witness_is_noted(w, from)) {
        return true;
    }
    if (!w->told) {
        w->told = true;
        w->fn(w->arg, w->party, from);
    }
    return w->act != WITNESS_END;
}

bool witness_done(const struct witness *w)
{
    return w->act == WITNESS_NOTE && (w->told || (!w->late && w->looks >= LIMIT_WITNESS_LOOKS));
}
