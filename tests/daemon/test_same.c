/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "same-process": sockets that are handed on to another process, on either side, before or after
 * the verdict; and sessions in which that does not happen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/policy_rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- who talks ---- */

/* One message, sent by a child of this process. */
struct sent {
    int fd;
    struct wire_hdr hdr;
    const char *json; /* of VERSION; NULL: four bytes */
};

static void send_it(void *arg)
{
    const struct sent *s = arg;

    if (s->json) {
        peer_send_version(s->fd, s->hdr.id, s->hdr.flags, s->json, NULL);
    } else {
        peer_send(s->fd, s->hdr, "abcd", 4, NULL);
    }
}

static void send_by_child(int fd, struct wire_hdr hdr, const char *json)
{
    struct sent s = {.fd = fd, .hdr = hdr, .json = json};

    ck_assert_int_eq(process_wait(process_fork(send_it, &s)), 0);
}

static const struct wire_hdr command = {.id = 99, .command = WIRE_DEVICE_GET_INFO};

/* A command by a child of the client's, and the reply by the backend itself. */
static void ping_by_child(const struct pair *p)
{
    struct message m;

    send_by_child(p->client_fd, command, NULL);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 99);
    ck_assert_uint_eq(m.n, 4);
    peer_send(p->backend_fd, wire_reply_hdr(&m.hdr, 4), m.payload, 4, NULL);
    message_deinit(&m);
    peer_recv(p->client_fd, &m);
    message_deinit(&m);
}

/* The client's own command, and the reply by a child of the backend's. */
static void pong_by_child(const struct pair *p)
{
    struct message m;

    peer_send(p->client_fd, command, "abcd", 4, NULL);
    peer_recv(p->backend_fd, &m);
    send_by_child(p->backend_fd, wire_reply_hdr(&m.hdr, 4), NULL);
    message_deinit(&m);
}

/* ---- sessions on route p ---- */

static void start(struct policy_rig *p, const char *statements)
{
    policy_init(p);
    policy_run(p, statements);
}

static void stop(struct policy_rig *p)
{
    rig_terminate(&p->rig);
    rig_deinit(&p->rig);
}

static void begin(struct policy_rig *p, struct pair *pair)
{
    pair->client_fd = peer_connect(p->listen);
    peer_send_version(pair->client_fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair->backend_fd = policy_answer(p, "{\"capabilities\":{\"max_msg_fds\":8}}");
    ck_assert_int_eq(policy_receive(pair->client_fd), 0);
}

static void expect_handed_on(struct policy_rig *p, const char *leg)
{
    char line[512];

    rig_await_log(&p->rig, " handed on: its socket is used by ", line, sizeof line);
    ck_assert_msg(strstr(line, leg), "\"%s\" is not in: %s", leg, line);
}

static void expect_taint(struct policy_rig *p)
{
    rig_await_log(&p->rig, " tainted: H (handed on", NULL, 0);
}

/* Whether the log, from its beginning, says a text. */
static bool log_says(const struct policy_rig *p, const char *text)
{
    char *log = calloc(1, 65536);
    bool says;

    ck_assert_ptr_nonnull(log);
    ck_assert_int_ge(pread(p->rig.log_fd, log, 65535, 0), 0);
    says = strstr(log, text);
    free(log);
    return says;
}

/* ---- the audit log ---- */

static void keep_record(struct policy_rig *p)
{
    char key[RIG_PATH];

    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s", unit_path("audit.log"), key);
}

/* Whether the last record of an event has the letter H. */
static void expect_recorded(const char *event, bool handed_on)
{
    FILE *f = fopen(unit_path("audit.log"), "re");
    char *line = NULL;
    size_t size = 0;
    int found = -1;

    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        const char *taint = strstr(line, "\"taint\":\"");

        if (strstr(line, event) && taint) {
            taint += strlen("\"taint\":\"");
            found = strcspn(taint, "H") < strcspn(taint, "\"");
        }
    }
    free(line);
    fclose(f);
    ck_assert_int_eq(found, handed_on);
}

/* ---- tests ---- */

START_TEST(a_client_s_child_ends_it)
{
    static const char *const words[] = {"same-process end", "same-process end of client",
                                        "same-process end of both"};
    struct policy_rig p;
    struct pair pair;

    start(&p, words[_i]);
    begin(&p, &pair);
    pair_ping(&pair);
    send_by_child(pair.client_fd, command, NULL);
    /* What another process sent reaches nobody. */
    pair_expect_end(&pair);
    expect_handed_on(&p, " leg=client: ");
    rig_await_log(&p.rig, " ended: reason=handed-on", NULL, 0);
    ck_assert(!log_says(&p, "tainted: H"));
    begin(&p, &pair);
    pair_ping(&pair);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    stop(&p);
}
END_TEST

START_TEST(a_client_s_child_taints_it)
{
    struct policy_rig p;
    struct pair pair;

    policy_init(&p);
    keep_record(&p);
    policy_run(&p, "same-process taint");
    begin(&p, &pair);
    pair_ping(&pair);
    ping_by_child(&pair);
    expect_handed_on(&p, " leg=client: ");
    expect_taint(&p);
    /* Told once, and it goes on. */
    ping_by_child(&pair);
    pair_ping(&pair);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    rig_terminate(&p.rig);
    expect_recorded("\"event\":\"verdict\"", false);
    expect_recorded("\"event\":\"session-ended\"", true);
    rig_deinit(&p.rig);
}
END_TEST

START_TEST(a_backend_s_child)
{
    const bool ends = _i;
    struct policy_rig p;
    struct message m;
    struct pair pair;

    start(&p, ends ? "same-process end of backend" : "same-process taint of backend");
    begin(&p, &pair);
    pair_ping(&pair);
    pong_by_child(&pair);
    expect_handed_on(&p, " leg=backend: ");
    if (ends) {
        pair_expect_end(&pair);
        rig_await_log(&p.rig, " ended: reason=handed-on", NULL, 0);
    } else {
        peer_recv(pair.client_fd, &m);
        ck_assert_uint_eq(m.hdr.id, 99);
        message_deinit(&m);
        expect_taint(&p);
        pair_ping(&pair);
        pair_close(&pair);
        rig_await_log(&p.rig, " ended: ", NULL, 0);
    }
    stop(&p);
}
END_TEST

/* The client has forked before it said anything: VERSION is the child's. */
START_TEST(a_forked_client)
{
    const bool ends = _i % 2;
    const bool stays = _i / 2;
    struct policy_result result;
    struct policy_client c;
    struct policy_rig p;
    unsigned char told;

    start(&p, ends ? "same-process end" : "same-process taint");
    policy_client_forked(&c, stays, p.listen);
    if (ends) {
        ck_assert_int_eq(write(c.fd, "\n", 1), 1);
        ck_assert_int_eq(read(c.fd, &told, 1), 1);
        ck_assert_int_eq(told, EACCES);
        expect_handed_on(&p, " leg=client: ");
        rig_await_log(&p.rig, " ended: reason=handed-on", NULL, 0);
    } else {
        policy_client_go(&p, &c, &result);
        ck_assert_int_eq(result.err, 0);
        ck_assert(log_says(&p, " tainted: H"));
    }
    policy_client_end(&c);
    stop(&p);
}
END_TEST

/* The backend accepts, and a child of its answers VERSION. */
START_TEST(a_backend_that_serves_by_a_child)
{
    struct policy_rig p;
    struct message m;
    struct pair pair;

    start(&p, _i ? "same-process end" : "same-process taint");
    pair.client_fd = peer_connect(p.listen);
    peer_send_version(pair.client_fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair.backend_fd = peer_accept(p.rig.backend_fd);
    peer_recv(pair.backend_fd, &m);
    send_by_child(pair.backend_fd, (struct wire_hdr){.id = m.hdr.id, .flags = WIRE_TYPE_REPLY},
                  "{}");
    message_deinit(&m);
    ck_assert_int_eq(policy_receive(pair.client_fd), _i ? EACCES : 0);
    expect_handed_on(&p, " leg=backend: ");
    pair_close(&pair);
    rig_await_log(&p.rig, _i ? " ended: reason=handed-on" : " ended: ", NULL, 0);
    ck_assert(_i || log_says(&p, " tainted: H"));
    stop(&p);
}
END_TEST

/* ---- in a pid namespace of its own ---- */

/* Sends VERSION as the process of this number, and the ids of the sender's user namespace. */
static void send_version_as(int fd, pid_t pid)
{
    const struct ucred name = {.pid = pid, .uid = getuid(), .gid = getgid()};
    struct {
        uint8_t bytes[512];
        size_t n;
    } m;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof name)];
    } control = {.room = {0}};
    struct iovec iov = {.iov_base = m.bytes};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    const size_t json = strlen(peer_qemu_json) + 1;
    struct wire_hdr hdr = {.id = 7, .command = WIRE_VERSION};

    m.n = WIRE_HDR_SIZE + 4 + json;
    hdr.size = (uint32_t)m.n;
    memset(m.bytes, 0, sizeof m.bytes);
    wire_put_hdr(m.bytes, &hdr);
    memcpy(m.bytes + WIRE_HDR_SIZE + 4, peer_qemu_json, json);
    iov.iov_len = m.n;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof name);
    memcpy(CMSG_DATA(c), &name, sizeof name);
    if (sendmsg(fd, &msg, 0) != (ssize_t)m.n) {
        _exit(101);
    }
}

/* Connects; a child sends, in the name of who has connected where it forges. Exits with the errno
 * that it gets. */
struct contained {
    const char *listen;
    bool forges;
};

static int connect_and_leave_it_to_a_child(const struct contained *c)
{
    const int fd = peer_connect(c->listen);
    const pid_t judged = getpid();
    int status;
    pid_t pid;

    pid = fork();
    if (pid == 0) {
        send_version_as(fd, c->forges ? judged : getpid());
        _exit(policy_receive(fd));
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

static void write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        _exit(103);
    }
    close(fd);
}

/* In namespaces that any user can make, as itself. */
static void live_contained(void *arg)
{
    char user[32];
    char group[32];
    int status;
    pid_t pid;

    snprintf(user, sizeof user, "0 %u 1", (unsigned)geteuid());
    snprintf(group, sizeof group, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0) {
        _exit(103);
    }
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", user);
    write_file("/proc/self/gid_map", group);
    pid = fork();
    if (pid == 0) {
        _exit(connect_and_leave_it_to_a_child(arg));
    }
    _exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 104);
}

/* There every user may send in the name of another process, so that none is known to be it. */
START_TEST(a_client_in_a_pid_namespace_of_its_own)
{
    struct contained c = {.forges = _i};
    struct policy_rig p;
    char line[512];
    int status;
    pid_t pid;

    start(&p, "same-process end of client");
    c.listen = p.listen;
    pid = process_fork(live_contained, &c);
    rig_await_log(&p.rig, " same-process: its process counts as another one", line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "pid namespace other than"));
    expect_handed_on(&p, " leg=client: ");
    rig_await_log(&p.rig, " ended: reason=handed-on", NULL, 0);
    status = process_wait(pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EACCES);
    stop(&p);
}
END_TEST

/* Nobody asks for it, or of the other party alone. */
START_TEST(what_is_not_watched_goes_on)
{
    static const char *const words[] = {"", "same-process end of backend",
                                        "same-process end of client"};
    struct policy_rig p;
    struct message m;
    struct pair pair;

    start(&p, words[_i]);
    begin(&p, &pair);
    if (_i < 2) {
        ping_by_child(&pair);
    }
    if (_i != 1) {
        pong_by_child(&pair);
        peer_recv(pair.client_fd, &m);
        message_deinit(&m);
    }
    pair_ping(&pair);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    ck_assert(!log_says(&p, "handed on"));
    ck_assert(!log_says(&p, "tainted: H"));
    stop(&p);
}
END_TEST

/* Many at once, with fds and without: each arrives as it was sent. */
static void exchange_many(const struct pair *p)
{
    struct fdset fds;
    struct message m;

    fdset_init(&fds);
    peer_memfds(&fds, 3);
    for (uint16_t i = 0; i < 20; i++) {
        peer_send(p->client_fd, (struct wire_hdr){.id = i, .command = WIRE_DEVICE_SET_IRQS}, "abcd",
                  4, i % 5 == 2 ? &fds : NULL);
    }
    for (uint16_t i = 0; i < 20; i++) {
        peer_recv(p->backend_fd, &m);
        ck_assert_uint_eq(m.hdr.id, i);
        ck_assert_uint_eq(m.fds.n, i % 5 == 2 ? 3 : 0);
        if (m.fds.n > 0) {
            peer_expect_same_fds(&fds, &m.fds);
        }
        message_deinit(&m);
    }
    fdset_close(&fds);
}

static void exchange_large(const struct pair *p)
{
    static uint8_t large[100000];
    struct message m;

    memset(large, 7, sizeof large);
    peer_send(p->client_fd, (struct wire_hdr){.id = 1, .command = WIRE_REGION_WRITE}, large,
              sizeof large, NULL);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.n, sizeof large);
    ck_assert_mem_eq(m.payload, large, m.n);
    message_deinit(&m);
}

START_TEST(a_session_of_the_same_processes_is_as_ever)
{
    struct policy_rig p;
    struct pair pair;

    start(&p, "same-process end");
    begin(&p, &pair);
    exchange_many(&pair);
    exchange_large(&pair);
    pair_ping(&pair);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    ck_assert(!log_says(&p, "handed on"));
    stop(&p);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_same: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: same-process");
    tc = rig_case(suite, "handed on");
    tcase_add_loop_test(tc, a_client_s_child_ends_it, 0, 3);
    tcase_add_test(tc, a_client_s_child_taints_it);
    tcase_add_loop_test(tc, a_backend_s_child, 0, 2);
    tcase_add_loop_test(tc, a_forked_client, 0, 4);
    tcase_add_loop_test(tc, a_backend_that_serves_by_a_child, 0, 2);
    tcase_add_loop_test(tc, a_client_in_a_pid_namespace_of_its_own, 0, 2);
    tc = rig_case(suite, "the same");
    tcase_add_loop_test(tc, what_is_not_watched_goes_on, 0, 3);
    tcase_add_test(tc, a_session_of_the_same_processes_is_as_ever);
    return unit_run(suite);
}
