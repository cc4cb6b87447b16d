/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The real poemd in a folder of its own, between a listening backend and whoever connects.
 *
 *   rig_start    one route "r", one worker, and a warm-up session, after which poemd's fds and
 *                memory are the measure for all that follows
 *   rig_session  a client and a backend that have negotiated
 *   rig_settle   waits until poemd's fds and memory are back at the measure
 *   rig_stop     the same, then ends poemd and looks that nothing is left
 *
 * POEMD_WRAPPER (such as "valgrind --trace-children=yes") is put before poemd's command line.
 */
#ifndef POEMD_TESTS_DAEMON_RIG_H
#define POEMD_TESTS_DAEMON_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define RIG_WORKERS 8
#define RIG_PATH 96

/*
 * What poemd's memory may be above the measure once all sessions have ended, in KiB and for each
 * process: the queues that a worker's pool keeps for the next session, and the slack of a malloc
 * arena, which is one more queue of each direction.
 */
#define RIG_SLACK_KIB ((long)(8 * LIMIT_QUEUE / 1024))

struct process_passed;

struct rig {
    char listen[RIG_PATH];  /* route r's socket */
    char backend[RIG_PATH]; /* route r's backend's */
    char config[RIG_PATH];
    char log[RIG_PATH];
    int backend_fd; /* listens at backend */
    int log_fd;     /* reads poemd's log */
    int watch_fd;   /* inotify on it */
    off_t log_at;   /* read to here by rig_await_log */
    pid_t daemon;
    pid_t watcher; /* prints the log where the test fails */
    int well_fd;   /* tells it that the test has not failed */
    /* the measure */
    size_t workers;
    int monitor_fds;
    int worker_fds;
    long monitor_kib;
    long worker_kib;
};

/* A client and a backend, joined by poemd. */
struct pair {
    int client_fd;
    int backend_fd;
};

/* ---- whole rigs ---- */

/*
 * Route r with these further statements ("" for none), one worker. It recites to clients only where
 * they say so: what other suites exchange is compared to the byte. For the same reason it answers
 * in a backend's stead only then, however long this machine takes.
 */
void rig_start(struct rig *r, const char *route_statements);

/*
 * For rig_start: a "handshake-timeout" that a test waits out, but in which peers that are scheduled
 * late still do what the test has them do. Static storage.
 */
const char *rig_short_handshake(void);

/*
 * "user N" for the file's beginning, N being nobody's but this test's; empty if this is not root.
 * The kernel bounds fds in flight for each user, all processes together: a test that lowers a
 * worker's RLIMIT_NOFILE would otherwise fail by what other tests' workers have in flight. Static
 * storage.
 */
const char *rig_own_user(void);

/* Waits for the measure, ends poemd by SIGTERM, and checks that nothing is left. */
void rig_stop(struct rig *r);

/* ---- its steps, for tests that need them apart ---- */

/* Makes the paths in the test's folder, and listens at the backend's. */
void rig_init(struct rig *r);

/* Writes the configuration. */
void rig_configure(struct rig *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Starts poemd with the configuration and waits until it listens. */
void rig_launch(struct rig *r);

/* The same with fds that a service manager has kept. */
void rig_launch_passed(struct rig *r, const struct process_passed *passed);

/* rig_launch with these arguments instead; --ready-fd is added to them. */
void rig_launch_args(struct rig *r, const char *const args[]);

/* Runs one session on route r and takes the measure. workers: as configured. */
void rig_measure(struct rig *r, size_t workers);

/* Runs poemd with these arguments to its end beside the rig. Its wait status; it logs here. */
int rig_run(struct rig *r, const char *const args[]);

/* Ends poemd by SIGTERM; it must exit 0 and take its sockets with it. */
void rig_terminate(struct rig *r);

/* Closes our own fds; poemd has ended and been reaped. */
void rig_deinit(struct rig *r);

/* ---- looking at it ---- */

/* Waits until poemd has its workers, and its fds and memory are back at the measure. */
void rig_settle(struct rig *r);

/*
 * The pid of its monitor: the process that was started, r->daemon, is the keeper. Waits where one
 * has died and the next is not there yet.
 */
pid_t rig_monitor(const struct rig *r);

/* Kills keeper and monitor at once, without a word to either, and waits for both. */
void rig_kill(struct rig *r);

/* The pids of its workers. Returns how many; they are as many as configured once settled. */
size_t rig_workers(const struct rig *r, pid_t out[RIG_WORKERS]);

/* The pid of the only worker. */
pid_t rig_worker(const struct rig *r);

/*
 * Waits until this worker rests: what has arrived is then noted. Killed before, it may be in doubt
 * whether the last message was sent.
 */
void rig_await_rest(pid_t worker);

/*
 * Waits until the log says text in a line behind the last one awaited. The line, without its end,
 * goes to line (size bytes; may be NULL).
 */
void rig_await_log(struct rig *r, const char *text, char *line, size_t size);

/* Whether poemd runs under a wrapper. */
bool rig_wrapped(void);

/* Whether memory and fd limits mean anything here: not under a sanitizer or a wrapper. */
bool rig_measurable(void);

/* ---- sessions ---- */

/* Connects, and exchanges VERSION with these JSONs (NULL: none) on route r. */
void rig_session(struct rig *r, const char *request, const char *reply, struct pair *p);

/* The same with a client and a listening backend of the caller's choice. */
void rig_session_at(const char *listen, int backend_fd, const char *request, const char *reply,
                    struct pair *p);

/* Closes both sides. */
void pair_close(struct pair *p);

/* Passes one small command to the backend and its reply back: the session lives. */
void pair_ping(const struct pair *p);

/* Both sides see the end; then closes them. */
void pair_expect_end(struct pair *p);

/* ---- the suite ---- */

/* A test case of the suite, with a time limit that only a test which hangs can reach. */
TCase *rig_case(Suite *suite, const char *name);

/*
 * The tag of cases that "tests/run valgrind" runs, which starts poemd's processes for each test in
 * seven seconds of a processor: one of each kind of what they read and write.
 */
#define RIG_VALGRIND "valgrind"

#endif
