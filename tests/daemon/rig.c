/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemd under test. When a test fails, poemd dies with it and its log is printed.
 */
#define _GNU_SOURCE
#include "tests/daemon/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/fdcount.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define LOG_MAX 262144
#define ARGS_MAX 24

bool rig_wrapped(void)
{
    const char *const wrapper = getenv("POEMD_WRAPPER");

    return wrapper && *wrapper;
}

bool rig_measurable(void)
{
#ifdef POEMD_SANITIZED
    return false;
#else
    return !rig_wrapped();
#endif
}

/* ---- the log ---- */

/* All of the log from at on; the caller frees it. */
static char *read_log(const struct rig *r, off_t at)
{
    char *const text = malloc(LOG_MAX + 1);
    size_t n = 0;
    ssize_t got = 1;

    ck_assert_ptr_nonnull(text);
    while (n < LOG_MAX && got > 0) {
        got = pread(r->log_fd, text + n, LOG_MAX - n, at + (off_t)n);
        n += got > 0 ? (size_t)got : 0;
    }
    text[n] = '\0';
    return text;
}

/*
 * The process that prints the log where the test fails: Check ends a failed test's process at once,
 * so this must be another. It has no fd but the log and the pipe that ends with the test; a byte in
 * that says that all went well.
 */
static void watch_test(int log_fd, int pipe_fd)
{
    char text[4096];
    ssize_t n;

    setpgid(0, 0);
    if (dup2(log_fd, 3) < 0 || dup2(pipe_fd, 4) < 0 || close_range(5, ~0u, 0) < 0) {
        _exit(1);
    }
    if (read(4, text, 1) == 0) {
        dprintf(2, "---- the log of poemd in the failed test:\n");
        for (off_t at = 0; (n = pread(3, text, sizeof text, at)) > 0; at += n) {
            (void)!write(2, text, (size_t)n);
        }
        dprintf(2, "----\n");
    }
    _exit(0);
}

static void begin_watch(struct rig *r)
{
    int pair[2];

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    /* Neither may stand where the other must go. */
    ck_assert_int_gt(pair[0], 3);
    r->watcher = fork();
    ck_assert_int_ge(r->watcher, 0);
    if (r->watcher == 0) {
        watch_test(r->log_fd, pair[0]);
    }
    close(pair[0]);
    r->well_fd = pair[1];
}

static void end_watch(struct rig *r)
{
    ck_assert_int_eq(write(r->well_fd, "\n", 1), 1);
    sock_close(&r->well_fd);
    (void)process_wait(r->watcher);
}

void rig_await_rest(pid_t worker)
{
    const struct patience patience = patience_begin();
    char state[32] = "";

    while (!process_status(worker, "State", state, sizeof state) || state[0] != 'S') {
        ck_assert_msg(patience_again(&patience), "worker %ld never rests", (long)worker);
    }
}

void rig_await_log(struct rig *r, const char *text, char *line, size_t size)
{
    const struct patience patience = patience_begin();
    struct pollfd p = {.fd = r->watch_fd, .events = POLLIN};
    char events[4096];

    for (;;) {
        char *const log = read_log(r, r->log_at);
        char *const at = strstr(log, text);
        char *const end = at ? strchr(at, '\n') : NULL;

        if (end) {
            const char *start = at;

            while (start > log && start[-1] != '\n') {
                start--;
            }
            *end = '\0';
            if (line) {
                snprintf(line, size, "%s", start);
            }
            r->log_at += end + 1 - log;
            free(log);
            return;
        }
        free(log);
        ck_assert_msg(poll(&p, 1, patience_left(&patience)) == 1, "the log never says \"%s\"",
                      text);
        (void)!read(r->watch_fd, events, sizeof events);
    }
}

/* ---- starting ---- */

static void path_of(char *out, const char *name)
{
    const int n = snprintf(out, RIG_PATH, "%s", unit_path(name));

    ck_assert(n > 0 && n < RIG_PATH);
}

void rig_init(struct rig *r)
{
    *r = (struct rig){.backend_fd = -1, .log_fd = -1, .watch_fd = -1, .well_fd = -1};
    path_of(r->listen, "r.sock");
    path_of(r->backend, "backend.sock");
    path_of(r->config, "poemd.conf");
    path_of(r->log, "log");
    r->log_fd = open(r->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(r->log_fd, 0);
    begin_watch(r);
    r->watch_fd = inotify_init1(IN_CLOEXEC);
    ck_assert_int_ge(r->watch_fd, 0);
    ck_assert_int_ge(inotify_add_watch(r->watch_fd, r->log, IN_MODIFY), 0);
    r->backend_fd = peer_listen(r->backend, 128);
}

/*
 * The handshake's time where sanitizers and wrappers let a worker start in more of it than a client
 * of QEMU's has: whoever has to wait for the next worker is to be answered there, too.
 */
#define RIG_LONG_HANDSHAKE "handshake-timeout 1m\n"

/*
 * For every route, unless the test has its own for one: on a busy machine a message may wait for as
 * long as the default, and is not to be answered in the device's stead.
 */
#define RIG_LATE_ANSWER "answer-after 60m\n"

/* Writes the text, and RIG_LATE_ANSWER at the beginning of each route. */
static void rig_write_routes(FILE *f, const char *text)
{
    while (*text) {
        const char *const line = text + strspn(text, " ");
        const size_t n = strcspn(line, "\n");

        text = line + n + (line[n] == '\n');
        fprintf(f, "%.*s\n", (int)n, line);
        if (strncmp(line, "route ", 6) == 0 && line[n - 1] == '{') {
            fputs(RIG_LATE_ANSWER, f);
        }
    }
}

void rig_configure(struct rig *r, const char *fmt, ...)
{
    FILE *const f = fopen(r->config, "we");
    char *text = NULL;
    va_list args;

    ck_assert_ptr_nonnull(f);
    va_start(args, fmt);
    ck_assert_int_ge(vasprintf(&text, fmt, args), 0);
    va_end(args);
    if (strstr(text, "answer-after")) {
        fprintf(f, "%s\n", text);
    } else {
        rig_write_routes(f, text);
    }
    /* Not where the test has its own for all routes. */
    fputs(rig_measurable() || strstr(text, "\nhandshake-timeout") ? "" : RIG_LONG_HANDSHAKE, f);
    free(text);
    ck_assert_int_eq(fclose(f), 0);
}

/* Builds poemd's command line: the wrapper's words, poemd, args. words is the wrapper's storage. */
static void command_line(const char *argv[ARGS_MAX], char *words, size_t size,
                         const char *const args[])
{
    const char *const wrapper = getenv("POEMD_WRAPPER");
    const char *const poemd = getenv("POEMD");
    char *save = NULL;
    size_t n = 0;

    snprintf(words, size, "%s", wrapper ? wrapper : "");
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        ck_assert_uint_lt(n, ARGS_MAX / 2);
        argv[n++] = w;
    }
    argv[n++] = poemd ? poemd : POEMD_PATH;
    while (*args) {
        ck_assert_uint_lt(n, ARGS_MAX - 1);
        argv[n++] = *args++;
    }
    argv[n] = NULL;
}

/* Above the numbers of fds that are passed. */
#define RIG_READY_FD 64

static void rig_launch_with(struct rig *r, const char *const args[],
                            const struct process_passed *passed)
{
    const char *argv[ARGS_MAX];
    const char *all[ARGS_MAX];
    char words[512];
    char number[16];
    size_t n = 0;
    int ready[2];
    int its_fd;
    struct pollfd p = {.events = POLLIN};
    char byte = 0;

    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    its_fd = fcntl(ready[1], F_DUPFD_CLOEXEC, RIG_READY_FD);
    ck_assert_int_ge(its_fd, RIG_READY_FD);
    close(ready[1]);
    snprintf(number, sizeof number, "%d", its_fd);
    while (args[n]) {
        ck_assert_uint_lt(n, ARGS_MAX - 3);
        all[n] = args[n];
        n++;
    }
    all[n++] = "--ready-fd";
    all[n++] = number;
    all[n] = NULL;
    command_line(argv, words, sizeof words, all);
    r->daemon = process_start_passed(argv, r->log_fd, its_fd, passed);
    close(its_fd);
    p.fd = ready[0];
    ck_assert_msg(poll(&p, 1, patience_ms()) == 1 && read(ready[0], &byte, 1) == 1,
                  "poemd does not become ready");
    ck_assert_int_eq(byte, '\n');
    close(ready[0]);
}

void rig_launch_args(struct rig *r, const char *const args[])
{
    rig_launch_with(r, args, NULL);
}

void rig_launch_passed(struct rig *r, const struct process_passed *passed)
{
    rig_launch_with(r, (const char *const[]){"--config", r->config, NULL}, passed);
}

void rig_launch(struct rig *r)
{
    rig_launch_passed(r, NULL);
}

int rig_run(struct rig *r, const char *const args[])
{
    const char *argv[ARGS_MAX];
    char words[512];

    command_line(argv, words, sizeof words, args);
    return process_wait(process_start(argv, r->log_fd, -1));
}

const char *rig_short_handshake(void)
{
    /* Of at most four seconds. */
    return rig_measurable() ? "    handshake-timeout 2s" : "    handshake-timeout 4s";
}

const char *rig_own_user(void)
{
    static char text[32];

    if (geteuid() != 0) {
        return "";
    }
    /* Numbers that no account has, few enough for a user namespace of 65,536. */
    snprintf(text, sizeof text, "user %d", 61184 + (int)getpid() % 4096);
    return text;
}

static void rig_measure_at(struct rig *r, const char *listen, size_t workers);

void rig_start(struct rig *r, const char *route_statements)
{
    const char *warm_up;
    char path[RIG_PATH];

    rig_init(r);
    path_of(path, "warm-up.sock");
    /* The warm-up is no test of how fast this machine is: it has a route without such a bound. */
    warm_up = strstr(route_statements, "handshake-timeout") ? path : r->listen;
    rig_configure(r,
                  "workers 1\n%s\nroute r {\n    listen %s\n    backend %s\n%s\n%s\n}\n"
                  "route warm-up {\n    listen %s\n    backend %s\n}\n",
                  rig_own_user(), r->listen, r->backend,
                  strstr(route_statements, "recite") ? "" : "recite to client never",
                  route_statements, path, r->backend);
    rig_launch(r);
    rig_measure_at(r, warm_up, 1);
}

/* ---- what it holds ---- */

pid_t rig_monitor(const struct rig *r)
{
    const struct patience patience = patience_begin();
    pid_t pids[RIG_WORKERS];

    do {
        const size_t n = process_children(r->daemon, pids, RIG_WORKERS);

        for (size_t i = 0; i < n && i < RIG_WORKERS; i++) {
            char name[32];

            if (process_status(pids[i], "Name", name, sizeof name) &&
                strcmp(name, "poemd-monitor") == 0) {
                return pids[i];
            }
        }
    } while (patience_again(&patience));
    ck_abort_msg("there is no monitor");
}

size_t rig_workers(const struct rig *r, pid_t out[RIG_WORKERS])
{
    const pid_t monitor = rig_monitor(r);
    pid_t pids[RIG_WORKERS + 1];
    const size_t all = process_children(r->daemon, pids, RIG_WORKERS + 1);
    size_t n = 0;

    ck_assert_uint_le(all, RIG_WORKERS + 1);
    for (size_t i = 0; i < all; i++) {
        if (pids[i] != monitor) {
            ck_assert_uint_lt(n, RIG_WORKERS);
            out[n++] = pids[i];
        }
    }
    /* The inspector. */
    n += process_children(monitor, out + n, RIG_WORKERS - n);
    ck_assert_uint_le(n, RIG_WORKERS);
    return n;
}

pid_t rig_worker(const struct rig *r)
{
    pid_t pids[RIG_WORKERS];

    ck_assert_uint_eq(rig_workers(r, pids), 1);
    return pids[0];
}

/* The most that any of the workers has. */
static void look(const struct rig *r, size_t *workers, int *fds, long *kib)
{
    pid_t pids[RIG_WORKERS];

    *fds = 0;
    *kib = 0;
    *workers = rig_workers(r, pids);
    for (size_t i = 0; i < *workers; i++) {
        const int n = fdcount_of(pids[i]);
        const long k = process_anon_kib(pids[i]);

        *fds = n > *fds ? n : *fds;
        *kib = k > *kib ? k : *kib;
    }
}

/*
 * A session has been through, so poemd and its worker are whole. Their fds may still be on the way
 * down, so the measure is what stays for a while. Should it be taken a moment too early, it is too
 * high, and never too low: no test fails by it.
 */
#define STEADY_LOOKS 20

/* The same on the route that listens there. */
static void rig_measure_at(struct rig *r, const char *listen, size_t workers)
{
    const struct patience patience = patience_begin();
    struct pair p;
    unsigned steady = 0;

    rig_session_at(listen, r->backend_fd, peer_qemu_json, "{}", &p);
    pair_close(&p);
    rig_await_log(r, " ended: ", NULL, 0);
    while (steady < STEADY_LOOKS) {
        size_t n;
        int fds;
        long kib;
        const int monitor_fds = fdcount_of(rig_monitor(r));

        look(r, &n, &fds, &kib);
        steady =
            n == workers && fds == r->worker_fds && monitor_fds == r->monitor_fds ? steady + 1 : 0;
        r->workers = n;
        r->worker_fds = fds;
        r->monitor_fds = monitor_fds;
        r->worker_kib = kib;
        ck_assert_msg(patience_again(&patience), "poemd does not come to rest");
    }
    r->monitor_kib = process_anon_kib(rig_monitor(r));
}

void rig_measure(struct rig *r, size_t workers)
{
    rig_measure_at(r, r->listen, workers);
}

/* Waits in which memory is above the measure, too: it may be given back behind the fds. */
static bool is_settled(const struct rig *r, size_t workers, int fds, int monitor_fds, long kib,
                       long monitor_kib)
{
    return workers == r->workers && fds <= r->worker_fds && monitor_fds <= r->monitor_fds &&
           (!rig_measurable() || (kib <= r->worker_kib + RIG_SLACK_KIB &&
                                  monitor_kib <= r->monitor_kib + RIG_SLACK_KIB));
}

void rig_settle(struct rig *r)
{
    const struct patience patience = patience_begin();
    size_t workers = 0;
    int fds = 0;
    int monitor_fds = 0;
    long kib = 0;
    long monitor_kib = 0;

    do {
        look(r, &workers, &fds, &kib);
        monitor_fds = fdcount_of(rig_monitor(r));
        monitor_kib = process_anon_kib(rig_monitor(r));
        if (is_settled(r, workers, fds, monitor_fds, kib, monitor_kib)) {
            return;
        }
    } while (patience_again(&patience));
    ck_assert_uint_eq(workers, r->workers);
    ck_assert_msg(fds <= r->worker_fds, "a worker has %d fds, not %d", fds, r->worker_fds);
    ck_assert_msg(monitor_fds <= r->monitor_fds, "the monitor has %d fds, not %d", monitor_fds,
                  r->monitor_fds);
    ck_abort_msg("a worker has %ld KiB, began with %ld; the monitor %ld, began with %ld", kib,
                 r->worker_kib, monitor_kib, r->monitor_kib);
}

/* ---- the end ---- */

void rig_terminate(struct rig *r)
{
    int status;

    ck_assert_int_eq(kill(r->daemon, SIGTERM), 0);
    status = process_wait(r->daemon);
    r->daemon = 0;
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "poemd ends with status %x",
                  status);
    ck_assert_msg(access(r->listen, F_OK) < 0 && errno == ENOENT, "%s is left", r->listen);
}

void rig_kill(struct rig *r)
{
    const struct patience patience = patience_begin();
    const pid_t monitor = rig_monitor(r);

    /* Neither sees the other's end. */
    ck_assert_int_eq(kill(r->daemon, SIGSTOP), 0);
    ck_assert_int_eq(kill(monitor, SIGKILL), 0);
    ck_assert_int_eq(kill(r->daemon, SIGKILL), 0);
    ck_assert_int_eq(process_wait(r->daemon), SIGKILL);
    r->daemon = 0;
    while (!process_gone(monitor)) {
        ck_assert_msg(patience_again(&patience), "monitor %ld stays", (long)monitor);
    }
}

/*
 * Sanitizers and valgrind write what they find into the log of poemd, a worker's as well, whose
 * exit status nobody sees.
 */
static void expect_no_findings(const struct rig *r)
{
    static const char *const marks[] = {"\n==", "Sanitizer", "runtime error:", "Assertion"};
    char *const log = read_log(r, 0);

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        ck_assert_msg(!strstr(log, marks[i]), "the log has findings");
    }
    free(log);
}

void rig_deinit(struct rig *r)
{
    expect_no_findings(r);
    sock_close(&r->backend_fd);
    sock_close(&r->watch_fd);
    sock_close(&r->log_fd);
    end_watch(r);
}

void rig_stop(struct rig *r)
{
    rig_settle(r);
    rig_terminate(r);
    rig_deinit(r);
}

/* ---- sessions ---- */

void rig_session_at(const char *listen, int backend_fd, const char *request, const char *reply,
                    struct pair *p)
{
    struct message m;

    p->client_fd = peer_connect(listen);
    peer_send_version(p->client_fd, 7, WIRE_TYPE_COMMAND, request, NULL);
    p->backend_fd = peer_accept(backend_fd);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_VERSION);
    peer_send_version(p->backend_fd, m.hdr.id, WIRE_TYPE_REPLY, reply, NULL);
    message_deinit(&m);
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 7);
    ck_assert_uint_eq(m.hdr.command, WIRE_VERSION);
    ck_assert_msg(m.hdr.flags == WIRE_TYPE_REPLY, "VERSION is refused: %s",
                  strerror((int)m.hdr.error));
    message_deinit(&m);
}

void rig_session(struct rig *r, const char *request, const char *reply, struct pair *p)
{
    rig_session_at(r->listen, r->backend_fd, request, reply, p);
}

void pair_close(struct pair *p)
{
    sock_close(&p->client_fd);
    sock_close(&p->backend_fd);
}

void pair_ping(const struct pair *p)
{
    const struct wire_device_info info = {.argsz = sizeof info, .num_regions = 9, .num_irqs = 5};
    struct message m;

    peer_send(p->client_fd, (struct wire_hdr){.id = 99, .command = WIRE_DEVICE_GET_INFO}, &info,
              sizeof info, NULL);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DEVICE_GET_INFO);
    ck_assert_uint_eq(m.n, sizeof info);
    peer_send(p->backend_fd, wire_reply_hdr(&m.hdr, sizeof info), &info, sizeof info, NULL);
    message_deinit(&m);
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 99);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    ck_assert_mem_eq(m.payload, &info, sizeof info);
    message_deinit(&m);
}

void pair_expect_end(struct pair *p)
{
    peer_expect_eof(p->client_fd);
    peer_expect_eof(p->backend_fd);
    pair_close(p);
}

/* ---- the suite ---- */

TCase *rig_case(Suite *suite, const char *name)
{
    TCase *const tc = unit_case(suite, name);

    tcase_set_timeout(tc, 20.0 * patience_ms() / 1000);
    return tc;
}
