/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "same-process": whether whoever uses a socket is still the process that was judged.
 *
 * The monitor turns SO_PASSCRED on, and names the process; from then on the kernel reports with
 * all that is received who sent it. A process can name another's number, user or group in what it
 * sends only if it has the rights to: CAP_SYS_ADMIN in the user namespace that owns its own pid
 * namespace, which every user has in a pid namespace of its own; CAP_SETUID and CAP_SETGID in its
 * own user namespace. So a party counts as another process from the start if it is in another pid
 * namespace than ours, or its user or group is not mapped in ours (policy/peer/peer_namespace.c);
 * of those that are left, only root of our user namespace can deceive a witness. User and group are
 * compared as well, so that a number that has passed to another user's process is noticed; a
 * process that changes its own after it has connected or listened is taken for another, too.
 *
 * Only a sender is seen. Who reads from a socket, or closes it, nobody can tell.
 *
 * Without the statement it is noted whether another process uses the socket in the handshake and
 * soon after: then the end of the process that connected or listened is not the session's end
 * (session_watch.h). A socket that is handed on is so before, or right after, the handshake.
 */
#ifndef POEMD_PROXY_RELAY_SENDER_CHECK_H
#define POEMD_PROXY_RELAY_SENDER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/session_settings.h"

/* from has used the socket: told once. */
typedef void sender_check_fn(void *arg, enum rules_party party, const struct sock_sender *from);

struct sender_check {
    struct sock_sender who;
    enum sender_check_act act;
    bool told;
    bool late; /* the kernel was not asked before that process was gone: pid 0 is of then */
    unsigned looks;
    enum rules_party party;
    sender_check_fn *fn;
    void *arg;
};

/*
 * Makes the witness of a party. False: it is not watched. fn is called from within
 * sender_check_look.
 */
bool sender_check_init(struct sender_check *w, const struct sender_check_settings *s,
                       enum rules_party party, sender_check_fn *fn, void *arg);

/* Something came from that sender. False: the session is to end for it. */
bool sender_check_look(struct sender_check *w, const struct sock_sender *from);

/* Whether it has seen enough: the kernel need not be asked any more. */
bool sender_check_done(const struct sender_check *w);

/* Whether more depends on it than a note. */
static inline bool sender_check_is_strict(const struct sender_check *w)
{
    return w && w->act != SENDER_CHECK_NOTE;
}

#endif
