/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Gathers the facts for a verdict. Decides nothing, and writes nothing down (verdict_facts.c). */
#include "proxy/monitor/facts/peer_facts.h"

#include "proxy/ipc/heap.h"
#include "proxy/monitor/facts/code_facts.h"
#include "proxy/monitor/facts/vm_facts.h"

/* One party. */
struct peer_facts_side {
    struct peer_facts *peer_facts;
    struct peer peer;
    uint64_t request;                    /* under way at the inspector, or 0 */
    const struct inspection *inspection; /* held; NULL if there is none */
    struct code_facts *code;             /* NULL if no rule depends on its code */
    bool code_under_way;
    struct vm_facts *vm; /* NULL if its virtual machine is not asked for */
    bool vm_under_way;
};

struct peer_facts {
    struct event_base *base;
    struct inspector *inspector;
    struct offload *offload;
    uint32_t route;
    struct peer_facts_side sides[SIDES];
    bool heard;
    struct ipc_evidence evidence;
    peer_facts_fn *fn;
    void *arg;
};

static bool peer_facts_side_is_whole(const struct peer_facts_side *s)
{
    return !s->request && !s->code_under_way && !s->vm_under_way;
}

static void peer_facts_notify_when_whole(struct peer_facts *q)
{
    if (q->heard && peer_facts_side_is_whole(&q->sides[SIDE_CLIENT]) &&
        peer_facts_side_is_whole(&q->sides[SIDE_BACKEND])) {
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

static void peer_facts_on_code(void *arg)
{
    struct peer_facts_side *s = arg;

    s->code_under_way = false;
    peer_facts_notify_when_whole(s->peer_facts);
}

static void peer_facts_on_vm(void *arg)
{
    struct peer_facts_side *s = arg;

    s->vm_under_way = false;
    peer_facts_notify_when_whole(s->peer_facts);
}

/* Begins to look at the party's code. If that fails, its code is unknown. */
static void peer_facts_begin_code(struct peer_facts *q, struct peer_facts_side *s,
                                  const struct inspector_asker *who, unsigned timeout_ms)
{
    const struct code_facts_settings settings = {.base = q->base,
                                                 .offload = q->offload,
                                                 .inspector = q->inspector,
                                                 .peer = &s->peer,
                                                 .who = *who,
                                                 .timeout_ms = timeout_ms};

    s->code = code_facts_new(&settings, peer_facts_on_code, s);
    s->code_under_way = s->code != NULL;
}

/* Begins with one party: the kernel's facts at once, its files as far as the rules need them. */
static void peer_facts_begin(struct peer_facts *q, enum side party, int fd, pid_t pid,
                             const struct rules *rules, unsigned timeout_ms)
{
    struct peer_facts_side *const s = &q->sides[party];
    /* Otherwise the executable's contents are only recorded. */
    const bool urgent = rules_ask_executable(rules, party);
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
    if (party == SIDE_CLIENT) {
        s->vm = vm_facts_new(q->base, q->offload, &s->peer, peer_facts_on_vm, s);
        s->vm_under_way = s->vm != NULL;
    }
    if (!q->inspector) {
        return;
    }
    if (peer_knows(&s->peer, PEER_UID)) {
        who.uid = s->peer.uid;
    }
    if (rules_ask_code(rules, party)) {
        peer_facts_begin_code(q, s, &who, timeout_ms);
    }
    known = inspector_look(q->inspector, &s->peer.exe);
    if (known) {
        s->inspection = inspection_hold(known);
        return;
    }
    /* For a record, the first half of the time must do: no verdict may be delayed for it. */
    s->request =
        inspector_ask(q->inspector, &s->peer.exe, &who, urgent ? timeout_ms : timeout_ms / 2 + 1,
                      peer_facts_on_inspected, s);
}

struct peer_facts *peer_facts_new(struct event_base *base, struct inspector *inspector,
                                  struct offload *offload, const struct rules *rules,
                                  uint32_t route, const int fds[SIDES], pid_t backend_pid,
                                  unsigned timeout_ms, peer_facts_fn *fn, void *arg)
{
    struct peer_facts *q = heap_pages_new(sizeof *q);

    if (!q) {
        return NULL;
    }
    q->base = base;
    q->inspector = inspector;
    q->offload = offload;
    q->route = route;
    q->fn = fn;
    q->arg = arg;
    peer_facts_begin(q, SIDE_CLIENT, fds[SIDE_CLIENT], 0, rules, timeout_ms);
    peer_facts_begin(q, SIDE_BACKEND, fds[SIDE_BACKEND], backend_pid, rules, timeout_ms);
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
        code_facts_free(q->sides[i].code);
        vm_facts_free(q->sides[i].vm);
        inspection_release(q->sides[i].inspection);
        peer_deinit(&q->sides[i].peer);
    }
    heap_pages_free(q, sizeof *q);
}

void peer_facts_heard(struct peer_facts *q, const struct ipc_evidence *e)
{
    q->heard = true;
    q->evidence = *e;
    for (int i = 0; i < SIDES; i++) {
        if (q->sides[i].code) {
            code_facts_finish(q->sides[i].code);
        }
    }
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
                                .via = party == SIDE_BACKEND ? &q->evidence.via : NULL,
                                .mapped = s->code ? code_facts_mapped(s->code) : NULL};
}

const struct peer *peer_facts_peer(const struct peer_facts *q, enum side party)
{
    return &q->sides[party].peer;
}
