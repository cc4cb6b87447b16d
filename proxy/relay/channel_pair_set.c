/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Duties of a channel pair beside relaying, passed on to its directions. */
#include "proxy/relay/channel_pair.h"

void channel_pair_count_fds(struct channel_pair *l, struct fdroom_session *s)
{
    relay_count_fds(&l->to_backend, fdroom_leg(s, l->backend.fd));
    relay_count_fds(&l->to_client, fdroom_leg(s, l->client.fd));
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
