/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The state kept for one user on one route. */
#ifndef POEMD_PROXY_MONITOR_ROUTES_REPEATS_PEER_H
#define POEMD_PROXY_MONITOR_ROUTES_REPEATS_PEER_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/audit_line.h"
#include "base/tree.h"
#include "proxy/ipc/session_state.h"
#include "proxy/ipc/rate_limit.h"

struct route;

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
    bool others;             /* for users without an entry of their own, or unknown to the kernel */
    unsigned sessions;       /* alive; the entry is kept until they end */
    struct rate_limit known; /* sessions that came to nothing */
    struct rate_limit fresh; /* … of a kind not seen before */
    struct rate_limit brief; /* sessions that were allowed and soon ended */
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

#endif
