/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The control socket of the real poemd: its answers, who may ask, and what no request can do. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/control_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* A user and a group that are nobody's. */
#define STRANGER 65533
#define CLUB 54321

static json_int_t number(const json_t *o, const char *member)
{
    const json_t *v = json_object_get(o, member);

    ck_assert_msg(json_is_integer(v), "\"%s\" is not a number", member);
    return json_integer_value(v);
}

static const char *text(const json_t *o, const char *member)
{
    const char *v = json_string_value(json_object_get(o, member));

    ck_assert_msg(v, "\"%s\" is no text", member);
    return v;
}

/* The members of o, sorted, with a space between them. */
static const char *members(json_t *o, char *out, size_t size)
{
    const char *names[32];
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach(o, key, value)
    {
        ck_assert_uint_lt(n, 32);
        names[n++] = key;
    }
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && strcmp(names[k - 1], names[k]) > 0; k--) {
            const char *const t = names[k];

            names[k] = names[k - 1];
            names[k - 1] = t;
        }
    }
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", names[i]);
    }
    return out;
}

static void expect_members(json_t *o, const char *sorted)
{
    char got[512];

    ck_assert_str_eq(members(o, got, sizeof got), sorted);
}

/* ---- status ---- */

START_TEST(status_tells_of_the_broker_and_its_routes)
{
    const struct control_request q = control_request_of(CONTROL_STATUS);
    struct rig r;
    struct pair p;
    json_t *all;
    json_t *o;

    control_rig_start(&r, "", "sessions 3");
    rig_session(&r, NULL, NULL, &p);
    all = control_answer_to(&q);
    ck_assert_uint_eq(json_array_size(all), 2);
    o = control_part_of(all, 0, "broker");
    expect_members(o, "audit configuration longest-turn-us ms observed pid processes sessions "
                      "since taint upgrade "
                      "version workers");
    ck_assert_int_eq(number(o, "pid"), r.daemon);
    ck_assert_str_eq(text(o, "taint"), "-");
    ck_assert(json_is_null(json_object_get(o, "audit")));
    ck_assert_uint_eq(strlen(text(o, "since")), strlen("2026-11-23T05:09:18.526341820Z"));
    expect_members(json_object_get(o, "configuration"), "file sha256");
    ck_assert_str_eq(text(json_object_get(o, "configuration"), "file"), r.config);
    expect_members(json_object_get(o, "sessions"), "begun most now resumed");
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "now"), 1);
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "begun"), 2);
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "most"), 1024);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "workers")), 1);
    o = json_array_get(json_object_get(o, "workers"), 0);
    expect_members(o, "longest-turn-us pid ready sessions");
    ck_assert_int_eq(number(o, "pid"), rig_worker(&r));
    ck_assert_int_eq(number(o, "sessions"), 1);
    o = control_part_of(all, 1, "route");
    expect_members(
        o, "backend devices listen listening name observed overdue restarts sessions spawn taint");
    ck_assert_str_eq(text(o, "name"), "r");
    ck_assert_str_eq(text(o, "listen"), r.listen);
    ck_assert_str_eq(text(o, "backend"), r.backend);
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "now"), 1);
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "begun"), 2);
    ck_assert_int_eq(number(json_object_get(o, "sessions"), "most"), 3);
    json_decref(all);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- sessions ---- */

static void expect_counts(const json_t *session, const char *direction, json_int_t messages,
                          json_int_t bytes, json_int_t fds)
{
    json_t *c = json_object_get(session, direction);

    ck_assert(json_is_object(c));
    expect_members(c, "bytes fds messages");
    ck_assert_int_eq(number(c, "messages"), messages);
    ck_assert_int_eq(number(c, "bytes"), bytes);
    ck_assert_int_eq(number(c, "fds"), fds);
}

START_TEST(a_session_is_shown_as_it_is)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct rig r;
    struct pair p;
    json_t *all;
    json_t *s;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_ping(&p);
    all = control_answer_to(&q);
    s = control_part_of(all, 0, "session");
    expect_members(
        s, "backend client licences ms number observed overdue permissive replace restart resumed "
           "route rule since state taint to-backend to-client verdict worker");
    ck_assert_int_eq(number(s, "number"), 2);
    ck_assert_str_eq(text(s, "route"), "r");
    ck_assert_str_eq(text(s, "state"), "relaying");
    ck_assert_str_eq(text(s, "verdict"), "allow");
    ck_assert_str_eq(text(s, "taint"), "-");
    ck_assert_int_eq(number(s, "worker"), rig_worker(&r));
    ck_assert_int_eq(number(json_object_get(s, "client"), "pid"), getpid());
    ck_assert_int_eq(number(json_object_get(s, "backend"), "uid"), (json_int_t)getuid());
    /* DEVICE_GET_INFO is 32 bytes either way. */
    expect_counts(s, "to-backend", 2, 64, 0);
    expect_counts(s, "to-client", 2, 64, 0);
    json_decref(all);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Waits until n sessions are told of; the answer, a new reference. */
static json_t *await_sessions(size_t n)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    const struct patience patience = patience_begin();
    json_t *all = control_answer_to(&q);

    while (json_array_size(all) != n) {
        ck_assert(patience_again(&patience));
        json_decref(all);
        all = control_answer_to(&q);
    }
    return all;
}

/* Before the verdict there is neither verdict nor count, and the parties are not known yet. */
START_TEST(a_session_that_begins_is_shown_too)
{
    struct rig r;
    int fd;
    json_t *all;
    json_t *s;

    control_rig_start(&r, "", "");
    fd = peer_connect(r.listen);
    all = await_sessions(1);
    s = control_part_of(all, 0, "session");
    expect_members(s, "ms number observed overdue replace restart resumed route since state taint "
                      "to-backend to-client worker");
    ck_assert_str_eq(text(s, "state"), "accepted");
    ck_assert(json_is_null(json_object_get(s, "worker")));
    ck_assert(json_is_null(json_object_get(s, "to-backend")));
    json_decref(all);
    close(fd);
    rig_stop(&r);
}
END_TEST

START_TEST(sessions_of_one_route)
{
    struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct rig r;
    struct pair pairs[2];
    int other;
    json_t *all;

    rig_init(&r);
    other = peer_listen(unit_path("b2"), 8);
    rig_configure(&r,
                  "workers 1\ncontrol %s\nroute r {\nlisten %s\nbackend %s\n}\n"
                  "route s {\nlisten %s\nbackend %s\n}\n",
                  control_path(), r.listen, r.backend, unit_path("s.sock"), unit_path("b2"));
    rig_launch(&r);
    rig_measure(&r, 1);
    rig_session(&r, NULL, NULL, &pairs[0]);
    rig_session_at(unit_path("s.sock"), other, NULL, NULL, &pairs[1]);
    all = control_answer_to(&q);
    ck_assert_uint_eq(json_array_size(all), 2);
    json_decref(all);
    for (int i = 0; i < 2; i++) {
        q.route[0] = i == 0 ? 'r' : 's';
        all = control_answer_to(&q);
        ck_assert_uint_eq(json_array_size(all), 1);
        ck_assert_str_eq(text(control_part_of(all, 0, "session"), "route"), q.route);
        json_decref(all);
        pair_close(&pairs[i]);
    }
    snprintf(q.route, sizeof q.route, "\x1b[31mq");
    control_expect(&q, CONTROL_NO, "there is no route \"\\x1b[31mq\"");
    close(other);
    rig_stop(&r);
}
END_TEST

/* More than a message of a worker's, and than a turn, has. */
#define MANY 200

START_TEST(many_sessions_are_all_told_of_in_order)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct pair pairs[MANY];
    struct rig r;
    json_t *all;

    control_rig_start(&r, "", "sessions 200");
    for (int i = 0; i < MANY; i++) {
        rig_session(&r, NULL, NULL, &pairs[i]);
        pair_ping(&pairs[i]);
    }
    all = control_answer_to(&q);
    ck_assert_uint_eq(json_array_size(all), MANY);
    for (size_t i = 0; i < MANY; i++) {
        const json_t *s = control_part_of(all, i, "session");

        ck_assert_int_eq(number(s, "number"), (json_int_t)i + 2);
        expect_counts(s, "to-backend", 1, 32, 0);
        expect_counts(s, "to-client", 1, 32, 0);
    }
    json_decref(all);
    for (int i = 0; i < MANY; i++) {
        pair_close(&pairs[i]);
    }
    rig_stop(&r);
}
END_TEST

/* A worker that says nothing keeps nobody waiting for ever: its counts are unknown. */
START_TEST(a_worker_that_is_stopped)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct rig r;
    struct pair p;
    json_t *all;
    const json_t *s;
    pid_t worker;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    all = control_answer_to(&q);
    s = control_part_of(all, 0, "session");
    ck_assert(json_is_null(json_object_get(s, "to-backend")));
    ck_assert_str_eq(text(s, "state"), "relaying");
    json_decref(all);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    pair_ping(&p);
    all = control_answer_to(&q);
    expect_counts(control_part_of(all, 0, "session"), "to-client", 1, 32, 0);
    json_decref(all);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_worker_that_dies_while_it_is_asked)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct rig r;
    struct pair p;
    pid_t worker;
    bool last;
    int fd;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    rig_await_rest(worker);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    fd = control_connect();
    control_send(fd, &q, sizeof q, NULL, 0);
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
    json_decref(control_receive(fd, CONTROL_OK, &last));
    close(fd);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- ending one ---- */

static void end_session(uint64_t id, const char *result)
{
    struct control_request q = control_request_of(CONTROL_SESSION_END);
    const json_t *end;
    json_t *all;

    q.number = id;
    all = control_answer_to(&q);
    end = control_part_of(all, 0, "end");
    ck_assert_int_eq(json_integer_value(json_object_get(end, "number")), (json_int_t)id);
    ck_assert_str_eq(text(end, "result"), result);
    json_decref(all);
}

START_TEST(a_session_is_ended)
{
    struct control_request q = control_request_of(CONTROL_SESSION_END);
    struct rig r;
    struct pair pairs[2];

    control_rig_start(&r, "", "sessions 2");
    rig_session(&r, NULL, NULL, &pairs[0]);
    rig_session(&r, NULL, NULL, &pairs[1]);
    end_session(2, "ending");
    pair_expect_end(&pairs[0]);
    rig_await_log(&r, "session=2: ended on request of uid=", NULL, 0);
    rig_await_log(&r, "ended: reason=ended-by-operator state=relaying", NULL, 0);
    pair_ping(&pairs[1]);
    end_session(2, "already over");
    q.number = 4;
    control_expect(&q, CONTROL_NO, "there is no session 4");
    q.number = 0;
    control_expect(&q, CONTROL_NO, "there is no session 0");
    pair_close(&pairs[1]);
    rig_stop(&r);
}
END_TEST

/* One that has not said anything yet, and one whose backend is slow to answer. */
START_TEST(a_handshake_is_ended)
{
    struct message m;
    struct rig r;
    int client;
    int backend;

    control_rig_start(&r, "", "");
    client = peer_connect(r.listen);
    json_decref(await_sessions(1));
    end_session(2, "ended");
    peer_send_version(client, 5, WIRE_TYPE_COMMAND, "{}", NULL);
    ck_assert_int_eq(peer_recv_error(client, 5, WIRE_VERSION), ECONNABORTED);
    sock_close(&client);
    client = peer_connect(r.listen);
    peer_send_version(client, 6, WIRE_TYPE_COMMAND, "{}", NULL);
    backend = peer_accept(r.backend_fd);
    /* It has been asked: so the broker knows the number of the request that it will refuse. */
    peer_recv(backend, &m);
    message_deinit(&m);
    end_session(3, "ending");
    ck_assert_int_eq(peer_recv_error(client, 6, WIRE_VERSION), ECONNABORTED);
    close(client);
    close(backend);
    rig_stop(&r);
}
END_TEST

/* Its worker stands still: the monitor ends it, before the worker is known to hang or after. */
START_TEST(a_session_is_ended_without_its_worker)
{
    struct rig r;
    struct pair p;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    ck_assert_int_eq(kill(rig_worker(&r), SIGSTOP), 0);
    end_session(2, "ending");
    peer_expect_eof(p.client_fd);
    rig_await_log(&r, "ended: reason=ended-by-operator state=relaying", NULL, 0);
    end_session(2, "already over");
    /* The device is the worker's alone: it sees the end when that is killed. */
    pair_expect_end(&p);
    rig_stop(&r);
}
END_TEST

/* ---- requests that are none ---- */

START_TEST(what_is_no_request)
{
    struct control_request q = control_request_of(CONTROL_STATUS);
    char more[sizeof q + 1] = {0};
    const int fds[2] = {STDIN_FILENO, STDIN_FILENO};
    struct rig r;
    struct pair p;
    int fd;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    for (size_t n = 1; n < sizeof q; n += n < 48 ? 1 : 97) {
        fd = control_connect();
        control_send(fd, &q, n, NULL, 0);
        control_expect_at(fd, CONTROL_REFUSED, "not a valid request");
    }
    memcpy(more, &q, sizeof q);
    fd = control_connect();
    control_send(fd, more, sizeof more, NULL, 0);
    control_expect_at(fd, CONTROL_REFUSED, "not a valid request");
    for (unsigned n = 1; n <= 2; n++) {
        fd = control_connect();
        control_send(fd, &q, sizeof q, fds, n);
        control_expect_at(fd, CONTROL_REFUSED, "not a valid request");
    }
    q.magic++;
    control_expect(&q, CONTROL_REFUSED, "not a valid request");
    q = control_request_of(CONTROL_STATUS);
    q.version = CONTROL_VERSION + 1;
    control_expect(&q, CONTROL_REFUSED, "has version 1 of the control protocol, poemctl version 2");
    q = control_request_of(CONTROL_SESSIONS);
    memset(q.route, 'r', sizeof q.route);
    control_expect(&q, CONTROL_REFUSED, "not a valid request");
    q = control_request_of(CONTROL_STATUS);
    memset(q.filter, ' ', sizeof q.filter);
    control_expect(&q, CONTROL_REFUSED, "not a valid request");
    for (unsigned i = 0; i < 3; i++) {
        q = control_request_of((enum control_type[]){0, CONTROL_TYPES, UINT32_MAX}[i]);
        control_expect(&q, CONTROL_REFUSED, "unknown request");
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- who may ask ---- */

struct stranger {
    const char *path; /* of the socket: unit_path is the parent's */
    uid_t uid;
    gid_t gid;
    gid_t group; /* supplementary; 0: none */
    int status;  /* of the answer, or -errno of connect */
};

static void ask_as(void *arg)
{
    const struct stranger *s = arg;
    const struct control_request q = control_request_of(CONTROL_STATUS);
    bool last;
    int fd;

    ck_assert_int_eq(setgroups(s->group ? 1 : 0, &s->group), 0);
    ck_assert_int_eq(setgid(s->gid), 0);
    ck_assert_int_eq(setuid(s->uid), 0);
    fd = sock_connect_packets(s->path);
    if (s->status < 0) {
        ck_assert_int_eq(fd, s->status);
        return;
    }
    ck_assert_msg(fd >= 0, "connect: %s", strerror(-fd));
    /* One that is refused at once may find nobody who listens. */
    (void)!send(fd, &q, sizeof q, MSG_NOSIGNAL);
    json_decref(control_receive(fd, (enum control_status)s->status, &last));
    close(fd);
}

static void expect_answer(struct stranger s)
{
    s.path = control_path();

    const int status = process_wait(process_fork(ask_as, &s));

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "uid %u gid %u group %u: status %x", s.uid, s.gid, s.group, status);
}

/* Others must come to the socket for this: its folders let them through. */
static void open_folders(void)
{
    ck_assert_int_eq(chmod(unit_path(".."), 0755), 0);
    ck_assert_int_eq(chmod(unit_folder(), 0755), 0);
    ck_assert_int_eq(chmod(unit_path("run"), 0755), 0);
}

START_TEST(strangers_are_refused)
{
    struct rig r;

    if (geteuid() != 0) {
        return;
    }
    control_rig_start(&r, "", "");
    open_folders();
    expect_answer((struct stranger){NULL, 0, 0, 0, CONTROL_OK});
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, 0, -EACCES});
    /* Whoever has rights to the file may have widened its mode: who connects is looked at. */
    ck_assert_int_eq(chmod(control_path(), 0666), 0);
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, 0, CONTROL_REFUSED});
    rig_await_log(&r, "control: uid=65533", NULL, 0);
    /* … of root's group, which this mode gives nothing to, neither. */
    expect_answer((struct stranger){NULL, STRANGER, 0, 0, CONTROL_REFUSED});
    rig_stop(&r);
}
END_TEST

START_TEST(an_owner_and_a_group_are_answered)
{
    struct rig r;

    if (geteuid() != 0) {
        return;
    }
    control_rig_start(&r, "mode 0660 owner 65532 group 54321", "");
    open_folders();
    expect_answer((struct stranger){NULL, 65532, 65532, 0, CONTROL_OK});
    expect_answer((struct stranger){NULL, STRANGER, CLUB, 0, CONTROL_OK});
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, CLUB, CONTROL_OK});
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, 0, -EACCES});
    ck_assert_int_eq(chmod(control_path(), 0666), 0);
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, 0, CONTROL_REFUSED});
    expect_answer((struct stranger){NULL, STRANGER, STRANGER, CLUB + 1, CONTROL_REFUSED});
    rig_stop(&r);
}
END_TEST

/* ---- floods, and those who do not read ---- */

#define FLOOD 1000

START_TEST(a_flood_of_connections)
{
    const struct control_request q = control_request_of(CONTROL_STATUS);
    int fds[LIMIT_CONTROL_CLIENTS];
    struct rig r;
    struct pair p;

    control_rig_start(&r, "", "");
    rig_session(&r, NULL, NULL, &p);
    for (int i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        fds[i] = control_connect();
    }
    for (int i = LIMIT_CONTROL_CLIENTS; i < FLOOD; i++) {
        control_expect_at(control_connect(), CONTROL_FAILED, "64 clients are connected already");
    }
    pair_ping(&p);
    /* Each of those who came first is answered, and makes room. */
    for (int i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        bool last = false;

        control_send(fds[i], &q, sizeof q, NULL, 0);
        while (!last) {
            json_decref(control_receive(fds[i], CONTROL_OK, &last));
        }
        close(fds[i]);
    }
    json_decref(control_answer_to(&q));
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* One asks nothing; others ask for much, and read nothing of it. */
START_TEST(the_slow_are_dropped)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    struct pair pairs[MANY];
    struct rig r;
    int idle;
    int slow[4];

    control_rig_start(&r, "", "sessions 200");
    for (int i = 0; i < MANY; i++) {
        rig_session(&r, NULL, NULL, &pairs[i]);
    }
    idle = control_connect();
    for (int i = 0; i < 4; i++) {
        slow[i] = control_connect();
        control_send(slow[i], &q, sizeof q, NULL, 0);
    }
    for (int i = 0; i < 4; i++) {
        rig_await_log(&r, "did not read its answer in time; dropped", NULL, 0);
    }
    peer_expect_eof(idle);
    pair_ping(&pairs[MANY - 1]);
    close(idle);
    for (int i = 0; i < 4; i++) {
        close(slow[i]);
    }
    for (int i = 0; i < MANY; i++) {
        pair_close(&pairs[i]);
    }
    rig_stop(&r);
}
END_TEST

/* ---- the socket's file ---- */

START_TEST(its_file_and_folder_come_and_go)
{
    struct rig r;
    struct stat st;
    int fd;

    control_rig_start(&r, "mode 0640", "");
    ck_assert_int_eq(lstat(control_path(), &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    fd = control_connect();
    rig_stop(&r);
    peer_expect_eof(fd);
    close(fd);
    ck_assert_int_lt(access(unit_path("run"), F_OK), 0);
    /* A folder that was there stays. */
    ck_assert_int_eq(mkdir(unit_path("run"), 0700), 0);
    control_rig_start(&r, "", "");
    rig_stop(&r);
    ck_assert_int_lt(access(control_path(), F_OK), 0);
    ck_assert_int_eq(rmdir(unit_path("run")), 0);
}
END_TEST

START_TEST(another_broker_keeps_its_socket)
{
    const struct control_request q = control_request_of(CONTROL_STATUS);
    struct rig r;
    int status;

    control_rig_start(&r, "", "");
    status = rig_run(&r, (const char *const[]){"--listen", unit_path("o.sock"), "--backend",
                                               r.backend, "--control", control_path(), NULL});
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 3, "status %x", status);
    rig_await_log(&r, "cannot listen on the control socket", NULL, 0);
    json_decref(control_answer_to(&q));
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control");
    TCase *tc = rig_case(s, "answers");

    tcase_add_test(tc, status_tells_of_the_broker_and_its_routes);
    tcase_add_test(tc, a_session_is_shown_as_it_is);
    tcase_add_test(tc, a_session_that_begins_is_shown_too);
    tcase_add_test(tc, sessions_of_one_route);
    tcase_add_test(tc, many_sessions_are_all_told_of_in_order);
    tcase_add_test(tc, a_worker_that_is_stopped);
    tcase_add_test(tc, a_worker_that_dies_while_it_is_asked);
    tcase_add_test(tc, a_session_is_ended);
    tcase_add_test(tc, a_handshake_is_ended);
    tcase_add_test(tc, a_session_is_ended_without_its_worker);
    tc = rig_case(s, "askers");
    tcase_add_test(tc, what_is_no_request);
    tcase_add_test(tc, strangers_are_refused);
    tcase_add_test(tc, an_owner_and_a_group_are_answered);
    tcase_add_test(tc, a_flood_of_connections);
    tcase_add_test(tc, the_slow_are_dropped);
    tc = rig_case(s, "socket");
    tcase_add_test(tc, its_file_and_folder_come_and_go);
    tcase_add_test(tc, another_broker_keeps_its_socket);
    return unit_run(s);
}
