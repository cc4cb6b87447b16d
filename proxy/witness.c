/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares senders. No system call. */
#include "proxy/witness.h"

bool witness_init(struct witness *w, const struct witness_settings *s, enum rules_party party,
                  witness_fn *fn, void *arg)
{
    if (s->act == WITNESS_OFF || !(s->parties & (1u << party))) {
        return false;
    }
    *w = (struct witness){
        .who = s->who[party], .ends = s->act == WITNESS_END, .party = party, .fn = fn, .arg = arg};
    return true;
}

/* A number of 0 is that of a process that we cannot see: not known to be the same. */
static bool is_same(const struct sock_sender *a, const struct sock_sender *b)
{
    return a->pid > 0 && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

bool witness_look(struct witness *w, const struct sock_sender *from)
{
    if (is_same(&w->who, from)) {
        return true;
    }
    if (!w->told) {
        w->told = true;
        w->fn(w->arg, w->party, from);
    }
    return !w->ends;
}
