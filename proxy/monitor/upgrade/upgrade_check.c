/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A child of this process's own, with a pipe for all that it prints. */
#define _GNU_SOURCE
#include "proxy/monitor/upgrade/upgrade_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"

struct upgrade_check {
    pid_t pid; /* 0: collected */
    int output_fd;
    struct event *readable;
    struct event *timer;
    bool late;
    upgrade_check_fn *fn;
    void *arg;
    size_t n;
    char output[UPGRADE_CHECK_OUTPUT];
};

/* ---- the program ---- */

static void __attribute__((noreturn))
upgrade_check_execute(int program_fd, int output_fd, char *const words[])
{
    static char name[] = "poemd";
    static char arg[] = UPGRADE_CHECK_ARG;
    static char state[] = UPGRADE_STATE;
    static char check[] = "--check";
    char *fixed[] = {name, arg, state, check};
    const size_t n_fixed = sizeof fixed / sizeof *fixed;
    sigset_t none;
    size_t n = 0;

    while (words[n]) {
        n++;
    }
    {
        char **const argv = calloc(n_fixed + n + 1, sizeof *argv);
        const int null_fd = open("/dev/null", O_RDONLY);

        program_fd = fcntl(program_fd, F_DUPFD_CLOEXEC, 3);
        output_fd = fcntl(output_fd, F_DUPFD_CLOEXEC, 3);
        if (!argv || null_fd < 0 || program_fd < 0 || output_fd < 0 || dup2(null_fd, 0) < 0 ||
            dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 ||
            prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
            _exit(127);
        }
        memcpy(argv, fixed, sizeof fixed);
        memcpy(argv + n_fixed, words, n * sizeof *argv);
        (void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        fexecve(program_fd, argv, environ);
    }
    _exit(127);
}

/* ---- its end ---- */

/* Lines remain; all else that is not printable becomes a question mark. */
static void upgrade_check_clean(char *text)
{
    for (; *text; text++) {
        if (*text != '\n' && (*text < ' ' || *text > '~')) {
            *text = '?';
        }
    }
}

static void upgrade_check_over(struct upgrade_check *c)
{
    int status = 0;
    bool good;

    if (waitpid(c->pid, &status, 0) < 0) {
        status = -1;
    }
    c->pid = 0;
    good = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !c->late;
    c->output[c->n] = '\0';
    upgrade_check_clean(c->output);
    if (c->late || !WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        snprintf(c->output + c->n, sizeof c->output - c->n, "%s\n",
                 c->late             ? "the program did not answer in time"
                 : WIFEXITED(status) ? "the program cannot be executed"
                                     : "the program was killed by a signal");
    }
    event_del(c->readable);
    event_del(c->timer);
    sock_close(&c->output_fd);
    c->fn(c->arg, good, c->output);
}

static void upgrade_check_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct upgrade_check *const c = arg;
    char dropped[256];
    /* Room is left for a line of ours. */
    const size_t room = sizeof c->output - 64 - c->n;
    const ssize_t n =
        room > 0 ? read(fd, c->output + c->n, room) : read(fd, dropped, sizeof dropped);

    (void)what;
    if (n > 0) {
        c->n += room > 0 ? (size_t)n : 0;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        upgrade_check_over(c);
    }
}

static void upgrade_check_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct upgrade_check *const c = arg;

    (void)fd;
    (void)what;
    c->late = true;
    kill(c->pid, SIGKILL);
    upgrade_check_over(c);
}

/* ---- beginning ---- */

static int upgrade_check_fork(struct upgrade_check *c, int program_fd, char *const words[])
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    c->output_fd = pair[0];
    (void)fcntl(pair[1], F_SETFL, 0);
    c->pid = fork();
    if (c->pid == 0) {
        upgrade_check_execute(program_fd, pair[1], words);
    }
    close(pair[1]);
    return c->pid < 0 ? -errno : 0;
}

struct upgrade_check *upgrade_check_new(struct event_base *base, int program_fd,
                                        char *const words[], upgrade_check_fn *fn, void *arg)
{
    const struct timeval limit = clock_timeval(LIMIT_UPGRADE_READY_MS);
    struct upgrade_check *const c = calloc(1, sizeof *c);
    int err;

    if (!c) {
        return NULL;
    }
    c->output_fd = -1;
    c->fn = fn;
    c->arg = arg;
    err = upgrade_check_fork(c, program_fd, words);
    if (!err) {
        c->readable =
            event_new(base, c->output_fd, EV_READ | EV_PERSIST, upgrade_check_on_readable, c);
        c->timer = evtimer_new(base, upgrade_check_on_time, c);
        err = c->readable && c->timer && event_add(c->readable, NULL) == 0 ? 0 : -ENOMEM;
    }
    if (err) {
        upgrade_check_free(c);
        errno = -err;
        return NULL;
    }
    event_add(c->timer, &limit);
    return c;
}

void upgrade_check_free(struct upgrade_check *c)
{
    if (!c) {
        return;
    }
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
    }
    if (c->readable) {
        event_free(c->readable);
    }
    if (c->timer) {
        event_free(c->timer);
    }
    sock_close(&c->output_fd);
    free(c);
}
