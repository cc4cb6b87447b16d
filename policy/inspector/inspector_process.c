/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The process of an inspector: its start, its messages, its end. If it does not answer in time, or
 * sends an invalid answer, only the current job ends; the same happens if two processes die over
 * it. Another process restarts the other jobs.
 */
#include "policy/inspector/inspector_process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/backoff.h"
#include "base/fdset.h"
#include "base/log.h"
#include "base/sock.h"
#include "policy/inspector/inspector_index.h"
#include "policy/inspector/inspector_wait.h"

/* Milliseconds until a process must be ready: starting takes some ten on a busy machine. */
#define START_MS 2000

/* Milliseconds without a CPU that any process may have on a quiet machine; fewer do not count. */
#define WAITED_LEAST_MS 20u

/* Processes that may die at one job: the first may have been killed before it read its question. */
#define CRASHES 2u

/* Most slices of a file in two passes and of dpkg's lists: an inspector that takes more fails. */
#define FILE_SLICES ((unsigned)(INSPECTOR_FILE_MAX / INSPECTOR_SLICE) + 1u)
#define STEPS_MAX (2u * FILE_SLICES + INSPECTOR_INDEX_STEPS)

void inspector_process_kill(struct inspector *i, enum inspection_outcome verdict, const char *why)
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
static bool inspector_process_read(struct inspector *i)
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
        inspector_process_kill(i, INSPECTION_UNSOUND, "sent an invalid message");
        return false;
    }
    heartbeat_heard(&i->beat);
    return true;
}

static void inspector_process_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;

    (void)fd;
    (void)what;
    if (inspector_process_read(i)) {
        event_active(i->kick, EV_TIMEOUT, 0);
    }
}

void inspector_process_on_run_out(evutil_socket_t fd, short what, void *arg)
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
    inspector_process_kill(i, INSPECTION_TIMEOUT,
                           i->ready ? "took too long" : "did not start in time");
}

void inspector_process_close(struct inspector *i)
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

static void inspector_process_on_died(evutil_socket_t fd, short what, void *arg);

int inspector_process_start(struct inspector *i)
{
    int err = inspector_start(&i->kit, &i->pid, &i->channel_fd, &i->pidfd);

    if (err) {
        return err;
    }
    i->verdict = INSPECTION_CRASHED;
    i->pings = 0;
    i->pace = (struct inspector_pace){.begun_ms = 0};
    i->killed = false;
    i->readable =
        event_new(i->base, i->channel_fd, EV_READ | EV_PERSIST, inspector_process_on_readable, i);
    i->died = event_new(i->base, i->pidfd, EV_READ, inspector_process_on_died, i);
    if (!i->readable || !i->died || event_add(i->readable, NULL) < 0 ||
        event_add(i->died, NULL) < 0) {
        kill(i->pid, SIGKILL);
        (void)waitpid(i->pid, NULL, 0);
        inspector_process_close(i);
        return -ENOMEM;
    }
    inspector_add_timer(i->run_out, START_MS);
    log_debug("inspector pid=%ld started", (long)i->pid);
    return 0;
}

static void inspector_process_respawn_later(struct inspector *i)
{
    inspector_add_timer(i->respawn, backoff_ms(i->false_starts++));
}

void inspector_process_on_respawn(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;
    const int err = inspector_process_start(i);

    (void)fd;
    (void)what;
    if (err) {
        log_error("cannot start an inspector: %s", strerror(-err));
        inspector_process_respawn_later(i);
    }
}

static void inspector_process_on_died(evutil_socket_t fd, short what, void *arg)
{
    struct inspector *i = arg;
    enum inspection_outcome verdict;
    struct inspector_job *j;
    bool was_ready;
    int status = 0;

    (void)fd;
    (void)what;
    /* Its last answer counts, unless it was killed because of it. */
    while (i->verdict == INSPECTION_CRASHED && inspector_process_read(i)) {
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
    inspector_process_close(i);
    if (was_ready) {
        inspector_add_timer(i->respawn, 0);
    } else {
        inspector_process_respawn_later(i);
    }
    j = i->current;
    i->current = NULL;
    i->untidy = false;
    inspector_queue_restart(&i->queue);
    if (j && (verdict != INSPECTION_CRASHED || ++j->crashes == CRASHES || j->n_waiters == 0)) {
        inspector_job_fail(i, j, verdict, 0);
    }
}
