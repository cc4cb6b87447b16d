/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks a session's channel pairs and fd account. Sets socket options; neither reads nor sends. */
#include "proxy/worker/session_watch.h"

#include "base/log.h"
#include "proxy/worker/session.h"

/* Looks per time limit, so that the end is only a little late. */
#define LOOKS 4u

#define PARTY(p) (1u << (p))

static unsigned session_watch_least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Returns the parties whose processes are gone: not of a new process that is not attached yet. */
static uint32_t session_watch_parties_gone(const struct session *s)
{
    const struct session_watch *const w = &s->guard->watch;

    return w->gone & ~(w->backend == WATCH_THERE ? 0 : PARTY(SIDE_BACKEND));
}

/* Returns the time until the first or next look. */
static unsigned session_watch_period_ms(const struct session *s)
{
    const struct session_watch *w = &s->guard->watch;
    unsigned ms = session_watch_least(LIMIT_STALL_LOOK_MS, w->stall_ms / LOOKS);

    if (session_watch_parties_gone(s)) {
        ms = session_watch_least(ms, w->gone_ms);
    }
    return ms > 0 ? ms : 1;
}

/*
 * Returns true if, in one direction, the receiver has taken nothing for too long, or the sender has
 * stopped inside a message.
 */
static bool session_watch_stalls(struct session_watch *w, unsigned i,
                                 const struct relay_direction *p, enum channel_pair_wait wait,
                                 unsigned ms)
{
    const uint64_t moved = p->mark->total.sent + p->mark->total.taken;

    if ((wait != CHANNEL_PAIR_WAIT_RECEIVER && wait != CHANNEL_PAIR_WAIT_SENDER) ||
        w->moved[i] != moved) {
        w->moved[i] = moved;
        w->still_ms[i] = 0;
        return false;
    }
    w->still_ms[i] += ms;
    return w->still_ms[i] >= w->stall_ms;
}

/*
 * Returns true if the session's own fds have been unread for too long. A session that only waits
 * for spare room, which others use, is not at fault.
 */
static bool session_watch_unread(struct session *s, bool waits_for_fds, unsigned ms)
{
    struct session_watch *w = &s->guard->watch;
    struct fdroom_session *fds = &s->guard->fds;

    fdroom_look(fds);
    if ((fds->extra == 0 && !(waits_for_fds && fds->used > 0)) || w->received != fds->received) {
        w->received = fds->received;
        w->unread_ms = 0;
        return false;
    }
    w->unread_ms += ms;
    return w->unread_ms >= LIMIT_FDS_UNREAD_MS;
}

enum session_reason session_watch_died(const struct session *s)
{
    const uint32_t gone = session_watch_parties_gone(s);

    if (gone & PARTY(SIDE_CLIENT)) {
        return REASON_CLIENT_DIED;
    }
    return gone ? REASON_BACKEND_DIED : REASON_NONE;
}

/*
 * Looks at a session in RELAYING, after this many ms. Returns REASON_NONE if it goes on, with
 * *again set if another look is needed; otherwise the reason for its end.
 */
static enum session_reason session_watch_look(struct session *s, unsigned ms, bool *again)
{
    struct session_watch *w = &s->guard->watch;
    const struct channel_pair *const lanes[] = {s->channels, s->twin};
    bool waits_for_fds = false;
    bool stalls = false;

    *again = session_watch_parties_gone(s) != 0;
    for (unsigned i = 0; i < 2 && lanes[i]; i++) {
        const struct channel_pair *l = lanes[i];
        const bool up = session_watch_stalls(w, 2 * i, &l->to_backend, l->to_backend_wait, ms);
        const bool down = session_watch_stalls(w, 2 * i + 1, &l->to_client, l->to_client_wait, ms);

        stalls = stalls || up || down;
        waits_for_fds = waits_for_fds || l->to_backend_wait == CHANNEL_PAIR_WAIT_FDS ||
                        l->to_client_wait == CHANNEL_PAIR_WAIT_FDS;
        *again = *again || l->to_backend_wait || l->to_client_wait;
    }
    if (session_watch_parties_gone(s)) {
        w->gone_ms -= session_watch_least(ms, w->gone_ms);
        if (w->gone_ms == 0) {
            return session_watch_died(s);
        }
    }
    if (session_watch_unread(s, waits_for_fds, ms)) {
        return REASON_FDS_UNREAD;
    }
    *again = *again || s->guard->fds.extra > 0;
    return stalls ? REASON_STALLED : REASON_NONE;
}

void session_watch_soon(struct session *s)
{
    if (s->state == SESSION_RELAYING && !evtimer_pending(&s->timer, NULL)) {
        session_set_timer(s, session_watch_period_ms(s));
    }
}

enum session_reason session_watch_turn(struct session *s)
{
    const unsigned ms = session_watch_period_ms(s);
    bool again;
    const enum session_reason reason = session_watch_look(s, ms, &again);

    if (reason != REASON_NONE) {
        log_line(LOG_WARNING,
                 &(struct log_subject){
                     .session = s->id, .route = s->route, .quiet = s->quiet != IPC_LOGGED},
                 "%s: %u fds of its messages have not been received", session_reason_word(reason),
                 s->guard->fds.used);
    } else if (again) {
        session_watch_soon(s);
    }
    return reason;
}

void session_watch_lose_backend(struct session *s)
{
    struct session_watch *const w = &s->guard->watch;

    w->backend = WATCH_LOST;
    w->gone &= ~PARTY(SIDE_BACKEND);
    w->handed_on &= ~PARTY(SIDE_BACKEND);
    s->guard->page->handed_on = w->handed_on;
    s->guard->watching[SIDE_BACKEND] = NULL;
}

void session_watch_expect_backend(struct session *s)
{
    s->guard->watch.backend = WATCH_COMES;
}

/* Has the kernel report the senders from now on, on a socket that did not need it before. */
static void session_watch_ask(struct session *s, enum side party)
{
    struct relay_direction *p =
        party == SIDE_CLIENT ? &s->channels->to_backend : &s->channels->to_client;
    struct sender_check *w = &s->guard->witnesses[party];

    if (p->sender_check) {
        w->kept->looks = 0;
        return;
    }
    w->kept->late = 1;
    w->kept->told = 0;
    if (sock_pass_sender(p->from_fd, true) == 0) {
        p->sender_check = w;
    }
}

void session_watch_gone(struct session *s)
{
    struct session_watch *w = &s->guard->watch;

    w->gone &= ~w->handed_on;
    w->gone_ms = s->drain_ms > LIMIT_GONE_MS ? s->drain_ms : LIMIT_GONE_MS;
    for (int i = 0; i < SIDES; i++) {
        if ((w->gone & PARTY(i)) && s->guard->watching[i]) {
            session_watch_ask(s, (enum side)i);
        }
    }
    session_watch_soon(s);
}

void session_watch_attach_backend(struct session *s)
{
    s->guard->watch.backend = WATCH_THERE;
    session_watch_senders(s);
    if (s->guard->watch.gone) {
        session_watch_gone(s);
    }
}

void session_watch_stranger(struct session *s, enum side party, const struct sock_sender *from)
{
    struct session_watch *w = &s->guard->watch;

    w->handed_on |= PARTY(party);
    s->guard->page->handed_on = w->handed_on;
    if (w->gone & PARTY(party)) {
        w->gone &= ~PARTY(party);
        log_line(LOG_INFO,
                 &(struct log_subject){.session = s->id,
                                       .route = s->route,
                                       .leg = side_name(party),
                                       .quiet = s->quiet != IPC_LOGGED},
                 "its process is gone; process %ld uses the socket, the session goes on",
                 (long)from->pid);
    }
}

void session_gone(struct session_host *h, uint64_t id, uint32_t parties)
{
    struct session *const s = session_of(h, id);

    if (!s || s->state == SESSION_DEAD) {
        return;
    }
    if (s->guard->watch.backend == WATCH_LOST) {
        parties &= ~PARTY(SIDE_BACKEND);
    }
    s->guard->watch.gone = parties;
    if (s->channels) {
        session_watch_gone(s);
    }
}

void session_watch_senders(struct session *s)
{
    struct sender_check *const client = s->guard->watching[SIDE_CLIENT];
    struct sender_check *const backend = s->guard->watching[SIDE_BACKEND];

    if (s->channels) {
        channel_pair_check_senders(s->channels, client, backend);
    }
    if (s->twin) {
        channel_pair_check_senders(s->twin, sender_check_is_strict(client) ? client : NULL,
                                   sender_check_is_strict(backend) ? backend : NULL);
    }
}
