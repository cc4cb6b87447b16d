/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The state of an inspector on its parent's side. Its parts are inspector_parent.c (requests, and
 * which job is next), inspector_wait.c (the end of jobs, and the waiters), inspector_process.c
 * (the process). For use within this room.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_STATE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_STATE_H

#include <bsd/sys/queue.h>

#include "base/clock.h"
#include "base/helper/heartbeat.h"
#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_child.h"
#include "policy/inspector/inspector_pace.h"
#include "policy/inspector/inspector_queue.h"

struct inspector_waiter {
    TAILQ_ENTRY(inspector_waiter) link;
    struct inspector *inspector;
    struct inspector_share *share;   /* the share it counts for; may be NULL */
    struct inspector_job *job;       /* NULL if it only waits for its notification */
    const struct inspection *result; /* held; NULL if there is only an outcome */
    uint64_t number;
    struct event *timer;
    enum inspection_outcome outcome; /* used if there is no job */
    int error;
    inspector_done *done;
    void *arg;
};

TAILQ_HEAD(inspector_waiters, inspector_waiter);

struct inspector {
    struct event_base *base;
    struct inspector_kit kit;
    struct inspector_cache cache;
    struct inspector_queue queue;
    struct inspector_job *current;    /* the job in progress; may be NULL */
    struct inspector_waiters waiters; /* all of them */
    unsigned n_waiting;
    uint64_t last_number;
    bool ready;
    bool untidy; /* the process may have files open that no longer have a slot */
    struct inspector_pace pace;
    /* The outcome of the current job if the process dies. */
    enum inspection_outcome verdict;
    unsigned false_starts; /* how often in a row a process died before it was ready */
    pid_t pid;             /* -1 if not running */
    int pidfd;
    int channel_fd;
    struct event *readable;
    struct event *died;
    struct event *run_out; /* time-out of the current job, or of the start */
    struct event *respawn;
    struct event *kick; /* runs inspector_work from the loop */
    struct heartbeat beat;
    unsigned pings; /* sent and not answered yet */
    bool killed;    /* killed, and not reaped yet */
};

static inline void inspector_add_timer(struct event *timer, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    /* Cannot fail: the event exists, and a timer needs no more memory. */
    (void)event_add(timer, &tv);
}

#endif
