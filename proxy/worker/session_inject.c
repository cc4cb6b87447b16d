/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Puts rules for faults on purpose in force, and reports their effects. */
#include "proxy/worker/session_inject.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wire/wire_command.h"
#include "proxy/ipc/rate_limit.h"

/* Lines of a session's log about faults: so many at once, then one in each interval. */
#define BURST 10u
#define INTERVAL_MS 1000u

#define SUBJECT(s, leg_name) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .leg = (leg_name) \
    }

struct session_injections {
    struct injector *injector; /* NULL: no rules are in force */
    struct injector_way ways[SESSION_PAGE_WAYS];
    uint64_t before; /* faults by earlier rules, or by workers that have died */
    struct rate_limit logged;
    uint64_t unlogged;
};

/* Rules of a session that is not there yet. */
struct session_inject_next {
    uint64_t session;
    struct ipc_inject rules;
};

static void session_inject_on_fault(void *arg, enum side from, const struct wire_hdr *hdr,
                                    const struct injection *rule)
{
    struct session *const s = arg;
    struct session_injections *const i = s->guard->injections;
    const uint64_t now = clock_ms();

    session_taint(s, from, TAINT_INJECTED);
    if (!rate_limit_may(&i->logged, now, BURST, INTERVAL_MS)) {
        i->unlogged++;
        return;
    }
    rate_limit_take(&i->logged, now, INTERVAL_MS);
    log_line(LOG_WARNING, SUBJECT(s, from == SIDE_CLIENT ? "client" : "backend"),
             "injected: %s: %s to command %u (%s), id %u", injection_word(rule->action),
             wire_is_reply(hdr) ? "reply" : "request", hdr->command,
             wire_command_name(hdr->command), hdr->id);
}

void session_inject_log_rest(const struct session *s)
{
    const struct session_injections *const i = s->guard->injections;

    if (session_inject_count(s) > 0) {
        log_line(LOG_WARNING, SUBJECT(s, NULL),
                 "injected: %" PRIu64 " fault%s in all, %" PRIu64 " of them not logged",
                 session_inject_count(s), session_inject_count(s) == 1 ? "" : "s", i->unlogged);
    }
}

uint64_t session_inject_count(const struct session *s)
{
    const struct session_injections *const i = s->guard ? s->guard->injections : NULL;

    return i ? i->before + (i->injector ? i->injector->done : 0) : 0;
}

/* Returns its part for faults, or NULL if out of memory. */
static struct session_injections *session_inject_of(struct session *s)
{
    struct session_guard *const g = s->guard;

    if (!g->injections) {
        g->injections = calloc(1, sizeof *g->injections);
        for (unsigned way = 0; g->injections && way < SESSION_PAGE_WAYS; way++) {
            injector_way_init(&g->injections->ways[way], &g->page->injections,
                              (enum session_page_way)way, 0);
        }
    }
    return g->injections;
}

static void session_inject_set(struct session_injections *i, struct injector *j)
{
    for (unsigned way = 0; way < SESSION_PAGE_WAYS; way++) {
        injector_way_set(&i->ways[way], j);
    }
    if (i->injector) {
        i->before += i->injector->done;
        injector_free(i->injector);
    }
    i->injector = j;
}

/* Puts rules in force; their counts in the page are reset, or go on. */
static void session_inject_apply(struct session *s, const struct ipc_inject *rules)
{
    struct session_injections *const i = session_inject_of(s);
    struct session_page_injections *const p = &s->guard->page->injections;
    struct injector *j = NULL;
    char why[256] = "out of memory";

    if (i && rules->n > 0) {
        j = injector_new(rules, s->id, s->route, p, session_inject_on_fault, s, why, sizeof why);
    }
    if (!i || (!j && rules->n > 0)) {
        log_line(LOG_ERROR, SUBJECT(s, NULL), "no faults are injected: %s", why);
        return;
    }
    session_inject_set(i, j);
    p->n = (uint8_t)rules->n;
    p->asked = (uint8_t)rules->asked;
    log_line(LOG_WARNING, SUBJECT(s, NULL), "inject: %u rule%s in force", rules->n,
             rules->n == 1 ? "" : "s");
}

/* Keeps the rules of a session that is not there yet. */
static void session_inject_keep(struct session_host *h, uint64_t id, const struct ipc_inject *rules)
{
    if (!h->inject_next) {
        h->inject_next = malloc(sizeof *h->inject_next);
    }
    if (h->inject_next) {
        h->inject_next->session = id;
        h->inject_next->rules = *rules;
    } else {
        log_line(LOG_ERROR, &(struct log_subject){.session = id}, "no faults are injected: %s",
                 "out of memory");
    }
}

void session_inject(struct session_host *h, uint64_t id, const struct ipc_inject *rules)
{
    struct session *const s = session_of(h, id);

    if (!ipc_inject_sound(rules)) {
        log_line(LOG_ERROR, &(struct log_subject){.session = id}, "no faults are injected: %s",
                 "the rules are not valid");
    } else if (!s) {
        session_inject_keep(h, id, rules);
    } else if (s->guard && s->state != SESSION_DEAD) {
        memset(s->guard->page->injections.times, 0, sizeof s->guard->page->injections.times);
        session_inject_apply(s, rules);
        session_inject_channels(s);
    }
}

void session_inject_adopt(struct session *s)
{
    struct session_inject_next *const next = s->host->inject_next;

    if (next && next->session == s->id) {
        session_inject_apply(s, &next->rules);
        if (s->guard->injections) {
            s->guard->injections->before = session_page_injected(s->guard->page);
        }
    }
    session_inject_deinit(s->host);
}

/* Has one channel pair inject; from_way is the direction to its backend, the next is the other. */
static void session_inject_pair(struct session_injections *i, struct channel_pair *l,
                                enum session_page_way from_way)
{
    struct injector_way *const ways = &i->ways[from_way];

    if (l && !l->to_backend.inject) {
        ways[0].decided = l->to_backend.mark->total.taken;
        ways[1].decided = l->to_client.mark->total.taken;
        channel_pair_inject(l, ways);
    }
}

void session_inject_channels(struct session *s)
{
    struct session_injections *const i = s->guard->injections;

    if (i) {
        session_inject_pair(i, s->channels, SESSION_PAGE_TO_BACKEND);
        session_inject_pair(i, s->twin, SESSION_PAGE_TWIN_TO_BACKEND);
    }
}

void session_inject_free(struct session *s)
{
    struct session_injections *const i = s->guard->injections;

    for (unsigned way = 0; i && way < SESSION_PAGE_WAYS; way++) {
        injector_way_drop(&i->ways[way]);
    }
    if (i) {
        injector_free(i->injector);
    }
    free(i);
    s->guard->injections = NULL;
}

void session_inject_deinit(struct session_host *h)
{
    free(h->inject_next);
    h->inject_next = NULL;
}
