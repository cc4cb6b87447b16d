/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages between the monitor and its workers: the table of legal messages, and the two calls. */
#include "proxy/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "base/wire/wire.h"
#include "proxy/ipc/setup_lack.h"

#define IN(state) (1u << SESSION_##state)
#define NO_SESSION 0u

/* Any state in which a worker has the session. */
#define WITH_WORKER (IN(RECITING) | IN(DECIDING) | IN(RELAYING) | IN(DRAINING))

/* … in which peers' messages are relayed. */
#define RELAYED (IN(RELAYING) | IN(DRAINING))

static const struct {
    enum ipc_sender sender;
    unsigned fds;
    unsigned states; /* of the session, at the receiver; or NO_SESSION */
} rules[IPC_TYPES] = {
    [IPC_SESSION] = {IPC_FROM_MONITOR, 2, NO_SESSION},
    [IPC_RESUME] = {IPC_FROM_MONITOR, 2, NO_SESSION},
    [IPC_RESUME_TWIN] = {IPC_FROM_MONITOR, 4, NO_SESSION},
    [IPC_REFUSE] = {IPC_FROM_MONITOR, 1, NO_SESSION},
    [IPC_VERDICT] = {IPC_FROM_MONITOR, 0, IN(DECIDING)},
    [IPC_RECORDED] = {IPC_FROM_MONITOR, 0, RELAYED},
    [IPC_RING] = {IPC_FROM_MONITOR, 2, NO_SESSION},
    [IPC_TAP] = {IPC_FROM_MONITOR, 0, WITH_WORKER},
    [IPC_INJECT] = {IPC_FROM_MONITOR, 0, WITH_WORKER},
    [IPC_GONE] = {IPC_FROM_MONITOR, 0, WITH_WORKER},
    [IPC_END] = {IPC_FROM_MONITOR, 0, WITH_WORKER},
    [IPC_ATTACH] = {IPC_FROM_MONITOR, 1, WITH_WORKER},
    [IPC_DETACH] = {IPC_FROM_MONITOR, 0, WITH_WORKER},
    [IPC_REPLACE] = {IPC_FROM_MONITOR, 1, WITH_WORKER},
    [IPC_COUNT] = {IPC_FROM_MONITOR, 0, NO_SESSION},
    [IPC_PING] = {IPC_FROM_MONITOR, 0, NO_SESSION},
    [IPC_ADOPT] = {IPC_FROM_MONITOR, 0, NO_SESSION},
    [IPC_HAND_OVER] = {IPC_FROM_MONITOR, 0, RELAYED},
    [IPC_QUIT] = {IPC_FROM_MONITOR, 0, NO_SESSION},
    [IPC_READY] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_PONG] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_HEARD] = {IPC_FROM_WORKER, 0, IN(RECITING)},
    [IPC_TURNED_AWAY] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_EVIDENCE] = {IPC_FROM_WORKER, 0, IN(RECITING) | IN(RELAYING)},
    [IPC_TAINT] = {IPC_FROM_WORKER, 0, WITH_WORKER},
    [IPC_EXPORT] = {IPC_FROM_WORKER, 0, RELAYED},
    [IPC_TWIN] = {IPC_FROM_WORKER, 2, RELAYED},
    [IPC_RESUMED] = {IPC_FROM_WORKER, 0, RELAYED},
    [IPC_LOST] = {IPC_FROM_WORKER, 0, IN(RELAYING)},
    [IPC_ATTACHED] = {IPC_FROM_WORKER, 0, IN(RELAYING)},
    [IPC_DETACHED] = {IPC_FROM_WORKER, 0, IN(RELAYING)},
    [IPC_REPLACED] = {IPC_FROM_WORKER, 0, IN(RELAYING)},
    [IPC_COUNTS] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_ADOPTED] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_HANDED_OVER] = {IPC_FROM_WORKER, 0, RELAYED},
    [IPC_RECEIVED] = {IPC_FROM_WORKER, 0, NO_SESSION},
    [IPC_ENDED] = {IPC_FROM_WORKER, 0, WITH_WORKER},
};

bool ipc_names_session(uint32_t type)
{
    return type > 0 && type < IPC_TYPES && rules[type].states != NO_SESSION;
}

bool ipc_legal(uint32_t type, enum ipc_sender sender, unsigned n_fds, enum session_state state)
{
    if (type == 0 || type >= IPC_TYPES) {
        return false;
    }
    if (rules[type].sender != sender || rules[type].fds != n_fds) {
        return false;
    }
    return !ipc_names_session(type) || (rules[type].states & (1u << state));
}

static bool ipc_text_sound(const char *text)
{
    return memchr(text, '\0', RECITAL_LICENCE_MAX + 1) && (!*text || recital_licence_fits(text));
}

bool ipc_evidence_sound(const struct ipc_evidence *e)
{
    for (int i = 0; i < SIDES; i++) {
        const struct ipc_heard *h = &e->heard[i];

        if (h->recital > RECITAL_NO_MEMORY || !ipc_text_sound(h->recited) ||
            !ipc_text_sound(h->declared)) {
            return false;
        }
    }
    if (e->via.n > RECITAL_HOPS) {
        return false;
    }
    for (unsigned i = 0; i < e->via.n; i++) {
        if (!ipc_text_sound(e->via.hops[i].licence)) {
            return false;
        }
    }
    return true;
}

bool ipc_inject_sound(const struct ipc_inject *i)
{
    for (uint32_t r = 0; r < i->n && r < LIMIT_INJECT_RULES; r++) {
        if (!memchr(i->rules[r], '\0', sizeof i->rules[r])) {
            return false;
        }
    }
    return i->n <= LIMIT_INJECT_RULES && i->asked <= 1;
}

bool ipc_taint_sound(const struct ipc_taint *t)
{
    return t->bits != 0 && (t->bits & ~IPC_TAINT_MAY) == 0 && t->by < SIDES;
}

bool ipc_export_sound(const struct ipc_export *e)
{
    if (e->n == 0 || e->n > IPC_EXPORT_RANGES || e->again > 1) {
        return false;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->ranges[i].how >= IPC_HOWS || (e->ranges[i].flags & ~WIRE_DMA_KNOWN) != 0) {
            return false;
        }
    }
    return true;
}

const char *ipc_by_word(uint32_t by)
{
    static const char *const words[IPC_BYS] = {"", "client", "backend"};

    return by < IPC_BYS ? words[by] : "";
}

const char *ipc_doubt_word(uint32_t doubt)
{
    static const char *const words[IPC_DOUBTS] = {"none", "received", "resent"};

    return doubt < IPC_DOUBTS ? words[doubt] : "?";
}

bool ipc_resumed_sound(const struct ipc_resumed *r)
{
    return r->doubt < IPC_DOUBTS;
}

bool ipc_adopted_sound(const struct ipc_adopted *a)
{
    if (a->n > IPC_HELD || a->last > 1) {
        return false;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->held[i].state >= SESSION_STATES ||
            !((WITH_WORKER | IN(DEAD)) & 1u << a->held[i].state)) {
            return false;
        }
    }
    return true;
}

static bool ipc_difference_sound(const struct ipc_difference *d)
{
    const char *const name = d->name;
    bool good = d->what < IPC_DIFFERS_KINDS && memchr(name, '\0', sizeof d->name);

    for (size_t i = 0; good && name[i]; i++) {
        good = name[i] > ' ' && name[i] < 0x7f;
    }
    return good;
}

bool ipc_detached_sound(const struct ipc_detached *d)
{
    return d->reason < REASON_COUNT && ipc_difference_sound(&d->difference);
}

bool ipc_replaced_sound(const struct ipc_replaced *r)
{
    return r->outcome < REPLACE_OUTCOMES && r->failed < REPLACE_STEPS && r->reason < REASON_COUNT &&
           r->lack < SETUP_LACKS && ipc_difference_sound(&r->difference);
}

bool ipc_counts_sound(const struct ipc_counts *c)
{
    return c->n <= IPC_COUNTED && c->last <= 1;
}

int ipc_send(int fd, const struct ipc_msg *m, const int *fds, unsigned n_fds)
{
    struct fdset set;
    ssize_t n;

    fdset_init(&set);
    if (n_fds > 0) {
        memcpy(set.fds, fds, n_fds * sizeof *fds);
        set.n = n_fds;
    }
    n = sock_send(fd, m, sizeof *m, &set, MSG_DONTWAIT);
    /* Fds in flight are counted per user: like memory, the count falls again. */
    if (n == -ETOOMANYREFS || n == -ENOMEM) {
        return -ENOBUFS;
    }
    return n < 0 ? (int)n : 0;
}

int ipc_recv(int fd, struct ipc_msg *m, struct fdset *fds)
{
    /* MSG_TRUNC returns the real size, so that a longer message is not mistaken for ours. */
    const ssize_t n = sock_recv(fd, m, sizeof *m, fds, MSG_DONTWAIT | MSG_TRUNC);

    if (n == -EMSGSIZE) {
        return -EMFILE;
    }
    if (n == -ENOMEM) {
        return -ENOBUFS;
    }
    if (n <= 0) {
        return (int)n;
    }
    return n == sizeof *m && m->zero == 0 ? 1 : -EPROTO;
}
