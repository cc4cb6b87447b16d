/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Real processes under test: starting, waiting, and what /proc says of them.
 *
 * Whatever a test starts dies with the test's own process, also where that is killed. Failures of
 * our own system calls fail the test.
 */
#ifndef POEMD_TESTS_SUPPORT_PROCESS_H
#define POEMD_TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * Runs argv[0], looked for in PATH, with these arguments, standard output and error going to log_fd
 * (borrowed). keep_fd stays open in it under its own number, -1 for none; every other fd is closed.
 * Returns the pid.
 */
pid_t process_start(const char *const argv[], int log_fd, int keep_fd);

/* What a service manager passes: these fds from 3 on (sd_listen_fds(3)), names between colons. */
struct process_passed {
    const int *fds;
    unsigned n;
    const char *names;
};

/* The same as process_start with fds passed. keep_fd is above their numbers. */
pid_t process_start_passed(const char *const argv[], int log_fd, int keep_fd,
                           const struct process_passed *passed);

/* Runs fn(arg) in a child of its own, which exits 0 after it. Returns the pid. */
pid_t process_fork(void (*fn)(void *arg), void *arg);

/* Waits for the child's end and reaps it. Its status as of waitpid; fails where it does not end. */
int process_wait(pid_t pid);

/* Whether the process is gone, or only waits to be reaped. */
bool process_gone(pid_t pid);

/* The pids of its children, at most room of them. Returns how many there are. */
size_t process_children(pid_t pid, pid_t *out, size_t room);

/* The value of a line of /proc/PID/status ("Seccomp"), to out (size bytes). False: there is none.
 */
bool process_status(pid_t pid, const char *name, char *out, size_t size);

/* Its real user id; (uid_t)-1 if it is gone. */
uid_t process_uid(pid_t pid);

/* The memory that is its own, not a file's and not shared, in KiB (RssAnon); 0 where it is gone. */
long process_anon_kib(pid_t pid);

/* Sets its soft limit of open fds (RLIMIT_NOFILE). Returns what it was. */
rlim_t process_limit_fds(pid_t pid, rlim_t soft);

#endif
