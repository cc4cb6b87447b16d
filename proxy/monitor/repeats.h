/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What one user may have the monitor write on one route, in the log and the audit log, by sessions
 * that come to nothing or end at once. Whoever may connect could fill the disk otherwise.
 *
 *   comes to nothing   LIMIT_REPEAT_BURST of them, then one each LIMIT_REPEAT_MS, have their lines
 *                      and records. Of the others only numbers are kept, which are one line and one
 *                      sessions-repeated record each LIMIT_REPEAT_TELL_MS. One of another kind than
 *                      those before (another rule, another executable) has a burst of its own, so
 *                      that a flood does not hide what it is not.
 *   is let in          each has its records. With an audit log new ones wait once
 *                      LIMIT_BRIEF_BURST ended within LIMIT_BRIEF_MS: one goes on each
 *                      LIMIT_BRIEF_INTERVAL_MS. Without one they do not wait, and are numbers in
 * the log.
 *
 * Whether a session is to be quiet is known when it connects: its beginning is held back then, and
 * recorded with its verdict where it is let in.
 */
#ifndef POEMD_PROXY_MONITOR_REPEATS_H
#define POEMD_PROXY_MONITOR_REPEATS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include "audit/audit_line.h"
#include "policy/rules/rules.h"
#include "proxy/monitor/repeats_rate.h"
#include "proxy/ipc/session_state.h"

struct monitor;
struct route;
struct monitor_session;

/* Kinds of denial that are known again, and rules that are counted apart, of one user and route. */
#define REPEATS_KINDS 8u
#define REPEATS_RULES 8u

/* A denying rule's place and how often. */
struct repeats_rule {
    unsigned line;
    uint64_t n;
};

/* A user on a route. */
struct repeats_peer {
    RB_ENTRY(repeats_peer) node;
    TAILQ_ENTRY(repeats_peer) link;    /* the one that was used last is last */
    TAILQ_ENTRY(repeats_peer) pending; /* among those with something to tell */
    struct route *route;
    uid_t uid;
    bool others; /* of everybody for whom there was no room, or whom the kernel does not name */
    unsigned sessions;         /* alive: it is not forgotten before they end */
    struct repeats_rate known; /* sessions that came to nothing */
    struct repeats_rate fresh; /* … of a kind that was not known */
    struct repeats_rate brief; /* sessions that were let in and soon ended */
    uint64_t kinds[REPEATS_KINDS];
    unsigned next_kind;
    uint64_t waited_logged_ms; /* that sessions wait */
    uint64_t count;            /* not told yet */
    uint64_t since_ms;
    char first[AUDIT_TIME_SIZE + 1];
    char last[AUDIT_TIME_SIZE + 1];
    uint64_t reasons[REASON_COUNT];
    struct repeats_rule rules[REPEATS_RULES];
    uint64_t other_rules;
};

RB_HEAD(repeats_tree, repeats_peer);
TAILQ_HEAD(repeats_list, repeats_peer);

struct repeats {
    struct monitor *monitor;
    struct repeats_tree tree;
    struct repeats_list used;
    struct repeats_list pending;
    struct event *tell;
    unsigned n;
};

/* 0 or -ENOMEM; to be deinit'ed in either case. */
int repeats_init(struct repeats *r, struct monitor *m) __attribute__((warn_unused_result));

/* Tells what has not been told; the audit log must still be open. */
void repeats_deinit(struct repeats *r);

/* A ticket has been made: finds its user, and sets whether it is quiet. */
void repeats_begin(struct repeats *r, struct monitor_session *t);

/*
 * Milliseconds that a session must wait before its backend is dialled; 0: none. That some wait is
 * logged, once in LIMIT_REPEAT_TELL_MS.
 */
unsigned repeats_wait_ms(struct monitor_session *t);

/*
 * A session is denied, by a rule at this line (0: none), for this reason; record is the verdict's,
 * or NULL. False: it stays quiet, and is counted when it ends.
 */
bool repeats_denied(struct monitor_session *t, const struct rules_verdict *v, const json_t *record);

/* A session is let in: it is quiet no more, unless it is one of very many without an audit log. */
void repeats_allowed(struct monitor_session *t);

/* A session ends. */
void repeats_end(struct repeats *r, struct monitor_session *t, enum session_reason reason);

#endif
