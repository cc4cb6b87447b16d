/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The figures of the broker at one moment, as the monitor hands them to the exporter: a file in
 * memory with a struct snapshot_broker, then a struct snapshot_route for each route, then a struct
 * snapshot_worker for each worker. Both processes are the same program, so the structures are
 * written as they are. They have no padding and no pointers.
 *
 * Counters begin at 0 with the monitor; a reader knows a fresh start by them.
 */
#ifndef POEMD_PROXY_EXPORTER_SNAPSHOT_H
#define POEMD_PROXY_EXPORTER_SNAPSHOT_H

#include <stdint.h>

#include "base/limits.h"
#include "base/side.h"
#include "policy/rules/rules.h"
#include "proxy/ipc/session_state.h"
#include "proxy/ipc/tally.h"

/* Bytes of a name, with at least one NUL. */
#define SNAPSHOT_NAME 72u

_Static_assert(SNAPSHOT_NAME > LIMIT_NAME && SNAPSHOT_NAME % 8 == 0,
               "a name fits, without padding");

/* Verdicts by the rule that decided: none, or enum rules_about plus 1. */
#define SNAPSHOT_RULES (RULES_ABOUT_MEASURED + 2u)
#define SNAPSHOT_VERDICTS (VERDICT_DENY + 1u)

/* Errors with which a client is refused. The broker sends less than ten. */
#define SNAPSHOT_ERRNOS 16u

struct snapshot_refusal {
    uint64_t err; /* 0: unused, as are all that follow */
    uint64_t times;
};

/* Sums, of sessions that have ended and of those that live. */
struct snapshot_counts {
    uint64_t ended[REASON_COUNT];
    uint64_t verdicts[SNAPSHOT_VERDICTS][SNAPSHOT_RULES][SIDES]; /* by the rule's party */
    uint64_t taints[TAINT_COUNT]; /* sessions that got the letter; observations as well */
    struct tally tally;           /* of messages */
};

struct snapshot_route {
    char name[SNAPSHOT_NAME];
    uint64_t listening;
    uint64_t most;                     /* sessions at once */
    uint64_t sessions[SESSION_STATES]; /* now */
    uint64_t holding;                  /* … of which have no device at the moment */
    uint64_t begun;
    uint64_t resumed; /* times one of them has gone on in another worker */
    struct snapshot_counts counts;
    struct snapshot_refusal refusals[SNAPSHOT_ERRNOS];
    uint64_t overdue; /* requests that were answered in the device's stead */
    uint64_t lost;    /* devices that a session has lost, and was held */
    uint64_t stall_ms;
    uint64_t replaced;
    uint64_t replacements; /* of devices that served */
    uint64_t pause_us;
    uint64_t rejected;
    uint64_t failures; /* of its devices, in a row */
};

struct snapshot_worker {
    uint64_t ready;
    uint64_t sessions;
    uint64_t longest_turn_us;
};

struct snapshot_broker {
    uint64_t routes;    /* number of structures that follow */
    uint64_t workers;   /* … */
    uint64_t started_s; /* of the clock */
    uint64_t epoch_ns;  /* clock_ns plus this is the time since the epoch */
    uint64_t most;      /* sessions at once */
    uint64_t draining;
    uint64_t workers_gone; /* processes that have ended */
    uint64_t longest_turn_us;
    uint64_t snapshot_us; /* time of the monitor for the last snapshot; 0: it is the first */
    uint64_t audit;       /* 1: there is a log */
    uint64_t audit_failing;
    uint64_t audit_records;
    uint64_t audit_failures; /* batches of records that were lost */
    uint64_t captures;       /* running */
    uint64_t capture_messages;
    uint64_t capture_bytes;
    uint64_t capture_lost;
};

/* Returns the size of a snapshot. Pure. */
static inline uint64_t snapshot_size(uint64_t routes, uint64_t workers)
{
    return sizeof(struct snapshot_broker) + routes * sizeof(struct snapshot_route) +
           workers * sizeof(struct snapshot_worker);
}

#endif
