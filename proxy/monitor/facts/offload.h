/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Runs functions that another process can block, in a few threads beside the monitor's loop.
 *
 * At most LIMIT_CODE_THREADS run at once, and one of each owner: a user whose processes block
 * theirs delays no job of another user. A thread that is blocked ends with the process.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_OFFLOAD_H
#define POEMD_PROXY_MONITOR_FACTS_OFFLOAD_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

struct offload;

/* A job, embedded in the data that it needs. All members but link and the last are set by the
 * caller. */
struct offload_job {
    TAILQ_ENTRY(offload_job) link;
    uid_t owner;                           /* the user whose process it looks at */
    void (*run)(struct offload_job *job);  /* in a thread; must not use the loop */
    void (*done)(struct offload_job *job); /* from the loop, once; owns the job from then on */
    void (*drop)(struct offload_job *job); /* in place of done, if the job is forgotten */
    bool forgotten;
};

/* Returns NULL if out of memory or fds. Threads are started when there are jobs. */
struct offload *offload_new(struct event_base *base) __attribute__((warn_unused_result));

/* Drops all jobs. Leaves a blocked thread, with its job, to the end of the process. */
void offload_free(struct offload *o);

/* Queues a job, and takes it over. */
void offload_add(struct offload *o, struct offload_job *job);

/* Forgets a job that is not done: it is dropped now, or when its thread returns. */
void offload_forget(struct offload *o, struct offload_job *job);

#endif
