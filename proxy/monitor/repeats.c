/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Users on routes, in a tree and in the order of their last use. LIMIT_REPEAT_PEERS of them have an
 * entry of their own; further users share their route's entry for others, until an old entry has
 * been idle for so long that it holds nothing worth keeping.
 */
#define _GNU_SOURCE
#include "proxy/monitor/repeats.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/repeats_report.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/facts/verdict_facts.h"

static int repeats_compare(const struct repeats_peer *a, const struct repeats_peer *b)
{
    if (a->route != b->route) {
        return a->route < b->route ? -1 : 1;
    }
    return a->uid < b->uid ? -1 : a->uid > b->uid;
}

TREE_GENERATE(repeats_tree, repeats_peer, node, repeats_compare)

/* ---- rates ---- */

/* Returns true if the rate holds no past use. */
static bool repeats_is_idle(const struct rate_limit *r, uint64_t now_ms)
{
    return r->due_ms <= now_ms;
}

static bool repeats_may_repeat(const struct repeats_peer *p, uint64_t now_ms)
{
    return rate_limit_may(&p->known, now_ms, LIMIT_REPEAT_BURST, LIMIT_REPEAT_MS);
}

/* burst is LIMIT_BRIEF_BURST with an audit log, otherwise LIMIT_MUTE_BURST. */
static bool repeats_may_be_brief(const struct repeats_peer *p, uint64_t now_ms, unsigned burst)
{
    return rate_limit_may(&p->brief, now_ms, burst, LIMIT_BRIEF_INTERVAL_MS);
}

/* ---- users ---- */

static void repeats_forget(struct repeats *r, struct repeats_peer *p)
{
    RB_REMOVE(repeats_tree, &r->tree, p);
    TAILQ_REMOVE(&r->used, p, link);
    r->n--;
    free(p);
}

/* Makes room by freeing the entry used longest ago, if it holds nothing worth keeping. */
static bool repeats_make_room(struct repeats *r)
{
    struct repeats_peer *const p = TAILQ_FIRST(&r->used);
    const uint64_t now = clock_ms();

    if (r->n < LIMIT_REPEAT_PEERS) {
        return true;
    }
    if (p->sessions > 0 || p->count > 0 || !repeats_is_idle(&p->known, now) ||
        !repeats_is_idle(&p->fresh, now) || !repeats_is_idle(&p->brief, now)) {
        return false;
    }
    repeats_forget(r, p);
    return true;
}

static struct repeats_peer *repeats_find(struct repeats *r, struct route *route, int client_fd)
{
    struct ucred who;
    socklen_t n = sizeof who;
    const bool known = getsockopt(client_fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0;
    struct repeats_peer wanted = {.route = route, .uid = known ? who.uid : 0};
    struct repeats_peer *p;

    p = known ? RB_FIND(repeats_tree, &r->tree, &wanted) : NULL;
    if (p) {
        TAILQ_REMOVE(&r->used, p, link);
        TAILQ_INSERT_TAIL(&r->used, p, link);
        return p;
    }
    p = known && repeats_make_room(r) ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        return route->others;
    }
    p->route = route;
    p->uid = wanted.uid;
    RB_INSERT(repeats_tree, &r->tree, p);
    TAILQ_INSERT_TAIL(&r->used, p, link);
    r->n++;
    return p;
}

/* ---- sessions ---- */

static void repeats_on_begun(void *arg, struct monitor_session *t)
{
    struct repeats *const r = arg;
    const uint64_t now = clock_ms();
    struct repeats_peer *const p = repeats_find(r, t->route, t->client_fd);

    t->repeats = p;
    p->sessions++;
    if (t->state != SESSION_ACCEPTED) {
        /* An earlier monitor has decided how much of it is logged. */
        return;
    }
    t->muted = !audit_writer_on(&r->context->audit_writer) &&
               !repeats_may_be_brief(p, now, LIMIT_MUTE_BURST);
    t->quiet = t->held = t->muted || !repeats_may_repeat(p, now);
}

static void repeats_log_wait(struct repeats_peer *p, uint64_t now_ms)
{
    const struct log_subject about = {.route = p->route->config->name, .leg = "client"};

    if (p->waited_logged_ms && now_ms - p->waited_logged_ms < LIMIT_REPEAT_TELL_MS) {
        return;
    }
    p->waited_logged_ms = now_ms;
    log_line(LOG_WARNING, &about,
             "sessions of uid=%u are delayed: too many ended soon after they began, and each is "
             "recorded",
             (unsigned)p->uid);
}

unsigned repeats_wait_ms(struct monitor_session *t)
{
    const uint64_t now = clock_ms();
    const uint64_t ahead = (uint64_t)(LIMIT_BRIEF_BURST - 1) * LIMIT_BRIEF_INTERVAL_MS;

    if (!audit_writer_on(&t->table->context->audit_writer) ||
        repeats_may_be_brief(t->repeats, now, LIMIT_BRIEF_BURST)) {
        return 0;
    }
    repeats_log_wait(t->repeats, now);
    return (unsigned)(t->repeats->brief.due_ms - ahead - now);
}

/* FNV-1a. If a collision makes two kinds look alike, a denial is counted instead of recorded. */
static uint64_t repeats_mix(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* Hashes the rule, the reason and the executables. */
static uint64_t repeats_kind(const struct verdict_facts *f)
{
    const struct rules_verdict *const v = &f->verdict;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    h = repeats_mix(h, &v->line, sizeof v->line);
    h = repeats_mix(h, v->why, strlen(v->why));
    for (size_t i = 0; i < SIDES; i++) {
        const struct peer *const p = f->parties[i].known.peer;
        const char *const path = peer_knows(p, PEER_EXE_PATH) ? p->exe.path : "";

        h = repeats_mix(h, path, strlen(path) + 1);
    }
    return h ? h : 1;
}

static bool repeats_knows(const struct repeats_peer *p, uint64_t kind)
{
    for (unsigned i = 0; i < REPEATS_KINDS; i++) {
        if (p->kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

/* Counts the denial by its rule. */
static void repeats_count_rule(struct repeats_peer *p, unsigned line)
{
    for (unsigned i = 0; i < REPEATS_RULES; i++) {
        struct repeats_rule *const rule = &p->rules[i];

        if (rule->n == 0) {
            rule->line = line;
        }
        if (rule->line == line) {
            rule->n++;
            return;
        }
    }
    p->other_rules++;
}

bool repeats_denied(struct monitor_session *t, const struct verdict_facts *f)
{
    struct repeats_peer *const p = t->repeats;
    const uint64_t now = clock_ms();
    const uint64_t kind = repeats_kind(f);

    if (!repeats_knows(p, kind)) {
        p->kinds[p->next_kind] = kind;
        p->next_kind = (p->next_kind + 1) % REPEATS_KINDS;
        if (t->quiet && !t->muted &&
            rate_limit_may(&p->fresh, now, LIMIT_REPEAT_BURST, LIMIT_REPEAT_MS)) {
            rate_limit_take(&p->fresh, now, LIMIT_REPEAT_MS);
            t->quiet = false;
            t->fresh = true;
        }
    }
    if (t->quiet) {
        repeats_count_rule(p, f->verdict.line);
    }
    return !t->quiet;
}

void repeats_allowed(struct monitor_session *t)
{
    const struct monitor_context *const m = t->table->context;
    /* It will be denied unless the log can be written again: until then it is one of many. */
    const bool vain =
        m->audit_writer.failing && m->config->on_audit_failure != CONFIG_AUDIT_TAINT && t->quiet;

    t->quiet = t->muted || vain;
}

/* Adds the end of a session to the counts. */
static void repeats_count(struct repeats *r, struct repeats_peer *p, enum session_reason reason)
{
    static const struct timeval soon = {.tv_sec = LIMIT_REPEAT_TELL_MS / 1000};

    audit_writer_time_of(clock_ms(), p->last);
    if (p->count++ == 0) {
        memcpy(p->first, p->last, sizeof p->first);
        p->since_ms = clock_ms();
        TAILQ_INSERT_TAIL(&r->pending, p, pending);
        if (!event_pending(r->tell, EV_TIMEOUT, NULL)) {
            event_add(r->tell, &soon);
        }
    }
    p->reasons[reason]++;
}

static void repeats_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                             const struct ipc_ended *what)
{
    struct repeats *const r = arg;
    struct repeats_peer *const p = t->repeats;
    const uint64_t now = clock_ms();
    const bool relayed = t->state >= SESSION_RELAYING;
    const bool brief = relayed && now - t->accepted_ms < LIMIT_BRIEF_MS;

    (void)what;
    p->sessions--;
    if (brief) {
        rate_limit_take(&p->brief, now, LIMIT_BRIEF_INTERVAL_MS);
    } else if (!relayed && !t->quiet && !t->fresh) {
        rate_limit_take(&p->known, now, LIMIT_REPEAT_MS);
    }
    if (t->quiet && (!relayed || brief)) {
        repeats_count(r, p, reason);
    } else {
        /* A muted session that has lived for a while is worth its line. */
        t->quiet = false;
    }
    t->repeats = NULL;
}

/* ---- reports ---- */

static void repeats_report_one(struct repeats *r, struct repeats_peer *p)
{
    TAILQ_REMOVE(&r->pending, p, pending);
    repeats_report_log(p, clock_ms());
    (void)audit_writer_note(&r->context->audit_writer, AUDIT_REPEATED, repeats_report_record(p));
    p->count = 0;
    p->other_rules = 0;
    memset(p->reasons, 0, sizeof p->reasons);
    memset(p->rules, 0, sizeof p->rules);
}

static void repeats_report(struct repeats *r, unsigned most)
{
    struct repeats_peer *p;

    while (most-- > 0 && (p = TAILQ_FIRST(&r->pending)) != NULL) {
        repeats_report_one(r, p);
    }
}

void repeats_flush(struct repeats *r)
{
    repeats_report(r, UINT_MAX);
}

static void repeats_on_report(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval now = {0};
    struct repeats *const r = arg;

    (void)fd;
    (void)what;
    repeats_report(r, LIMIT_REPEAT_TURN);
    if (!TAILQ_EMPTY(&r->pending)) {
        event_add(r->tell, &now);
    }
}

/* ---- routes ---- */

static void repeats_on_route_begun(void *arg, struct route *route, bool *bad)
{
    (void)arg;
    route->others = calloc(1, sizeof *route->others);
    if (route->others) {
        *route->others = (struct repeats_peer){.route = route, .others = true};
    } else {
        *bad = true;
    }
}

/* Reports the counts of its users, and forgets them. */
static void repeats_on_route_ended(void *arg, struct route *route)
{
    struct repeats *const r = arg;
    struct repeats_peer *p;
    struct repeats_peer *next;

    TAILQ_FOREACH_SAFE(p, &r->used, link, next)
    {
        if (p->route != route) {
            continue;
        }
        if (p->count > 0) {
            repeats_report_one(r, p);
        }
        repeats_forget(r, p);
    }
    if (route->others && route->others->count > 0) {
        repeats_report_one(r, route->others);
    }
    free(route->others);
    route->others = NULL;
}

int repeats_init(struct repeats *r, struct route_table *routes,
                 struct monitor_session_table *sessions)
{
    static const struct monitor_session_events events = {.begun = repeats_on_begun,
                                                         .ended = repeats_on_ended};
    static const struct route_events of_routes = {.begun = repeats_on_route_begun,
                                                  .ended = repeats_on_route_ended};

    *r = (struct repeats){.context = sessions->context};
    RB_INIT(&r->tree);
    TAILQ_INIT(&r->used);
    TAILQ_INIT(&r->pending);
    r->tell = evtimer_new(r->context->base, repeats_on_report, r);
    if (!r->tell || !route_table_observe(routes, &of_routes, r)) {
        return -ENOMEM;
    }
    monitor_session_observe(sessions, &events, r);
    return 0;
}

void repeats_deinit(struct repeats *r)
{
    struct repeats_peer *p;

    if (!r->context) {
        return;
    }
    if (r->tell) {
        repeats_report(r, UINT_MAX);
        event_free(r->tell);
        r->tell = NULL;
    }
    while ((p = TAILQ_FIRST(&r->used)) != NULL) {
        repeats_forget(r, p);
    }
}
