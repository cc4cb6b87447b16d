/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Accounts of peers' fds. Queries the kernel about sockets; sends, receives and closes nothing. */
#include "proxy/relay/fdroom.h"

#include <stddef.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"

struct fdroom_leg *fdroom_leg(struct fdroom_session *s, int to_fd)
{
    struct fdroom_leg *leg;

    if (!s->room || s->room->share == 0 || s->n_legs == FDROOM_LEGS) {
        return NULL;
    }
    leg = &s->legs[s->n_legs++];
    *leg = (struct fdroom_leg){.session = s, .to_fd = to_fd};
    return leg;
}

/* Returns the part of this many fds that exceeds the share. */
static uint32_t fdroom_beyond(const struct fdroom_session *s, uint32_t used)
{
    return used > s->room->share ? used - s->room->share : 0;
}

/* Sets the session's number of fds. The fds of one read may have overdrawn the spare room. */
static void fdroom_use(struct fdroom_session *s, uint32_t used)
{
    const uint32_t extra = fdroom_beyond(s, used);

    if (extra <= s->extra) {
        s->room->spare += s->extra - extra;
        s->extra = extra;
    } else {
        const uint32_t more = extra - s->extra;
        const uint32_t taken = more < s->room->spare ? more : s->room->spare;

        s->room->spare -= taken;
        s->extra += taken;
    }
    s->used = used;
}

void fdroom_redirect(struct fdroom_leg *leg, int to_fd)
{
    const uint32_t gone = leg->flying;

    leg->flying = 0;
    leg->to_fd = to_fd;
    leg->session->received += gone;
    fdroom_use(leg->session, leg->session->used - gone);
}

void fdroom_look(struct fdroom_session *s)
{
    uint32_t used = s->used;

    for (unsigned i = 0; i < s->n_legs; i++) {
        struct fdroom_leg *leg = &s->legs[i];

        if (leg->flying > 0 && sock_all_received(leg->to_fd)) {
            used -= leg->flying;
            s->received += leg->flying;
            leg->flying = 0;
        }
    }
    fdroom_use(s, used);
}

static bool fdroom_fits(const struct fdroom_session *s, uint32_t n)
{
    const uint32_t extra = fdroom_beyond(s, s->used + n);

    return extra <= s->extra || (extra <= LIMIT_FDS_SHARE && extra - s->extra <= s->room->spare);
}

bool fdroom_has(struct fdroom_leg *leg, uint32_t n)
{
    if (leg->session->used + n <= leg->session->room->share) {
        return true;
    }
    fdroom_look(leg->session);
    return fdroom_fits(leg->session, n);
}

void fdroom_hold(struct fdroom_leg *leg, uint32_t n, uint32_t sent)
{
    const uint32_t used = leg->session->used + n + sent - leg->held;

    leg->held = n;
    leg->flying += sent;
    if (used != leg->session->used) {
        fdroom_use(leg->session, used);
    }
}

void fdroom_charge(struct fdroom_session *s)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < s->n_legs; i++) {
        used += s->legs[i].held + s->legs[i].flying;
    }
    if (used > 0) {
        fdroom_use(s, used);
    }
}

void fdroom_leave(struct fdroom_session *s)
{
    if (s->room && s->n_legs > 0) {
        fdroom_use(s, 0);
    }
    s->n_legs = 0;
}

static bool fdroom_knows_monitor(const struct fdroom *room, pid_t pid)
{
    for (unsigned i = 0; i < LIMIT_MONITORS; i++) {
        if (room->monitors[i] == pid) {
            return true;
        }
    }
    return false;
}

void fdroom_add_monitor(struct fdroom *room, pid_t pid)
{
    if (!fdroom_knows_monitor(room, pid)) {
        room->monitors[room->next_monitor] = pid;
        room->next_monitor = (room->next_monitor + 1) % LIMIT_MONITORS;
    }
}

bool fdroom_is_ours(const struct fdroom *room, int fd)
{
    struct sock_sender peer;

    sock_peer(fd, &peer);
    return peer.pid > 0 && (peer.pid == getpid() || fdroom_knows_monitor(room, peer.pid));
}
