/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an inspector has to do, and in which order. Each user has a share on each route, and shares
 * take turns: a turn is one slice of one file (INSPECTOR_SLICE). Within a share the file that is
 * nearest to its end is first. What a verdict waits for goes before all that only a record wants.
 *
 * A share has a credit in bytes, which inspections cost and time refills. Once it is used up, the
 * share's further files are not inspected.
 *
 * No I/O but dup and close. Times are milliseconds of a clock that does not go backwards.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_QUEUE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_QUEUE_H

#include <bsd/sys/queue.h>

#include "policy/inspector/inspector_channel.h"

struct inspector_share {
    TAILQ_ENTRY(inspector_share) link;
    struct inspector_asker who; /* without "late" */
    int64_t credit;             /* bytes; below 0: the last inspection cost more than was left */
    int64_t filled_ms;          /* up to when it has been refilled */
    uint64_t turn;              /* the number of its last turn */
    unsigned n_waiting;         /* requests */
    unsigned n_jobs;
};

struct inspector_job {
    TAILQ_ENTRY(inspector_job) link;
    struct inspector_share *share;
    uint64_t number;
    unsigned n_waiters;
    unsigned crashes; /* processes that died at it */
    unsigned steps;   /* slices that this process has answered */
    unsigned ms;      /* that these took */
    int slot;         /* of the process, -1: it has not begun */
    bool late;
    uint64_t left; /* bytes still to be read, as the process says */
    int exe_fd;
    struct inspector_question question;
};

TAILQ_HEAD(inspector_jobs, inspector_job);
TAILQ_HEAD(inspector_shares, inspector_share);

struct inspector_queue {
    struct inspector_jobs jobs;
    struct inspector_shares shares; /* the last used first */
    unsigned n_shares;
    uint64_t turns;
    uint32_t slots; /* a bit for each that is taken */
};

void inspector_queue_init(struct inspector_queue *q);
void inspector_queue_deinit(struct inspector_queue *q);

/*
 * The asker's share. NULL without memory, or if LIMIT_INSPECT_SHARES have something to do or are in
 * debt. Good until the next call.
 */
struct inspector_share *inspector_queue_share(struct inspector_queue *q,
                                              const struct inspector_asker *who, int64_t now_ms)
    __attribute__((warn_unused_result));

/* Takes the cost of a file of so many bytes. Returns false if the share has no credit. */
bool inspector_queue_charge(struct inspector_share *s, uint64_t size)
    __attribute__((warn_unused_result));

/* The share's job for this executable, or NULL. */
struct inspector_job *inspector_queue_find(struct inspector_queue *q,
                                           const struct inspector_share *s,
                                           const struct peer_exe *exe)
    __attribute__((warn_unused_result));

/* A new job; its fd is a copy. NULL: *error is the errno. */
struct inspector_job *inspector_queue_add(struct inspector_queue *q, struct inspector_share *s,
                                          const struct peer_exe *exe, int *error)
    __attribute__((warn_unused_result));

/* The process is through with the job's file, and has closed it: its slot is free. */
void inspector_queue_answered(struct inspector_queue *q, struct inspector_job *j);

/* Takes a job out, which gives its slot back; it is still to be freed. */
void inspector_queue_take(struct inspector_queue *q, struct inspector_job *j);
void inspector_queue_free(struct inspector_job *j);

/* The job whose turn it is, or NULL. If it needs a slot that a larger one has, that loses it. */
struct inspector_job *inspector_queue_next(struct inspector_queue *q)
    __attribute__((warn_unused_result));

/* Notes that the job has its turn now, in a slot of the process. */
void inspector_queue_turn(struct inspector_queue *q, struct inspector_job *j);

/* The process is gone: what it had begun begins anew. */
void inspector_queue_restart(struct inspector_queue *q);

#endif
