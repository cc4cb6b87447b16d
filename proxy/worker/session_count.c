/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Counts for the monitor, in as many messages as needed, sent as the channel takes them. Each
 * session is reported once per request, in the order of the numbers, whatever begins or ends
 * meanwhile.
 */
#include "proxy/worker/session_count.h"

#include "proxy/ipc/turn.h"
#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/device/session_hold.h"

void session_count_channels(const struct channel_pair *l, struct ipc_count *to_backend,
                            struct ipc_count *to_client)
{
    ipc_count_add(to_backend, &l->to_backend.mark->total.count);
    ipc_count_add(to_client, &l->to_client.mark->total.count);
}

uint64_t session_count_taken(const struct session *s)
{
    uint64_t n = s->channels->to_backend.mark->total.sent + s->channels->to_client.mark->total.sent;

    if (s->twin) {
        n += s->twin->to_backend.mark->total.sent + s->twin->to_client.mark->total.sent;
    }
    return n;
}

static struct ipc_counted session_count_counted(const struct session *s)
{
    struct ipc_counted c = {.session = s->id,
                            .to_backend = s->to_backend,
                            .to_client = s->to_client,
                            .overdue = (uint32_t)s->guard->page->overdue.answered,
                            .lack = (uint16_t)session_hold_lack(s->guard->hold),
                            .replace_lack = (uint16_t)session_replace_lack(s)};

    if (s->channels) {
        session_count_channels(s->channels, &c.to_backend, &c.to_client);
    }
    if (s->twin) {
        session_count_channels(s->twin, &c.to_backend, &c.to_client);
    }
    return c;
}

/* Returns the next relaying session after this number. */
static const struct session *session_count_next(struct session_host *h, uint64_t id)
{
    const struct session *s = session_behind(h, id);

    while (s && s->state != SESSION_RELAYING && s->state != SESSION_DRAINING) {
        s = session_behind(h, s->id);
    }
    return s;
}

/* Sends the next counts, as many as a message holds. Returns false if the channel is full. */
static bool session_count_send(struct session_host *h)
{
    struct ipc_msg m = {.type = IPC_COUNTS};
    struct ipc_counts *c = &m.u.counts;
    const struct session *s = session_count_next(h, h->count_after);

    for (; s && c->n < IPC_COUNTED; s = session_count_next(h, s->id)) {
        c->counted[c->n++] = session_count_counted(s);
    }
    c->last = !s;
    c->longest_turn_us = turn_longest_us();
    if (!h->send(h, &m)) {
        return false;
    }
    h->count_after = c->n > 0 ? c->counted[c->n - 1].session : h->count_after;
    h->count_unsent = !c->last;
    return true;
}

void session_count_resume(struct session_host *h)
{
    while (h->count_unsent && session_count_send(h)) {
    }
}

void session_count(struct session_host *h)
{
    h->count_after = 0;
    h->count_unsent = true;
    session_count_resume(h);
}
