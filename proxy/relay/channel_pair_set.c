/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Duties of a channel pair beside relaying, passed on to its directions. */
#include "proxy/relay/channel_pair.h"

void channel_pair_count_fds(struct channel_pair *l, struct fdroom_session *s)
{
    relay_count_fds(&l->to_backend, fdroom_leg(s, l->backend.fd));
    relay_count_fds(&l->to_client, fdroom_leg(s, l->client.fd));
}

void channel_pair_check_senders(struct channel_pair *l, struct sender_check *client,
                                struct sender_check *backend)
{
    l->to_backend.sender_check = client;
    l->to_client.sender_check = backend;
}

void channel_pair_busy_poll(struct channel_pair *l, uint32_t us)
{
    l->busy_poll_us = us;
}

void channel_pair_measure(struct channel_pair *l, const struct tally_meter *m, bool twin)
{
    relay_measure(&l->to_backend, m, twin);
    relay_measure(&l->to_client, m, twin);
}

void channel_pair_tap(struct channel_pair *l, struct tap *to_backend, struct tap *to_client)
{
    l->to_backend.tap = to_backend;
    l->to_client.tap = to_client;
}

void channel_pair_look_back(struct channel_pair *l, uint32_t since_ms)
{
    if (l->overdue && relay_rests(&l->to_backend)) {
        relay_look_ahead(&l->to_backend, since_ms);
    }
}

void channel_pair_inject(struct channel_pair *l, struct injector_way ways[SIDES])
{
    relay_inject(&l->to_backend, &ways[SIDE_CLIENT]);
    relay_inject(&l->to_client, &ways[SIDE_BACKEND]);
}

void channel_pair_keep(struct channel_pair *l, struct setup *s, bool survives)
{
    l->keeps = survives;
    relay_keep_setup(&l->to_backend, s);
    relay_keep_setup(&l->to_client, s);
}
