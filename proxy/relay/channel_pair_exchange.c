/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A channel pair whose backend lives, and is exchanged for another one. */
#include <errno.h>

#include "proxy/relay/channel_pair.h"
#include "proxy/relay/gate_keep.h"

void channel_pair_hold_requests(struct channel_pair *l, bool on)
{
    relay_stop_at(&l->to_backend, on ? RELAY_STOPS_REQUEST : RELAY_STOPS_NOT, 0);
    if (!l->to_backend_done && !l->resting && !l->backend.writing) {
        channel_pair_want_read(&l->client, true);
    }
}

void channel_pair_observe(struct channel_pair *l, bool on)
{
    l->observed = on;
}

/* Returns true if the direction holds nothing, and its sender is between two messages. */
static bool channel_pair_exchange_is_between(const struct relay_direction *p)
{
    return !p->queue && p->mark->left == 0 && !p->mark->header;
}

bool channel_pair_is_quiet(const struct channel_pair *l)
{
    const struct setup *const s = l->to_client.setup;

    return s->lack == SETUP_KEPT && s->n_requests == 0 && s->n_asked == 0 && !l->to_backend_done &&
           !l->to_client_done && channel_pair_exchange_is_between(&l->to_backend) &&
           channel_pair_exchange_is_between(&l->to_client) && channel_pair_rests(l);
}

/* Has the direction to the client stop at such messages, after those that are there. */
static void channel_pair_exchange_stop_at(struct channel_pair *l, enum relay_stop stops,
                                          uint16_t id)
{
    relay_stop_at(&l->to_client, stops, id);
    if (!l->to_client_done && !l->client.writing) {
        channel_pair_want_read(&l->backend, true);
    }
}

void channel_pair_await(struct channel_pair *l, uint16_t id)
{
    channel_pair_exchange_stop_at(l, RELAY_STOPS_REPLY, id);
}

void channel_pair_await_end(struct channel_pair *l)
{
    channel_pair_exchange_stop_at(l, RELAY_STOPS_NOT, 0);
}

int channel_pair_exchange_take(struct channel_pair *l, int backend_fd)
{
    struct event_base *const base = event_get_base(&l->client.readable);
    const int before_fd = l->backend.fd;

    channel_pair_want_read(&l->backend, false);
    channel_pair_stop_writing(&l->backend);
    if (channel_pair_end_init(&l->backend, l, base, backend_fd) < 0) {
        l->backend.fd = before_fd;
        return -ENOMEM;
    }
    channel_pair_move_waits(l);
    gate_keep_replace(&l->dma);
    dma_gate_replace_backend(&l->dma);
    relay_stop_at(&l->to_client, RELAY_STOPS_NOT, 0);
    relay_redirect(&l->to_backend, l->client.fd, backend_fd);
    relay_redirect(&l->to_client, backend_fd, l->client.fd);
    return before_fd;
}

bool channel_pair_answers(struct channel_pair *l, const uint8_t *reply, size_t n)
{
    struct wire_hdr hdr;

    if (wire_get_hdr(reply, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
        return true;
    }
    setup_note(l->to_client.setup, SIDE_BACKEND, reply, n, NULL, 0);
    if (asked_any(&l->client_asked)) {
        asked_answered(&l->client_asked, &hdr);
    }
    if (l->overdue) {
        overdue_note_reply(l->overdue, &hdr);
    }
    if (l->to_client.tap) {
        tap_made(l->to_client.tap, reply, WIRE_HDR_SIZE);
    }
    return !l->to_client.watched || !dma_gate_cares(l->dma.gate, &hdr, 0) ||
           dma_gate_judge(&l->dma, false, &hdr, reply + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE,
                          (struct dma_fds){.n = 0}) != DMA_NO_MEMORY;
}
