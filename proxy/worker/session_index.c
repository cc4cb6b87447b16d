/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A worker's sessions by number. */
#include "proxy/worker/session_reap.h"

static int session_compare(const struct session *a, const struct session *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

TREE_GENERATE(session_tree, session, id_link, session_compare)

struct session *session_of(struct session_host *h, uint64_t id)
{
    struct session key = {.id = id};

    return session_tree_RB_FIND(&h->by_id, &key);
}

struct session *session_behind(struct session_host *h, uint64_t id)
{
    struct session key = {.id = id + 1};

    return session_tree_RB_NFIND(&h->by_id, &key);
}

void session_index_add(struct session *s)
{
    (void)session_tree_RB_INSERT(&s->host->by_id, s);
}

void session_index_remove(struct session *s)
{
    (void)session_tree_RB_REMOVE(&s->host->by_id, s);
}
