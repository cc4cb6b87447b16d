/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Threads for functions that may block, and the queue of their jobs. */
#define _GNU_SOURCE
#include "proxy/monitor/facts/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

/* Milliseconds for which the end waits for a thread; one that is not blocked needs less. */
#define OFFLOAD_JOIN_MS 100

TAILQ_HEAD(offload_jobs, offload_job);

struct offload {
    int event_fd; /* written when a job has been run */
    struct event *readable;
    pthread_mutex_t lock; /* protects everything below */
    pthread_cond_t wake;
    struct offload_jobs queued;
    struct offload_jobs running;
    struct offload_jobs ended;
    pthread_t threads[LIMIT_CODE_THREADS];
    unsigned n_threads;
    unsigned n_idle;
    bool closing;
};

/* Returns the first job of an owner without a running one. Called with the lock held. */
static struct offload_job *offload_next(struct offload *o)
{
    struct offload_job *job;
    const struct offload_job *other;

    TAILQ_FOREACH(job, &o->queued, link)
    {
        TAILQ_FOREACH(other, &o->running, link)
        {
            if (other->owner == job->owner) {
                break;
            }
        }
        if (!other) {
            return job;
        }
    }
    return NULL;
}

/* Takes the next job as running; waits for one. NULL at the end. Called with the lock held. */
static struct offload_job *offload_take(struct offload *o)
{
    struct offload_job *job = NULL;

    while (!o->closing && !(job = offload_next(o))) {
        o->n_idle++;
        pthread_cond_wait(&o->wake, &o->lock);
        o->n_idle--;
    }
    if (!o->closing) {
        TAILQ_REMOVE(&o->queued, job, link);
        TAILQ_INSERT_TAIL(&o->running, job, link);
        return job;
    }
    return NULL;
}

static void *offload_run(void *arg)
{
    static const uint64_t one = 1;
    struct offload *const o = arg;
    struct offload_job *job;

    pthread_mutex_lock(&o->lock);
    while ((job = offload_take(o))) {
        pthread_mutex_unlock(&o->lock);
        job->run(job);
        pthread_mutex_lock(&o->lock);
        TAILQ_REMOVE(&o->running, job, link);
        TAILQ_INSERT_TAIL(&o->ended, job, link);
        /* Cannot block: the counter is far from full. */
        (void)!write(o->event_fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* Starts another thread. Called with the lock held. */
static void offload_start_thread(struct offload *o)
{
    const int err = thread_start(&o->threads[o->n_threads], offload_run, o);

    if (err) {
        /* The jobs wait for a thread that exists, or for their owners' time limits. */
        log_warning("cannot start a thread: %s", strerror(err));
        return;
    }
    o->n_threads++;
}

static void offload_on_ended(evutil_socket_t fd, short what, void *arg)
{
    struct offload *const o = arg;
    struct offload_job *job;
    uint64_t n;

    (void)what;
    (void)!read(fd, &n, sizeof n);
    for (;;) {
        pthread_mutex_lock(&o->lock);
        job = TAILQ_FIRST(&o->ended);
        if (job) {
            TAILQ_REMOVE(&o->ended, job, link);
        }
        pthread_mutex_unlock(&o->lock);
        if (!job) {
            return;
        }
        if (job->forgotten) {
            job->drop(job);
        } else {
            job->done(job);
        }
    }
}

struct offload *offload_new(struct event_base *base)
{
    struct offload *const o = calloc(1, sizeof *o);

    if (!o) {
        return NULL;
    }
    TAILQ_INIT(&o->queued);
    TAILQ_INIT(&o->running);
    TAILQ_INIT(&o->ended);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->wake, NULL);
    o->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    o->readable = o->event_fd < 0
                      ? NULL
                      : event_new(base, o->event_fd, EV_READ | EV_PERSIST, offload_on_ended, o);
    if (!o->readable || event_add(o->readable, NULL) < 0) {
        offload_free(o);
        return NULL;
    }
    return o;
}

static void offload_drop_all(struct offload_jobs *jobs)
{
    struct offload_job *job;

    while ((job = TAILQ_FIRST(jobs))) {
        TAILQ_REMOVE(jobs, job, link);
        job->drop(job);
    }
}

/* Waits for all threads. Returns false if one of them is blocked. */
static bool offload_join(struct offload *o)
{
    bool all = true;

    for (unsigned i = 0; i < o->n_threads; i++) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += OFFLOAD_JOIN_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        all = pthread_timedjoin_np(o->threads[i], NULL, &until) == 0 && all;
    }
    return all;
}

void offload_free(struct offload *o)
{
    if (!o) {
        return;
    }
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
    if (o->readable) {
        event_free(o->readable);
    }
    if (!offload_join(o)) {
        return;
    }
    offload_drop_all(&o->queued);
    offload_drop_all(&o->ended);
    if (o->event_fd >= 0) {
        close(o->event_fd);
    }
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

void offload_add(struct offload *o, struct offload_job *job)
{
    job->forgotten = false;
    pthread_mutex_lock(&o->lock);
    TAILQ_INSERT_TAIL(&o->queued, job, link);
    if (o->n_idle == 0 && o->n_threads < LIMIT_CODE_THREADS) {
        offload_start_thread(o);
    }
    /* All of them: the job may be one that the first one to wake up cannot take. */
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

void offload_forget(struct offload *o, struct offload_job *job)
{
    struct offload_job *queued;

    pthread_mutex_lock(&o->lock);
    TAILQ_FOREACH(queued, &o->queued, link)
    {
        if (queued == job) {
            TAILQ_REMOVE(&o->queued, job, link);
            break;
        }
    }
    job->forgotten = true;
    pthread_mutex_unlock(&o->lock);
    if (queued) {
        job->drop(job);
    }
}
