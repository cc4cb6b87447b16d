/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "same-process": checks that a socket is still used by the process that was judged.
 *
 * The monitor turns SO_PASSCRED on, and names the process; from then on the kernel reports the
 * sender with everything received. A process can claim another's pid, user or group only with the
 * rights to do so: CAP_SYS_ADMIN in the user namespace that owns its own pid namespace, which every
 * user has in a pid namespace of its own; CAP_SETUID and CAP_SETGID in its own user namespace. So a
 * party counts as another process from the start if it is in another pid namespace than ours, or
 * its user or group is not mapped in ours (policy/peer/peer_namespace.c); among the others, only
 * root of our user namespace can deceive a sender check. User and group are compared as well, so
 * that a pid that has passed to another user's process is noticed; a process that changes its own
 * user or group after it has connected or listened counts as another one, too.
 *
 * Only senders are seen. A process that just reads from a socket, or closes it, cannot be noticed.
 *
 * Without the statement, other processes that use the socket during the handshake and soon after
 * are noted: then the end of the process that connected or listened does not end the session
 * (session_watch.h). A socket that is handed on is handed on before, or right after, the handshake.
 */
#ifndef POEMD_PROXY_RELAY_SENDER_CHECK_H
#define POEMD_PROXY_RELAY_SENDER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/session_page.h"
#include "proxy/ipc/session_settings.h"

/* from has used the socket; called once. */
typedef void sender_check_fn(void *arg, enum side party, const struct sock_sender *from);

struct sender_check {
    struct sock_sender who;
    enum sender_check_act act;
    enum side party;
    struct session_page_sender *kept; /* borrowed: late is set when that process was gone already,
                                       * pid 0 is from that time */
    sender_check_fn *fn;
    void *arg;
};

/*
 * Initializes a party's check. Returns false if the party is not watched. kept is borrowed: zeroed,
 * or of the check that goes on. fn is called from within sender_check_look.
 */
bool sender_check_init(struct sender_check *w, const struct sender_check_settings *s,
                       enum side party, struct session_page_sender *kept, sender_check_fn *fn,
                       void *arg);

/* Checks the sender of received bytes. Returns false if the session must end for it. */
bool sender_check_look(struct sender_check *w, const struct sock_sender *from);

/* Returns true if it has seen enough, and the kernel need not report senders any more. */
bool sender_check_done(const struct sender_check *w);

/* Returns true if more than a note depends on it. */
static inline bool sender_check_is_strict(const struct sender_check *w)
{
    return w && w->act != SENDER_CHECK_NOTE;
}

#endif
