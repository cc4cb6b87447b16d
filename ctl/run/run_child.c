/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts processes and waits for them. */
#define _GNU_SOURCE
#include "ctl/run/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a process has to end by itself, and how often that is looked at. */
#define RUN_END_MS 2000
#define RUN_LOOK_MS 20

/* The exit status of a program that cannot be executed, as in a shell. */
#define RUN_CANNOT_EXECUTE 127

static volatile sig_atomic_t forward_to;

static void run_child_on_signal(int number)
{
    if (forward_to > 0) {
        kill((pid_t)forward_to, number);
    }
}

void run_child_forward_signals(pid_t pid)
{
    const struct sigaction forward = {.sa_handler = run_child_on_signal, .sa_flags = SA_RESTART};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    forward_to = (sig_atomic_t)pid;
    sigaction(SIGTERM, &forward, NULL);
    sigaction(SIGHUP, &forward, NULL);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGQUIT, &ignore, NULL);
}

/* In the new process: never returns. */
static void run_child_become(char *const *argv, bool background, int keep_fd, pid_t parent)
{
    if (background) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    if (keep_fd >= 0) {
        fcntl(keep_fd, F_SETFD, 0);
    }
    if (background && getppid() != parent) {
        _exit(RUN_CANNOT_EXECUTE);
    }
    execvp(argv[0], argv);
    fprintf(stderr, "poemctl: run: %s: %s\n", argv[0], strerror(errno));
    _exit(RUN_CANNOT_EXECUTE);
}

pid_t run_child_start(char *const *argv, bool background, int keep_fd)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        run_child_become(argv, background, keep_fd, parent);
    }
    return pid;
}

int run_child_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return status;
}

int run_child_wait_for(pid_t pid, unsigned ms)
{
    const struct timespec look = {.tv_nsec = RUN_LOOK_MS * 1000000L};
    int status;

    for (unsigned waited = 0; waited < ms; waited += RUN_LOOK_MS) {
        const pid_t r = waitpid(pid, &status, WNOHANG);

        if (r == pid) {
            return status;
        }
        if (r < 0 && errno != EINTR) {
            return -errno;
        }
        nanosleep(&look, NULL);
    }
    return -ETIMEDOUT;
}

int run_child_end(pid_t pid)
{
    const int status = run_child_wait_for(pid, RUN_END_MS);

    if (status != -ETIMEDOUT) {
        return status;
    }
    kill(pid, SIGTERM);
    return run_child_wait(pid);
}

int run_child_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
