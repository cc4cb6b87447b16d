/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Limits how much one user can make the monitor write on one route, to the log and the audit log,
 * by sessions that come to nothing or end at once. Otherwise anyone with access to the socket could
 * fill the disk.
 *
 *   comes to nothing   LIMIT_REPEAT_BURST of them, then one each LIMIT_REPEAT_MS, have their lines
 *                      and records. The others are only counted, and make one line and one
 *                      sessions-repeated record each LIMIT_REPEAT_TELL_MS. A denial of a new kind
 *                      (another rule, another executable) has a burst of its own, so that a flood
 *                      does not hide other denials.
 *   is allowed         Each has its records. With an audit log, new ones wait once
 *                      LIMIT_BRIEF_BURST ended within LIMIT_BRIEF_MS: one goes on each
 *                      LIMIT_BRIEF_INTERVAL_MS. Without one they do not wait, and are counted in
 *                      the log.
 *
 * Whether a session is to be quiet is known when it connects. Its beginning is held back then, and
 * recorded with its verdict if it is allowed.
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

/* Kinds of denial that are recognized, and rules counted separately, per user and route. */
#define REPEATS_KINDS 8u
#define REPEATS_RULES 8u

/* A denying rule's place, and the number of its denials. */
struct repeats_rule {
    unsigned line;
    uint64_t n;
};

/* A user on a route. */
struct repeats_peer {
    RB_ENTRY(repeats_peer) node;
    TAILQ_ENTRY(repeats_peer) link;    /* in the order of last use, the most recent last */
    TAILQ_ENTRY(repeats_peer) pending; /* in the list of those with counts to report */
    struct route *route;
    uid_t uid;
    bool others;       /* for users without an entry of their own, or unknown to the kernel */
    unsigned sessions; /* alive; the entry is kept until they end */
    struct repeats_rate known; /* sessions that came to nothing */
    struct repeats_rate fresh; /* … of a kind not seen before */
    struct repeats_rate brief; /* sessions that were allowed and soon ended */
    uint64_t kinds[REPEATS_KINDS];
    unsigned next_kind;
    uint64_t waited_logged_ms; /* last line about waiting sessions */
    uint64_t count;            /* not reported yet */
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

/* Returns 0 or -ENOMEM. Call repeats_deinit in either case. */
int repeats_init(struct repeats *r, struct monitor *m) __attribute__((warn_unused_result));

/* Reports the remaining counts; the audit log must still be open. */
void repeats_deinit(struct repeats *r);

/* A session has been created: finds its user, and sets whether it is quiet. */
void repeats_begin(struct repeats *r, struct monitor_session *t);

/*
 * Returns the milliseconds that a session must wait before its backend is dialled, or 0. Logs that
 * sessions wait, once in LIMIT_REPEAT_TELL_MS.
 */
unsigned repeats_wait_ms(struct monitor_session *t);

/*
 * A session is denied by a rule at this line (0: none), for this reason; record is the verdict's,
 * or NULL. Returns false if the session stays quiet, and is counted when it ends.
 */
bool repeats_denied(struct monitor_session *t, const struct rules_verdict *v, const json_t *record);

/* A session is allowed: no longer quiet, unless one of very many without an audit log. */
void repeats_allowed(struct monitor_session *t);

/* A session ends: counts it if it is quiet. */
void repeats_end(struct repeats *r, struct monitor_session *t, enum session_reason reason);

#endif
