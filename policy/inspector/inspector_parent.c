/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector from its parent's side: one process, a queue of jobs, and the waiters of each job.
 *
 * A job is one file of one share (inspector_queue.h). All requests for it within that share wait
 * for the same job. Once ready, the process works on a slice of one job at a time.
 */
#include "policy/inspector/inspector.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "policy/inspector/inspector_process.h"
#include "policy/inspector/inspector_wait.h"

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
    j->ima_count = inspector_kit_ima_count(&i->kit);
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
        const struct inspection *kept = inspector_cache_get(
            &i->cache, &j->question.id, j->question.path, inspector_kit_ima_count(&i->kit));

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
        inspector_process_kill(i, INSPECTION_CRASHED, "hung between questions");
        break;
    }
}

/* ---- requests ---- */

const struct inspection *inspector_look(struct inspector *i, const struct peer_exe *exe)
{
    return exe->fd < 0 ? NULL
                       : inspector_cache_get(&i->cache, &exe->id, exe->path,
                                             inspector_kit_ima_count(&i->kit));
}

/*
 * Returns the share's job for the executable; a new job is charged to the share. Returns NULL if
 * there is none, with the reason in the waiter.
 */
static struct inspector_job *inspector_waiter_job(struct inspector_waiter *w,
                                                  const struct peer_exe *exe, bool late)
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
static void inspector_waiter_begin(struct inspector_waiter *w, const struct peer_exe *exe,
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
    struct inspector_waiter *w = calloc(1, sizeof *w);

    if (!w) {
        return 0;
    }
    w->inspector = i;
    w->done = done;
    w->arg = arg;
    w->timer = evtimer_new(i->base, inspector_waiter_on_timer, w);
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
    struct inspector_waiter *w;

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
    i->run_out = evtimer_new(i->base, inspector_process_on_run_out, i);
    i->respawn = evtimer_new(i->base, inspector_process_on_respawn, i);
    i->kick = evtimer_new(i->base, inspector_on_kick, i);
    err = inspector_kit_init(&i->kit, s);
    if (!err) {
        err = i->run_out && i->respawn && i->kick ? inspector_process_start(i) : -ENOMEM;
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
    inspector_process_close(i);
    while (!TAILQ_EMPTY(&i->waiters)) {
        inspector_waiter_free(TAILQ_FIRST(&i->waiters));
    }
    inspector_queue_deinit(&i->queue);
    inspector_timer_free(i->run_out);
    inspector_timer_free(i->respawn);
    inspector_timer_free(i->kick);
    inspector_cache_clear(&i->cache);
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
