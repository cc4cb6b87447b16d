/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The end of jobs, and the waiters. A waiter is notified once, from the loop: by the end of its job
 * or by its own timer.
 */
#include "policy/inspector/inspector_wait.h"

#include <errno.h>
#include <stdlib.h>

/* Removes a job from the queue. The process closes its file with the next message. */
static void inspector_job_take(struct inspector *i, struct inspector_job *j)
{
    i->untidy = i->untidy || j->slot >= 0;
    if (i->current == j) {
        i->current = NULL;
        evtimer_del(i->run_out);
    }
    inspector_queue_take(&i->queue, j);
}

void inspector_waiter_free(struct inspector_waiter *w)
{
    struct inspector *i = w->inspector;

    TAILQ_REMOVE(&i->waiters, w, link);
    i->n_waiting--;
    if (w->share) {
        w->share->n_waiting--;
    }
    event_free(w->timer);
    inspection_release(w->result);
    free(w);
}

void inspector_job_unwanted(struct inspector *i, struct inspector_job *j)
{
    if (!j || --j->n_waiters > 0) {
        return;
    }
    j->late = true;
    if (j->slot < 0) {
        inspector_job_take(i, j);
        inspector_queue_free(j);
    }
}

static void inspector_notify(struct inspector_waiter *w, const struct inspection *r)
{
    inspector_done *done = w->done;
    void *arg = w->arg;

    /* Freed before the callback, which may make new requests or forget others. */
    inspector_waiter_free(w);
    done(r, arg);
}

void inspector_waiter_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct inspector_waiter *w = arg;
    struct inspector *i = w->inspector;
    const struct inspection *const result = w->result;
    struct inspection r;

    (void)fd;
    (void)what;
    if (result) {
        w->result = NULL;
        inspector_notify(w, result);
        inspection_release(result);
        return;
    }
    if (w->job) {
        inspection_nothing(&r, i->ready ? INSPECTION_TIMEOUT : INSPECTION_NOBODY, 0);
        inspector_job_unwanted(i, w->job);
    } else {
        inspection_nothing(&r, w->outcome, w->error);
    }
    inspector_notify(w, &r);
}

/* Each waiter is notified by an event of its own: there may be hundreds. */
void inspector_job_end(struct inspector *i, struct inspector_job *j, const struct inspection *r,
                       enum inspection_outcome outcome, int error)
{
    struct inspector_waiter *w;

    inspector_job_take(i, j);
    TAILQ_FOREACH(w, &i->waiters, link)
    {
        if (w->job == j) {
            w->job = NULL;
            w->result = r ? inspection_hold(r) : NULL;
            w->outcome = outcome;
            w->error = error;
            event_active(w->timer, EV_TIMEOUT, 0);
        }
    }
    inspector_queue_free(j);
}

void inspector_job_fail(struct inspector *i, struct inspector_job *j,
                        enum inspection_outcome outcome, int error)
{
    if (outcome == INSPECTION_TIMEOUT) {
        inspector_cache_put_slow(&i->cache, &j->question.id, (int64_t)clock_ms());
    }
    inspector_job_end(i, j, NULL, outcome, error);
}

void inspector_job_answered(struct inspector *i, struct inspector_job *j,
                            const struct inspection *answer)
{
    const bool good = answer->outcome == INSPECTION_OK;
    const struct inspection *const r = good ? inspection_new(answer) : NULL;

    inspector_queue_answered(&i->queue, j);
    if (r) {
        inspector_cache_put(&i->cache, &j->question.id, j->question.path, r, j->ima_count,
                            clock_time_ns());
        inspector_job_end(i, j, r, INSPECTION_OK, 0);
    } else {
        inspector_job_end(i, j, NULL, good ? INSPECTION_NOBODY : answer->outcome,
                          good ? ENOMEM : answer->error);
    }
    inspection_release(r);
}
