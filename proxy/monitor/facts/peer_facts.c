/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Gathers the facts for a verdict. Decides nothing, and writes nothing down (verdict_facts.c). */
#include "proxy/monitor/facts/peer_facts.h"

#include "proxy/ipc/heap.h"

/* One party. */
struct peer_facts_side {
    struct peer_facts *peer_facts;
    struct peer peer;
    uint64_t request;                    /* under way at the inspector, or 0 */
    const struct inspection *inspection; /* held; NULL if there is none */
};

struct peer_facts {
    struct inspector *inspector;
    uint32_t route;
    struct peer_facts_side sides[SIDES];
    bool heard;
    struct ipc_evidence evidence;
    peer_facts_fn *fn;
    void *arg;
};

static void peer_facts_notify_when_whole(struct peer_facts *q)
{
    if (q->heard && !q->sides[SIDE_CLIENT].request && !q->sides[SIDE_BACKEND].request) {
        q->fn(q->arg);
    }
}

static void peer_facts_on_inspected(const struct inspection *r, void *arg)
{
    struct peer_facts_side *s = arg;

    s->request = 0;
    s->inspection = inspection_hold(r);
    peer_facts_notify_when_whole(s->peer_facts);
}

/* urgent: a rule depends on the party's executable; otherwise its contents are only recorded. */
static void peer_facts_begin(struct peer_facts *q, struct peer_facts_side *s, int fd, pid_t pid,
                             bool urgent, unsigned timeout_ms)
{
    struct inspector_asker who = {.uid = (uid_t)-1, .route = q->route, .late = !urgent};
    const struct inspection *known;

    s->peer_facts = q;
    if (fd < 0) {
        peer_init_unknown(&s->peer, "nothing asks for it");
        return;
    }
    if (pid) {
        peer_init_pid(&s->peer, pid, true);
    } else {
        peer_init(&s->peer, fd);
    }
    if (!q->inspector) {
        return;
    }
    known = inspector_look(q->inspector, &s->peer.exe);
    if (known) {
        s->inspection = inspection_hold(known);
        return;
    }
    if (peer_knows(&s->peer, PEER_UID)) {
        who.uid = s->peer.uid;
    }
    /* For a record, the first half of the time must do: no verdict may be delayed for it. */
    s->request =
        inspector_ask(q->inspector, &s->peer.exe, &who, urgent ? timeout_ms : timeout_ms / 2 + 1,
                      peer_facts_on_inspected, s);
}

struct peer_facts *peer_facts_new(struct inspector *inspector, const struct rules *rules,
                                  uint32_t route, int client_fd, int backend_fd, pid_t backend_pid,
                                  unsigned timeout_ms, peer_facts_fn *fn, void *arg)
{
    struct peer_facts *q = heap_pages_new(sizeof *q);

    if (!q) {
        return NULL;
    }
    q->inspector = inspector;
    q->route = route;
    q->fn = fn;
    q->arg = arg;
    peer_facts_begin(q, &q->sides[SIDE_CLIENT], client_fd, 0,
                     rules_ask_executable(rules, SIDE_CLIENT), timeout_ms);
    peer_facts_begin(q, &q->sides[SIDE_BACKEND], backend_fd, backend_pid,
                     rules_ask_executable(rules, SIDE_BACKEND), timeout_ms);
    return q;
}

void peer_facts_free(struct peer_facts *q)
{
    if (!q) {
        return;
    }
    for (int i = 0; i < SIDES; i++) {
        if (q->sides[i].request) {
            inspector_forget(q->inspector, q->sides[i].request);
        }
        inspection_release(q->sides[i].inspection);
        peer_deinit(&q->sides[i].peer);
    }
    heap_pages_free(q, sizeof *q);
}

void peer_facts_heard(struct peer_facts *q, const struct ipc_evidence *e)
{
    q->heard = true;
    q->evidence = *e;
    peer_facts_notify_when_whole(q);
}

struct rules_known peer_facts_known(const struct peer_facts *q, enum side party)
{
    const struct peer_facts_side *s = &q->sides[party];
    const struct ipc_heard *h = &q->evidence.heard[party];

    return (struct rules_known){.peer = &s->peer,
                                .inspection = s->inspection,
                                .recital = (enum recital_outcome)h->recital,
                                .recited = h->recited,
                                .declared = h->declared,
                                .via = party == SIDE_BACKEND ? &q->evidence.via : NULL};
}

const struct peer *peer_facts_peer(const struct peer_facts *q, enum side party)
{
    return &q->sides[party].peer;
}
