/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector from its parent's side: one process, a queue of jobs, and the waiters of each job.
 *
 * A job is one file of one share (inspector_queue.h). All requests for it within that share wait
 * for the same job. Once ready, the process works on a slice of one job at a time. If it does not
 * answer in time, or sends an invalid answer, only the current job ends; the same happens if two
 * processes die over it. Another process restarts the other jobs.
 *
 * A waiter is notified once, from the loop: by the end of its job or by its own timer.
 */
#define _GNU_SOURCE
#include "policy/inspector/inspector.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fdset.h"
#include "base/helper/heartbeat.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_child.h"
#include "policy/inspector/inspector_pace.h"
#include "policy/inspector/inspector_queue.h"

/* Milliseconds until a process must be ready: starting takes some ten on a busy machine. */
#define START_MS 2000

/* Milliseconds without a CPU that any process may have on a quiet machine; fewer do not count. */
#define WAITED_LEAST_MS 20u

struct waiter {
    TAILQ_ENTRY(waiter) link;
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

TAILQ_HEAD(waiters, waiter);

struct inspector {
    struct event_base *base;
    struct inspector_kit kit;
    struct inspector_cache cache;
    struct inspector_queue queue;
    struct inspector_job *current; /* the job in progress; may be NULL */
    struct waiters waiters;        /* all of them */
    unsigned n_waiting;
    uint64_t last_number;
    bool ready;
    bool untidy; /* the process may have files open that no longer have a slot */
    struct inspector_pace pace;
    enum inspection_outcome verdict; /* the outcome of the current job if the process dies */
    unsigned false_starts;           /* how often in a row a process died before it was ready */
    pid_t pid;                       /* -1 if not running */
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

static void inspector_add_timer(struct event *timer, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    /* Cannot fail: the event exists, and a timer needs no more memory. */
    (void)event_add(timer, &tv);
}

static void inspector_work(struct inspector *i);

/* Processes that may die at one job: the first may have been killed before it read its question. */
#define CRASHES 2u

/* More slices than a file has in two passes; an inspector that asks for more is lying. */
#define STEPS_MAX (2u * (unsigned)(INSPECTOR_FILE_MAX / INSPECTOR_SLICE) + 2u)

/* ---- waiters and jobs ---- */

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

static void inspector_waiter_free(struct waiter *w)
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

/*
 * Drops one waiter. A queued job without waiters is cancelled. A running one is finished for the
 * cache when there is nothing else to do: the next request may find the result there.
 */
static void inspector_job_unwanted(struct inspector *i, struct inspector_job *j)
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

static void inspector_notify(struct waiter *w, const struct inspection *r)
{
    inspector_done *done = w->done;
    void *arg = w->arg;

    /* Freed before the callback, which may make new requests or forget others. */
    inspector_waiter_free(w);
    done(r, arg);
}

static void inspector_on_waiter_timer(evutil_socket_t fd, short what, void *arg)
{
    struct waiter *w = arg;
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

/*
 * Ends a job with a result, or with an outcome alone if r is NULL. Each waiter is notified by an
 * event of its own: there may be hundreds.
 */
static void inspector_job_end(struct inspector *i, struct inspector_job *j,
                              const struct inspection *r, enum inspection_outcome outcome,
                              int error)
{
    struct waiter *w;

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

static void inspector_job_fail(struct inspector *i, struct inspector_job *j,
                               enum inspection_outcome outcome, int error)
{
    if (outcome == INSPECTION_TIMEOUT) {
        inspector_cache_put_slow(&i->cache, &j->question.id, (int64_t)clock_ms());
    }
    inspector_job_end(i, j, NULL, outcome, error);
}

/* Ends a job with the answer of the process: copied once, for the cache and all waiters. */
static void inspector_job_answered(struct inspector *i, struct inspector_job *j,
                                   const struct inspection *answer)
{
    const bool good = answer->outcome == INSPECTION_OK;
    const struct inspection *const r = good ? inspection_new(answer) : NULL;

    inspector_queue_answered(&i->queue, j);
    if (r) {
        inspector_cache_put(&i->cache, &j->question.id, j->question.path, r, clock_time_ns());
        inspector_job_end(i, j, r, INSPECTION_OK, 0);
    } else {
        inspector_job_end(i, j, NULL, good ? INSPECTION_NOBODY : answer->outcome,
                          good ? ENOMEM : answer->error);
    }
    inspection_release(r);
}

/* ---- the process ---- */

static void inspector_child_kill(struct inspector *i, enum inspection_outcome verdict,
                                 const char *why)
{
    log_warning("inspector pid=%ld %s; killed", (long)i->pid, why);
    i->verdict = verdict;
    i->killed = true;
    event_del(i->readable);
    evtimer_del(i->run_out);
    kill(i->pid, SIGKILL);
}

/* Called when the process has read a slice of the job's file. */
static void inspector_job_step(struct inspector *i, struct inspector_job *j, uint64_t left)
{
    i->current = NULL;
    evtimer_del(i->run_out);
    j->left = left;
    j->ms += inspector_pace_took(&i->pace, i->pid);
    if (j->ms > INSPECTOR_JOB_MS) {
        inspector_job_fail(i, j, INSPECTION_TIMEOUT, 0);
    }
}

static bool inspector_more_sound(const struct inspector_job *j, const struct inspector_msg *m)
{
    return m->u.left <= j->question.id.size && j->steps <= STEPS_MAX;
}

/* Handles one message. Returns false if there is none, or if it got the process killed. */
static bool inspector_child_read(struct inspector *i)
{
    static struct inspector_msg m;
    struct inspector_job *j = i->current;
    struct fdset fds;
    unsigned n_fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(i->channel_fd, &m, sizeof m, &fds, MSG_DONTWAIT | MSG_TRUNC);
    n_fds = fds.n;
    fdset_close(&fds);
    if (n == -EAGAIN) {
        return false;
    }
    if (n <= 0) {
        event_del(i->readable); /* the process is dying; its exit is handled next */
        return false;
    }
    if (n == sizeof m && n_fds == 0 && m.type == INSPECTOR_READY && !i->ready) {
        i->ready = true;
        i->false_starts = 0;
        evtimer_del(i->run_out);
    } else if (n == sizeof m && n_fds == 0 && m.type == INSPECTOR_PONG && i->pings > 0) {
        i->pings--;
    } else if (n == sizeof m && n_fds == 0 && m.type == INSPECTOR_MORE && j && m.job == j->number &&
               inspector_more_sound(j, &m)) {
        inspector_job_step(i, j, m.u.left);
    } else if (n == sizeof m && n_fds == 0 && m.type == INSPECTOR_ANSWER && j &&
               m.job == j->number && inspection_sound(&m.u.answer)) {
        inspector_job_answered(i, j, &m.u.answer);
    } else {
        inspector_child_kill(i, INSPECTION_UNSOUND, "sent an invalid message");
        return false;
    }
    heartbeat_heard(&i->beat);
    return true;
}

static void inspector_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;

    (void)fd;
    (void)what;
    if (inspector_child_read(i)) {
        inspector_work(i);
    }
}

static void inspector_on_run_out(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;
    const unsigned waited = inspector_pace_waited(&i->pace, i->pid);

    (void)fd;
    (void)what;
    /* Extends the time-out by the wait for a CPU. A process that hangs waits for none. */
    if (waited >= WAITED_LEAST_MS) {
        inspector_add_timer(i->run_out, waited);
        return;
    }
    inspector_child_kill(i, INSPECTION_TIMEOUT,
                         i->ready ? "took too long" : "did not start in time");
}

static void inspector_child_close(struct inspector *i)
{
    if (i->readable) {
        event_free(i->readable);
        i->readable = NULL;
    }
    if (i->died) {
        event_free(i->died);
        i->died = NULL;
    }
    sock_close(&i->channel_fd);
    sock_close(&i->pidfd);
    i->pid = -1;
    i->ready = false;
}

static void inspector_on_died(evutil_socket_t fd, short what, void *arg);

static int inspector_child_start(struct inspector *i)
{
    int err = inspector_start(&i->kit, &i->pid, &i->channel_fd, &i->pidfd);

    if (err) {
        return err;
    }
    i->verdict = INSPECTION_CRASHED;
    i->pings = 0;
    i->pace = (struct inspector_pace){.begun_ms = 0};
    i->killed = false;
    i->readable = event_new(i->base, i->channel_fd, EV_READ | EV_PERSIST, inspector_on_readable, i);
    i->died = event_new(i->base, i->pidfd, EV_READ, inspector_on_died, i);
    if (!i->readable || !i->died || event_add(i->readable, NULL) < 0 ||
        event_add(i->died, NULL) < 0) {
        kill(i->pid, SIGKILL);
        (void)waitpid(i->pid, NULL, 0);
        inspector_child_close(i);
        return -ENOMEM;
    }
    inspector_add_timer(i->run_out, START_MS);
    log_debug("inspector pid=%ld started", (long)i->pid);
    return 0;
}

static void inspector_respawn_later(struct inspector *i)
{
    inspector_add_timer(i->respawn, backoff_ms(i->false_starts++));
}

static void inspector_on_respawn(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;
    const int err = inspector_child_start(i);

    (void)fd;
    (void)what;
    if (err) {
        log_error("cannot start an inspector: %s", strerror(-err));
        inspector_respawn_later(i);
    }
}

static void inspector_on_died(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;
    enum inspection_outcome verdict;
    struct inspector_job *j;
    bool was_ready;
    int status = 0;

    (void)fd;
    (void)what;
    /* Its last answer counts, unless it was killed because of it. */
    while (i->verdict == INSPECTION_CRASHED && inspector_child_read(i)) {
    }
    (void)waitpid(i->pid, &status, 0);
    was_ready = i->ready;
    verdict = i->verdict;
    if (verdict == INSPECTION_CRASHED && (i->current || !was_ready)) {
        log_warning("inspector pid=%ld %s %d", (long)i->pid,
                    WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    evtimer_del(i->run_out);
    inspector_child_close(i);
    if (was_ready) {
        inspector_add_timer(i->respawn, 0);
    } else {
        inspector_respawn_later(i);
    }
    j = i->current;
    i->current = NULL;
    i->untidy = false;
    inspector_queue_restart(&i->queue);
    if (j && (verdict != INSPECTION_CRASHED || ++j->crashes == CRASHES || j->n_waiters == 0)) {
        inspector_job_fail(i, j, verdict, 0);
    }
}

/* ---- work ---- */

/* Requests the first or the next slice of a job. */
static void inspector_send_question(struct inspector *i, struct inspector_job *j)
{
    static struct inspector_msg m;
    const bool begins = j->slot < 0;
    struct fdset fds;
    ssize_t n;

    inspector_queue_turn(&i->queue, j);
    m.type = begins ? INSPECTOR_ASK : INSPECTOR_STEP;
    m.slot = (uint32_t)j->slot;
    m.slots = i->queue.slots;
    m.job = j->number;
    m.u.question = j->question;
    fdset_init(&fds);
    if (begins) {
        fds.fds[fds.n++] = j->exe_fd; /* borrowed for the call */
    }
    inspector_pace_begin(&i->pace, i->pid);
    n = sock_send(i->channel_fd, &m, sizeof m, &fds, MSG_DONTWAIT);
    i->current = j;
    j->steps++;
    if (n == sizeof m) {
        i->untidy = false;
        inspector_add_timer(i->run_out, INSPECTOR_RUN_MS);
    } else if (n == -ETOOMANYREFS || n == -EAGAIN) {
        inspector_job_fail(i, j, INSPECTION_NOBODY, (int)-n);
    }
    /* Any other error: the process is dying, and its exit ends the job. */
}

/* Makes an idle process close leftover files. If that fails, the next question will do so. */
static void inspector_send_tidy(struct inspector *i)
{
    static const struct inspector_msg m = {.type = INSPECTOR_TIDY};

    if (sock_send(i->channel_fd, &m, sizeof m, NULL, MSG_DONTWAIT) == sizeof m) {
        i->untidy = false;
    }
}

/* Processes the queue. Called only from the loop. */
static void inspector_work(struct inspector *i)
{
    struct inspector_job *j;

    while (!i->current && (j = inspector_queue_next(&i->queue))) {
        const struct inspection *kept =
            inspector_cache_get(&i->cache, &j->question.id, j->question.path);

        if (kept) {
            inspector_job_end(i, j, kept, INSPECTION_OK, 0);
        } else if (i->ready) {
            inspector_send_question(i, j);
        } else {
            break;
        }
    }
    if (!i->current && i->untidy && i->ready) {
        inspector_send_tidy(i);
    }
}

static void inspector_on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    inspector_work(arg);
}

void inspector_beat(struct inspector *i)
{
    static const struct inspector_msg ping = {.type = INSPECTOR_PING};
    struct heartbeat_sample sample;

    /* Separate time-outs apply during its start and while it works on a question. */
    if (!i || i->pid <= 0 || i->killed || !i->ready || i->current) {
        return;
    }
    heartbeat_look(i->pid, &sample);
    switch (heartbeat_beat(&i->beat, clock_ms(), &sample)) {
    case HEARTBEAT_ASK:
        /* If its channel is full, it is not reading: a missing PING makes no difference. */
        i->pings += sock_send(i->channel_fd, &ping, sizeof ping, NULL, MSG_DONTWAIT) > 0;
        break;
    case HEARTBEAT_WAIT:
        break;
    case HEARTBEAT_HUNG:
        inspector_child_kill(i, INSPECTION_CRASHED, "hung between questions");
        break;
    }
}

/* ---- requests ---- */

const struct inspection *inspector_look(struct inspector *i, const struct peer_exe *exe)
{
    return exe->fd < 0 ? NULL : inspector_cache_get(&i->cache, &exe->id, exe->path);
}

/*
 * Returns the share's job for the executable; a new job is charged to the share. Returns NULL if
 * there is none, with the reason in the waiter.
 */
static struct inspector_job *inspector_waiter_job(struct waiter *w, const struct peer_exe *exe,
                                                  bool late)
{
    struct inspector *i = w->inspector;
    struct inspector_job *j = inspector_queue_find(&i->queue, w->share, exe);

    if (j) {
        j->late = j->late && late;
        return j;
    }
    if (!inspector_queue_charge(w->share, exe->id.size)) {
        w->outcome = INSPECTION_CREDIT;
        return NULL;
    }
    j = inspector_queue_add(&i->queue, w->share, exe, &w->error);
    if (j) {
        j->number = ++i->last_number;
        j->late = late;
    }
    return j;
}

/* Assigns the waiter its job, or the reason why there is none. */
static void inspector_waiter_begin(struct waiter *w, const struct peer_exe *exe,
                                   const struct inspector_asker *who)
{
    struct inspector *i = w->inspector;
    struct inspector_share *share = inspector_queue_share(&i->queue, who, (int64_t)clock_ms());

    if (exe->fd < 0) {
        w->outcome = INSPECTION_NO_FILE;
    } else if (exe->id.size > INSPECTOR_FILE_MAX) {
        w->outcome = INSPECTION_TOO_BIG;
    } else if (inspector_cache_is_slow(&i->cache, &exe->id, (int64_t)clock_ms())) {
        w->outcome = INSPECTION_TIMEOUT;
    } else if (!share || share->n_waiting >= LIMIT_INSPECT_WAITING ||
               i->n_waiting >= INSPECTOR_WAITING) {
        w->outcome = INSPECTION_NOBODY;
        w->error = EAGAIN;
    } else {
        w->outcome = INSPECTION_NOBODY;
        w->share = share;
        w->job = inspector_waiter_job(w, exe, who->late);
        share->n_waiting++;
    }
}

uint64_t inspector_ask(struct inspector *i, const struct peer_exe *exe,
                       const struct inspector_asker *who, unsigned timeout_ms, inspector_done *done,
                       void *arg)
{
    struct waiter *w = calloc(1, sizeof *w);

    if (!w) {
        return 0;
    }
    w->inspector = i;
    w->done = done;
    w->arg = arg;
    w->timer = evtimer_new(i->base, inspector_on_waiter_timer, w);
    if (!w->timer) {
        free(w);
        return 0;
    }
    inspector_waiter_begin(w, exe, who);
    w->number = ++i->last_number;
    TAILQ_INSERT_TAIL(&i->waiters, w, link);
    i->n_waiting++;
    if (w->job) {
        w->job->n_waiters++;
        inspector_add_timer(i->kick, 0);
    }
    inspector_add_timer(w->timer, w->job ? timeout_ms : 0);
    return w->number;
}

void inspector_forget(struct inspector *i, uint64_t request)
{
    struct waiter *w;

    TAILQ_FOREACH(w, &i->waiters, link)
    {
        if (w->number == request) {
            inspector_job_unwanted(i, w->job);
            inspector_waiter_free(w);
            return;
        }
    }
}

/* ---- creation ---- */

int inspector_new(struct inspector **out, const struct inspector_settings *s)
{
    struct inspector *i = calloc(1, sizeof *i);
    int err;

    *out = NULL;
    if (!i) {
        return -ENOMEM;
    }
    i->base = s->base;
    i->pid = -1;
    i->pidfd = -1;
    i->channel_fd = -1;
    inspector_queue_init(&i->queue);
    TAILQ_INIT(&i->waiters);
    inspector_cache_init(&i->cache);
    i->run_out = evtimer_new(i->base, inspector_on_run_out, i);
    i->respawn = evtimer_new(i->base, inspector_on_respawn, i);
    i->kick = evtimer_new(i->base, inspector_on_kick, i);
    err = inspector_kit_init(&i->kit, s);
    if (!err) {
        err = i->run_out && i->respawn && i->kick ? inspector_child_start(i) : -ENOMEM;
    }
    if (err) {
        inspector_free(i);
        return err;
    }
    *out = i;
    return 0;
}

static void inspector_timer_free(struct event *timer)
{
    if (timer) {
        event_free(timer);
    }
}

void inspector_free(struct inspector *i)
{
    if (!i) {
        return;
    }
    if (i->pid > 0) {
        kill(i->pid, SIGKILL);
        (void)waitpid(i->pid, NULL, 0);
    }
    inspector_child_close(i);
    while (!TAILQ_EMPTY(&i->waiters)) {
        inspector_waiter_free(TAILQ_FIRST(&i->waiters));
    }
    inspector_queue_deinit(&i->queue);
    inspector_timer_free(i->run_out);
    inspector_timer_free(i->respawn);
    inspector_timer_free(i->kick);
    inspector_cache_deinit(&i->cache);
    inspector_kit_deinit(&i->kit);
    free(i);
}

pid_t inspector_pid(const struct inspector *i)
{
    return i->pid;
}

bool inspector_ready(const struct inspector *i)
{
    return i->ready;
}
