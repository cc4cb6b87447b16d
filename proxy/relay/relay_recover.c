/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Goes on from the mark of a direction whose worker has died. Looks at from_fd, and takes from it.
 */
#include "base/sock.h"
#include "proxy/relay/relay_direction.h"

/*
 * The receiver has the messages of the intent. Takes them if the sender's socket still has them.
 * The next messages may begin like these, but a worker that was killed after taking them had but
 * one store to go.
 */
static bool relay_recover_take(struct relay_direction *p)
{
    struct relay_mark *m = p->mark;
    uint8_t data[LIMIT_PEEK];
    bool fds_near;
    const ssize_t n = sock_peek(p->from_fd, data, sizeof data, &fds_near);
    const bool front = relay_mark_is_front(m, data, n);

    if (m->step == RELAY_MARK_POSTED) {
        if (!front || !relay_mark_cut(m, data, m->intent, (size_t)n)) {
            return false;
        }
        relay_mark_set(m, RELAY_MARK_SENT);
    }
    if (p->tap && !m->dropped) {
        tap_missed(p->tap, m->intent_messages);
    }
    if (front) {
        if (!m->dropped) {
            relay_note_messages(p, data, m->intent, (size_t)n);
        } else {
            relay_note_dropped(p, &m->hdr);
        }
        if (sock_take(p->from_fd, data, m->intent) != (ssize_t)m->intent) {
            return false;
        }
    }
    relay_mark_finish(m);
    return true;
}

bool relay_rests(const struct relay_direction *p)
{
    return p->mark->step == RELAY_MARK_IDLE && p->mark->place == 0 && !relay_holds_made(p);
}

/* Goes on from a mark that is sound. */
static enum relay_recovery relay_recover_from(struct relay_direction *p)
{
    struct relay_mark *m = p->mark;

    if (m->place != 0) {
        return relay_hold_recover(p);
    }
    m->header = false;
    m->ready = false;
    m->ending = 0;
    switch (m->step) {
    case RELAY_MARK_IDLE:
        return RELAY_RECOVERED;
    case RELAY_MARK_POSTED:
        return relay_recover_take(p) ? RELAY_RECOVERED_SENT : RELAY_RECOVERY_LOST;
    case RELAY_MARK_SENT:
        return relay_recover_take(p) ? RELAY_RECOVERED : RELAY_RECOVERY_LOST;
    case RELAY_MARK_UNPOSTED:
        relay_mark_set(m, RELAY_MARK_IDLE);
        return RELAY_RECOVERED_UNSENT;
    default:
        return RELAY_RECOVERY_UNSOUND;
    }
}

enum relay_recovery relay_recover(struct relay_direction *p)
{
    const struct relay_mark *const m = p->mark;
    enum relay_recovery r;

    if (!relay_mark_sound(m)) {
        return RELAY_RECOVERY_UNSOUND;
    }
    r = relay_recover_from(p);
    /* The rest of a message of which the other worker's tap has seen the beginning. */
    if (p->tap && (p->queue ? p->queue->held->left : m->left) > 0) {
        tap_missed(p->tap, 1);
    }
    return r;
}
