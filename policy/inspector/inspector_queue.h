/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The queue of an inspector's jobs and their order. Each user has a share on each route, and shares
 * take turns: a turn is one slice of one file (INSPECTOR_SLICE). Within a share the file with the
 * fewest bytes left comes first. Jobs that a verdict waits for precede those needed only for a
 * record.
 *
 * A share has a credit in bytes, which inspections consume and time refills. Once it is used up,
 * the share's further files are not inspected.
 *
 * Does no I/O except dup and close. Times are milliseconds of a monotonic clock.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_QUEUE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_QUEUE_H

#include <bsd/sys/queue.h>

#include "policy/inspector/inspector_channel.h"

struct inspector_share {
    TAILQ_ENTRY(inspector_share) link;
    struct inspector_asker who; /* `late` is unused */
    int64_t credit;             /* bytes; negative if the last inspection cost more than was left */
    int64_t filled_ms;          /* time of the last refill */
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
    unsigned steps;   /* slices that the current process has answered */
    unsigned ms;      /* time taken by these slices */
    int slot;         /* in the process, or -1 if not begun */
    bool late;
    uint64_t ima_count; /* of entries in the list of IMA when the process was asked last */
    uint64_t left;      /* bytes still to be read, as reported by the process */
    int exe_fd;
    struct inspector_question question;
};

TAILQ_HEAD(inspector_jobs, inspector_job);
TAILQ_HEAD(inspector_shares, inspector_share);

struct inspector_queue {
    struct inspector_jobs jobs;
    struct inspector_shares shares; /* most recently used first */
    unsigned n_shares;
    uint64_t turns;
    uint32_t slots; /* one bit per slot in use */
};

void inspector_queue_init(struct inspector_queue *q);
void inspector_queue_deinit(struct inspector_queue *q);

/*
 * Returns the asker's share, or NULL if out of memory, or if LIMIT_INSPECT_SHARES shares are busy
 * or in debt. Valid until the next call.
 */
struct inspector_share *inspector_queue_share(struct inspector_queue *q,
                                              const struct inspector_asker *who, int64_t now_ms)
    __attribute__((warn_unused_result));

/* Charges a file of this size. Returns false if the share has no credit. */
bool inspector_queue_charge(struct inspector_share *s, uint64_t size)
    __attribute__((warn_unused_result));

/* Returns the share's job for this executable, or NULL. */
struct inspector_job *inspector_queue_find(struct inspector_queue *q,
                                           const struct inspector_share *s,
                                           const struct peer_exe *exe)
    __attribute__((warn_unused_result));

/* Adds a job with a duplicate of the fd. Returns NULL on error, with the errno in *error. */
struct inspector_job *inspector_queue_add(struct inspector_queue *q, struct inspector_share *s,
                                          const struct peer_exe *exe, int *error)
    __attribute__((warn_unused_result));

/* Called when the process has finished the job's file and closed it: frees its slot. */
void inspector_queue_answered(struct inspector_queue *q, struct inspector_job *j);

/* Removes a job, which frees its slot; the caller still frees the job. */
void inspector_queue_take(struct inspector_queue *q, struct inspector_job *j);
void inspector_queue_free(struct inspector_job *j);

/*
 * Returns the next job in turn, or NULL. If it needs a slot and all are taken, a larger job loses
 * its slot.
 */
struct inspector_job *inspector_queue_next(struct inspector_queue *q)
    __attribute__((warn_unused_result));

/* Gives the job its turn, in a slot of the process. */
void inspector_queue_turn(struct inspector_queue *q, struct inspector_job *j);

/* Called when the process has ended: the jobs it had begun start over. */
void inspector_queue_restart(struct inspector_queue *q);

#endif
