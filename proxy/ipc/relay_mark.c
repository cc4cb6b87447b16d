/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes and reads marks. Only memory. */
#include "proxy/ipc/relay_mark.h"

#include <stdatomic.h>
#include <string.h>

#include "base/limits.h"
#include "base/fdset.h"

void relay_mark_set(struct relay_mark *m, enum relay_mark_step step)
{
    /*
     * The kernel ends a thread between two instructions, after which all that it has stored is
     * visible: only the compiler must keep the order.
     */
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint32_t *)&m->step = step;
    atomic_signal_fence(memory_order_seq_cst);
}

void relay_mark_intend(struct relay_mark *m, uint32_t bytes, uint32_t messages, uint32_t fds)
{
    m->before = m->total;
    m->intent = bytes;
    m->intent_messages = messages;
    m->intent_fds = fds;
    m->dropped = false;
    relay_mark_set(m, RELAY_MARK_INTENT);
}

void relay_mark_settle(struct relay_mark *m, uint32_t sent)
{
    if (m->step != RELAY_MARK_INTENT || sent > m->intent) {
        return;
    }
    if (sent > 0) {
        m->intent = sent;
        m->intent_messages = 0;
        m->step = RELAY_MARK_POSTED;
    } else {
        m->step = RELAY_MARK_UNPOSTED;
    }
}

bool relay_mark_cut(struct relay_mark *m, const uint8_t *data, size_t n, size_t have)
{
    struct wire_hdr hdr = {.size = 0};
    uint32_t messages = 0;
    size_t at = 0;

    while (at < n) {
        if (wire_get_hdr(data + at, have - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            return false;
        }
        messages += hdr.size <= n - at;
        at += hdr.size;
    }
    m->intent_messages = messages;
    /* Never fewer bytes than these messages have. */
    atomic_signal_fence(memory_order_seq_cst);
    m->intent = (uint32_t)n;
    if (at > n) {
        m->hdr = hdr;
        m->left = at - n;
        m->large = false;
        m->noted = true;
        m->inside = true;
        m->piece = 0;
    }
    return true;
}

struct relay_mark_total relay_mark_progress(const struct relay_mark *m)
{
    struct relay_mark_total t = m->step == RELAY_MARK_IDLE ? m->total : m->before;

    if (m->step == RELAY_MARK_SENT) {
        t.taken += m->intent;
        if (!m->dropped) {
            t.sent += m->intent;
            t.count.bytes += m->intent;
            t.count.messages += m->intent_messages;
            t.count.fds += m->intent_fds;
        }
    }
    return t;
}

void relay_mark_finish(struct relay_mark *m)
{
    m->total = relay_mark_progress(m);
    relay_mark_set(m, RELAY_MARK_IDLE);
}

bool relay_mark_is_front(const struct relay_mark *m, const uint8_t *data, ssize_t n)
{
    const size_t front = m->intent < sizeof m->front ? m->intent : sizeof m->front;

    return n >= (ssize_t)m->intent && memcmp(data, m->front, front) == 0;
}

static bool relay_mark_flags_sound(const struct relay_mark *m)
{
    const uint8_t flags[] = {m->dropped, m->header, m->ready, m->large, m->noted, m->inside};

    for (unsigned i = 0; i < sizeof flags; i++) {
        if (flags[i] > 1) {
            return false;
        }
    }
    return m->verdict < RELAY_MARK_VERDICTS && m->piece < RELAY_MARK_VERDICTS;
}

static bool relay_mark_zeroed(const struct relay_mark *m)
{
    const uint8_t *const bytes = (const uint8_t *)m;

    for (size_t i = 0; i < sizeof *m; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool relay_mark_sound(const struct relay_mark *m)
{
    if (m->version == 0) {
        return relay_mark_zeroed(m);
    }
    if (m->version != RELAY_MARK_VERSION || m->step >= RELAY_MARK_STEPS ||
        !relay_mark_flags_sound(m)) {
        return false;
    }
    if (m->step != RELAY_MARK_IDLE &&
        (m->place != 0 || m->intent == 0 || m->intent > LIMIT_PEEK ||
         m->intent_messages > m->intent / WIRE_HDR_SIZE || m->intent_fds > FDSET_MAX)) {
        return false;
    }
    return m->left == 0 || m->left < m->hdr.size;
}
