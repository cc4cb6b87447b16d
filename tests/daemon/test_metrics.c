/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Metrics of the real poemd, as a collector reads them. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/exporter/exporter.h"
#include "tests/daemon/inject.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define ANSWER_MAX 65536
#define TIMES "poemd_request_seconds"

/* A sample of the pings of a route's sessions, up to its number. */
#define MESSAGES(direction) \
    "\npoemd_messages_total{route=\"r\",direction=\"" direction "\",command=\"DEVICE_GET_INFO\"} "

static void metrics_start_route(struct rig *r, const char *where, const char *route)
{
    rig_init(r);
    rig_configure(r,
                  "workers 1\nmetrics %s\nroute %s {\nlisten %s\nbackend %s\n"
                  "recite to client never\nsessions 2\n}\n",
                  where, route, r->listen, r->backend);
    rig_launch(r);
}

static void metrics_start(struct rig *r, const char *where)
{
    metrics_start_route(r, where, "r");
}

static const char *metrics_socket(void)
{
    static char where[RIG_PATH + 8];

    snprintf(where, sizeof where, "unix %s", unit_path("metrics.sock"));
    return where;
}

static int metrics_connect(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", unit_path("metrics.sock"));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

/* Sends the request at fd, which it closes, and returns the whole answer; static storage. */
static const char *metrics_ask_at_take(int fd, const char *request)
{
    static char answer[ANSWER_MAX];
    size_t n = 0;
    ssize_t r;

    ck_assert_int_eq(sock_send_all(fd, request, strlen(request), NULL), 0);
    while ((r = read(fd, answer + n, sizeof answer - 1 - n)) > 0) {
        n += (size_t)r;
    }
    answer[n] = '\0';
    close(fd);
    return answer;
}

#define GET "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

static const char *metrics_scrape(void)
{
    return metrics_ask_at_take(metrics_connect(), GET "\r\n");
}

static void metrics_expect(const char *answer, const char *line)
{
    ck_assert_msg(strstr(answer, line), "\"%s\" is missing in:\n%s", line, answer);
}

/* Scrapes until the line is there: workers take a moment to report. */
static void metrics_await(const char *line)
{
    const struct patience patience = patience_begin();

    while (!strstr(metrics_scrape(), line)) {
        ck_assert_msg(patience_again(&patience), "\"%s\" does not come", line);
    }
}

START_TEST(what_sessions_do_is_counted)
{
    const char *answer;
    struct pair p;
    struct rig r;

    metrics_start(&r, metrics_socket());
    answer = metrics_scrape();
    metrics_expect(answer, "HTTP/1.1 200 OK\r\n");
    metrics_expect(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    metrics_expect(answer, "# TYPE poemd_messages_total counter\n");
    metrics_expect(answer, "\npoemd_sessions{route=\"r\",state=\"relaying\"} 0\n");
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    pair_ping(&p);
    /* VERSION is not relayed: each ping is a command of 16 bytes and a reply. */
    metrics_await(MESSAGES("to-client") "2\n");
    answer = metrics_scrape();
    metrics_expect(answer, MESSAGES("to-backend") "2\n");
    metrics_expect(answer, "\npoemd_sessions{route=\"r\",state=\"relaying\"} 1\n");
    metrics_expect(answer, "\npoemd_message_bytes_total{route=\"r\",direction=\"to-client\","
                           "command=\"DEVICE_GET_INFO\"} 64\n");
    metrics_expect(answer, "\n" TIMES "_count{route=\"r\",class=\"device\"} 2\n");
    metrics_expect(answer, "\n" TIMES "_bucket{route=\"r\",class=\"device\",le=\"+Inf\"} 2\n");
    metrics_expect(answer, "\npoemd_sessions_begun_total{route=\"r\"} 1\n");
    metrics_expect(answer, "\npoemd_verdicts_total{route=\"r\",verdict=\"allow");
    pair_close(&p);
    metrics_await("\npoemd_sessions_ended_total{route=\"r\",reason=\"client-closed\"} 1\n");
    answer = metrics_scrape();
    metrics_expect(answer, "\npoemd_sessions{route=\"r\",state=\"relaying\"} 0\n");
    metrics_expect(answer, MESSAGES("to-backend") "2\n");
    rig_terminate(&r);
    ck_assert_int_lt(access(unit_path("metrics.sock"), F_OK), 0);
    rig_deinit(&r);
}
END_TEST

START_TEST(openmetrics_is_sent_to_those_that_accept_it)
{
    const char *answer;
    struct pair p;
    struct rig r;

    metrics_start(&r, metrics_socket());
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    metrics_await(MESSAGES("to-client") "1\n");
    answer = metrics_ask_at_take(metrics_connect(),
                                 GET "Accept: application/openmetrics-text;version=1.0.0;q=0.5,"
                                     "text/plain;version=0.0.4;q=0.2,*/*;q=0.1\r\n\r\n");
    metrics_expect(answer, "Content-Type: application/openmetrics-text; version=1.0.0");
    metrics_expect(answer, "# TYPE poemd_messages counter\n");
    metrics_expect(answer, "# TYPE " TIMES " histogram\n");
    metrics_expect(answer, "} 1 # {session=\"1\"} 0.");
    ck_assert_str_eq(answer + strlen(answer) - 6, "# EOF\n");
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* The way of an address and a port; the kernel picks a free one for us first. */
START_TEST(a_tcp_port_serves_as_well)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    char where[64];
    struct rig r;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    close(fd);
    snprintf(where, sizeof where, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    metrics_start(&r, where);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
    metrics_expect(metrics_ask_at_take(fd, GET "\r\n"), "\npoemd_workers{state=\"ready\"} 1\n");
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

START_TEST(all_but_a_get_of_metrics_is_refused)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
         "HTTP/1.1 "},
        {"DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 501 "},
        {"nonsense\r\n\r\n", "400 "},
    };
    struct rig r;

    metrics_start(&r, metrics_socket());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const answer = metrics_ask_at_take(metrics_connect(), cases[i].request);

        metrics_expect(answer, cases[i].answer);
        ck_assert_ptr_null(strstr(answer, "poemd_sessions"));
    }
    metrics_expect(metrics_scrape(), "HTTP/1.1 200 OK\r\n");
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* Returns the pid of a child of the daemon's, once it has its name. */
static pid_t metrics_process(const struct rig *r, const char *named)
{
    const struct patience patience = patience_begin();
    pid_t pids[RIG_WORKERS];
    char name[32];

    do {
        const size_t n = process_children(r->daemon, pids, RIG_WORKERS);

        for (size_t i = 0; i < n && i < RIG_WORKERS; i++) {
            if (process_status(pids[i], "Name", name, sizeof name) && strcmp(name, named) == 0) {
                return pids[i];
            }
        }
    } while (patience_again(&patience));
    ck_abort_msg("there is no %s", named);
}

static pid_t metrics_exporter(const struct rig *r)
{
    return metrics_process(r, "poemd-exporter");
}

START_TEST(counts_outlive_the_worker_and_the_monitor)
{
    struct pair p;
    struct rig r;

    metrics_start(&r, metrics_socket());
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    metrics_await(MESSAGES("to-client") "1\n");
    ck_assert_int_eq(kill(metrics_process(&r, "poemd-worker"), SIGKILL), 0);
    pair_ping(&p);
    metrics_await(MESSAGES("to-client") "2\n");
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    rig_await_log(&r, "was killed by signal", "monitor", 0);
    pair_ping(&p);
    /* The next monitor begins with what its worker has, which is two of them. */
    metrics_await(MESSAGES("to-client") "2\n");
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* More clients than the exporter has fds for send nothing; sessions do not notice. */
START_TEST(clients_that_send_nothing_harm_nobody)
{
    int fds[48];
    struct pair p;
    struct rig r;

    metrics_start(&r, metrics_socket());
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        fds[i] = metrics_connect();
    }
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    pair_close(&p);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        close(fds[i]);
    }
    metrics_expect(metrics_scrape(), "\npoemd_sessions_begun_total{route=\"r\"} 1\n");
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* Returns the number of the process's fd of this file, or -1. */
static int metrics_find_fd(pid_t pid, const char *file)
{
    char path[64];
    char is[256];

    for (int fd = 0; fd < 64; fd++) {
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
        n = readlink(path, is, sizeof is - 1);
        if (n > 0 && strncmp(is, file, strlen(file)) == 0) {
            return fd;
        }
    }
    return -1;
}

/* As an exporter could that was taken over: a snapshot is not memory that it can fill. */
START_TEST(an_exporter_cannot_write_to_its_snapshot)
{
    const char ask = EXPORTER_ASK;
    struct msghdr msg = {.msg_iovlen = 1, .msg_controllen = CMSG_SPACE(sizeof(int))};
    const char control[CMSG_SPACE(sizeof(int))] = "";
    struct injection j;
    struct iovec iov = {.iov_len = 1};
    uint64_t at;
    struct rig r;
    int fd;

    if (rig_wrapped() || geteuid() != 0 || !inject_possible()) {
        puts("skipped: an_exporter_cannot_write_to_its_snapshot: needs root, x86-64, no valgrind");
        return;
    }
    metrics_start(&r, metrics_socket());
    metrics_expect(metrics_scrape(), "HTTP/1.1 200 OK\r\n");
    inject_begin(&j, metrics_exporter(&r));
    iov.iov_base = (void *)(uintptr_t)inject_bytes(&j, 0, &ask, sizeof ask);
    msg.msg_iov = (void *)(uintptr_t)inject_bytes(&j, 1, &iov, sizeof iov);
    msg.msg_control = (void *)(uintptr_t)inject_bytes(&j, 2, control, sizeof control);
    at = inject_bytes(&j, 3, &msg, sizeof msg);
    ck_assert_int_eq(
        inject_call(&j, SYS_sendto, (uint64_t[6]){EXPORTER_CHANNEL_FD, (uintptr_t)iov.iov_base, 1}),
        1);
    ck_assert_int_eq(inject_call(&j, SYS_recvmsg, (uint64_t[6]){EXPORTER_CHANNEL_FD, at}), 1);
    fd = metrics_find_fd(j.pid, "/memfd:poemd-metrics");
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(
        inject_call(&j, SYS_writev, (uint64_t[6]){(uint64_t)fd, (uintptr_t)msg.msg_iov, 1}),
        -EPERM);
    inject_end(&j);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

START_TEST(an_exporter_that_dies_is_replaced)
{
    pid_t first;
    struct rig r;

    metrics_start(&r, metrics_socket());
    first = metrics_exporter(&r);
    ck_assert_int_eq(kill(first, SIGKILL), 0);
    rig_await_log(&r, "exporter pid=", NULL, 0);
    /* The socket is the monitor's: the client waits in its queue for the next exporter. */
    metrics_expect(metrics_scrape(), "\npoemd_workers{state=\"ready\"} 1\n");
    ck_assert_int_ne(metrics_exporter(&r), first);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* The keeper has fds under such names, too; it is asked for a socket of the route's name. */
static const char *const kept_names[] = {"r", "m", "st", "w1.pg", "w1.ch"};

START_TEST(the_next_monitor_serves_at_the_same_socket)
{
    struct stat before;
    struct stat after;
    struct rig r;

    metrics_start_route(&r, metrics_socket(), kept_names[_i]);
    ck_assert_int_eq(stat(unit_path("metrics.sock"), &before), 0);
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    rig_await_log(&r, "was killed by signal", NULL, 0);
    metrics_await("\npoemd_workers{state=\"ready\"} 1\n");
    ck_assert_int_eq(stat(unit_path("metrics.sock"), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* promtool, of Debian's package prometheus, has the conventions for names and help. */
START_TEST(promtool_finds_nothing_to_complain_about)
{
    const char *const path = unit_path("metrics.txt");
    const char *body;
    char command[RIG_PATH + 64];
    struct pair p;
    struct rig r;
    FILE *f;

    if (system("command -v promtool >/dev/null") != 0) {
        fprintf(stderr, "skipped: promtool is not installed\n");
        return;
    }
    metrics_start(&r, metrics_socket());
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    metrics_await(MESSAGES("to-client") "1\n");
    body = strstr(metrics_scrape(), "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(body + 4, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    snprintf(command, sizeof command, "promtool check metrics <%s", path);
    ck_assert_int_eq(system(command), 0);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: metrics");
    TCase *const tc = rig_case(suite, "metrics");

    tcase_add_test(tc, what_sessions_do_is_counted);
    tcase_add_test(tc, openmetrics_is_sent_to_those_that_accept_it);
    tcase_add_test(tc, counts_outlive_the_worker_and_the_monitor);
    tcase_add_test(tc, a_tcp_port_serves_as_well);
    tcase_add_test(tc, all_but_a_get_of_metrics_is_refused);
    tcase_add_test(tc, clients_that_send_nothing_harm_nobody);
    tcase_add_test(tc, an_exporter_that_dies_is_replaced);
    tcase_add_test(tc, an_exporter_cannot_write_to_its_snapshot);
    tcase_add_loop_test(tc, the_next_monitor_serves_at_the_same_socket, 0,
                        sizeof kept_names / sizeof *kept_names);
    tcase_add_test(tc, promtool_finds_nothing_to_complain_about);
    return unit_run(suite);
}
