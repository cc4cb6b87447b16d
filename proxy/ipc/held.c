/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes and reads heads of held bytes. Only memory. */
#define _GNU_SOURCE
#include "proxy/ipc/held.h"

#include <stdatomic.h>
#include <sys/socket.h>

_Static_assert(LIMIT_QUEUE < 1u << 30, "a state has room for these numbers");
_Static_assert(sizeof(struct held) <= HELD_HEAD, "a head does not fit its room");

void held_set(struct held *h, enum held_step step, size_t start, size_t end)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint64_t *)&h->state = HELD_STATE(step, start, end);
    atomic_signal_fence(memory_order_seq_cst);
}

/* Returns true if fds came with the bytes that were being taken. */
static bool held_brought_fds(const struct held *h, const struct sock_post *post)
{
    const size_t others = h->senders ? CMSG_SPACE(sizeof(struct ucred)) : 0;

    return post->call.msg_controllen > others;
}

void held_settle(struct held *h, const struct sock_post *post)
{
    const size_t start = held_start(h);
    const size_t end = held_end(h);

    if (post->done > LIMIT_QUEUE) {
        return;
    }
    switch (held_step_of(h)) {
    case HELD_TAKING:
        h->fds += post->done > 0 && held_brought_fds(h, post);
        held_set(h, HELD_STILL, start, end + post->done);
        break;
    case HELD_SENDING:
        held_set(h, HELD_STILL, start + post->done, end);
        break;
    default:
        break;
    }
}

bool held_sound(const struct held *h)
{
    return h->version == HELD_VERSION && held_step_of(h) == HELD_STILL &&
           held_end(h) <= LIMIT_QUEUE && held_start(h) <= held_end(h) &&
           h->verdict <= RELAY_MARK_VERDICTS && h->fds <= FDSET_MAX && h->senders <= 1;
}
