/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Another configuration for a running poemd, and its stop: no session that runs is harmed, no
 * client of a route that stays is refused, and a wrong file changes nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

/* A user that no test runs as: a rule that nothing meets. */
#define DENIED "    allow client user 61000\n"

struct reload_rig {
    struct rig rig;
    char other[RIG_PATH]; /* route s's socket */
};

/* Writes route r with these statements; more are statements behind it, or in the file's front. */
static void configure(struct reload_rig *r, const char *global, const char *statements,
                      const char *more)
{
    rig_configure(&r->rig,
                  "workers 1\ncontrol %s\n%s\nroute r {\n    listen %s\n    backend %s\n"
                  "    recite to client never\n    sessions 8\n%s}\n%s",
                  control_path(), global, r->rig.listen, r->rig.backend, statements, more);
}

/* Route s, which leads to the same backend. */
static const char *route_s(const struct reload_rig *r)
{
    static char text[512];

    snprintf(text, sizeof text,
             "route s {\n    listen %s\n    backend %s\n    recite to client never\n}\n", r->other,
             r->rig.backend);
    return text;
}

/* Asks for a reload; the parts of its answer, the first having this outcome. */
static json_t *reload(uint32_t flags, const char *outcome)
{
    struct control_request q = control_request_of(CONTROL_RELOAD);
    json_t *answer;
    const char *got;

    q.flags = flags;
    answer = control_answer_to(&q);
    got = json_string_value(json_object_get(control_part_of(answer, 0, "reload"), "outcome"));
    if (!got || strcmp(got, outcome) != 0) {
        json_dumpf(answer, stderr, JSON_INDENT(2));
        ck_abort_msg("the outcome is %s, not %s", got ? got : "none", outcome);
    }
    return answer;
}

static void reload_well(void)
{
    json_decref(reload(0, "reloaded"));
}

static void start(struct reload_rig *r)
{
    rig_init(&r->rig);
    snprintf(r->other, sizeof r->other, "%s", unit_path("s.sock"));
    configure(r, "", "", "");
    rig_launch(&r->rig);
    /* The thread of a reload has an fd of its own from the first one on. */
    reload_well();
    rig_await_log(&r->rig, "reloaded on request of uid=", NULL, 0);
    rig_measure(&r->rig, 1);
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
    return st.st_ino;
}

/* The object of this name among the parts whose member has this text; fails where it is none. */
static json_t *part_with(const json_t *answer, const char *name, const char *member,
                         const char *value)
{
    json_t *part;
    size_t i;

    json_array_foreach(answer, i, part)
    {
        json_t *const o = json_object_get(part, name);
        const char *const text = json_string_value(json_object_get(o, member));

        if (text && strcmp(text, value) == 0) {
            return o;
        }
    }
    json_dumpf(answer, stderr, JSON_INDENT(2));
    ck_abort_msg("there is no %s with %s \"%s\"", name, member, value);
    return NULL;
}

static void expect_text(const json_t *o, const char *member, const char *has)
{
    const char *const text = json_string_value(json_object_get(o, member));

    ck_assert_msg(text && strstr(text, has), "%s is \"%s\", without \"%s\"", member,
                  text ? text : "", has);
}

/* Waits until the status has so many routes. */
static void await_routes(size_t wanted)
{
    const struct patience patience = patience_begin();
    const struct control_request q = control_request_of(CONTROL_STATUS);
    size_t n;

    do {
        json_t *const answer = control_answer_to(&q);
        const json_t *part;
        size_t i;

        n = 0;
        json_array_foreach(answer, i, part)
        {
            n += json_object_get(part, "route") != NULL;
        }
        json_decref(answer);
    } while (n != wanted && patience_again(&patience));
    ck_assert_uint_eq(n, wanted);
}

/* A client of route r is answered with an error. Returns its errno. */
static int refused(struct reload_rig *r)
{
    const int fd = peer_connect(r->rig.listen);
    struct message m;
    int backend_fd = -1;
    int err;

    peer_send_version(fd, 1, 0, peer_qemu_json, NULL);
    if (peer_waits(r->rig.backend_fd, patience_ms())) {
        backend_fd = peer_accept(r->rig.backend_fd);
        peer_recv(backend_fd, &m);
        peer_send_version(backend_fd, m.hdr.id, WIRE_TYPE_REPLY, "{}", NULL);
        message_deinit(&m);
    }
    err = peer_recv_error(fd, 1, WIRE_VERSION);
    close(fd);
    sock_close(&backend_fd);
    rig_await_log(&r->rig, " ended: ", NULL, 0);
    return err;
}

/* ---- routes ---- */

START_TEST(a_new_route_is_served_and_the_old_one_keeps_its_socket)
{
    struct reload_rig r;
    struct pair before;
    struct pair p;
    json_t *answer;
    ino_t ino;

    start(&r);
    ino = inode_of(r.rig.listen);
    rig_session(&r.rig, NULL, NULL, &before);
    configure(&r, "", "", route_s(&r));
    answer = reload(0, "reloaded");
    expect_text(part_with(answer, "difference", "route", "s"), "change", "added");
    ck_assert_uint_eq(json_array_size(answer), 2);
    json_decref(answer);
    ck_assert_uint_eq(inode_of(r.rig.listen), ino);
    rig_session_at(r.other, r.rig.backend_fd, NULL, NULL, &p);
    pair_ping(&p);
    pair_ping(&before);
    pair_close(&p);
    pair_close(&before);
    configure(&r, "", "", "");
    reload_well();
    await_routes(1);
    rig_stop(&r.rig);
}
END_TEST

START_TEST(a_route_that_is_gone_goes_with_its_last_session)
{
    struct reload_rig r;
    struct pair p;
    json_t *answer;

    start(&r);
    configure(&r, "", "", route_s(&r));
    reload_well();
    rig_session_at(r.other, r.rig.backend_fd, NULL, NULL, &p);
    configure(&r, "", "", "");
    answer = reload(0, "reloaded");
    expect_text(part_with(answer, "difference", "route", "s"), "change", "gone");
    json_decref(answer);
    ck_assert_int_lt(access(r.other, F_OK), 0);
    await_routes(2);
    pair_ping(&p);
    /* It comes back with the session that it has. */
    configure(&r, "", "", route_s(&r));
    reload_well();
    pair_ping(&p);
    configure(&r, "", "", "");
    reload_well();
    pair_ping(&p);
    pair_close(&p);
    await_routes(1);
    rig_stop(&r.rig);
}
END_TEST

START_TEST(a_socket_moves_to_another_route_and_stays_the_same)
{
    struct reload_rig r;
    struct pair p;
    ino_t inos[2];
    char moved[1024];

    start(&r);
    configure(&r, "", "", route_s(&r));
    reload_well();
    inos[0] = inode_of(r.rig.listen);
    inos[1] = inode_of(r.other);
    snprintf(moved, sizeof moved,
             "workers 1\ncontrol %s\nroute r {\n    listen %s\n    backend %s\n"
             "    recite to client never\n}\nroute s {\n    listen %s\n    backend %s\n"
             "    recite to client never\n}\n",
             control_path(), r.other, r.rig.backend, r.rig.listen, r.rig.backend);
    rig_configure(&r.rig, "%s", moved);
    reload_well();
    ck_assert_uint_eq(inode_of(r.rig.listen), inos[0]);
    ck_assert_uint_eq(inode_of(r.other), inos[1]);
    rig_session(&r.rig, NULL, NULL, &p);
    rig_await_log(&r.rig, "route=s", NULL, 0);
    pair_close(&p);
    configure(&r, "", "", "");
    reload_well();
    await_routes(1);
    rig_session(&r.rig, NULL, NULL, &p);
    rig_await_log(&r.rig, "route=r", NULL, 0);
    pair_close(&p);
    rig_stop(&r.rig);
}
END_TEST

/* ---- rules ---- */

START_TEST(new_words_judge_the_next_session_and_no_earlier_one)
{
    struct reload_rig r;
    struct pair before;
    struct pair p;
    json_t *answer;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &before);
    configure(&r, "", DENIED, "");
    answer = reload(0, "reloaded");
    expect_text(part_with(answer, "difference", "route", "r"), "change", "changed");
    json_decref(answer);
    ck_assert_int_eq(refused(&r), EACCES);
    pair_ping(&before);
    configure(&r, "", "", "");
    reload_well();
    rig_session(&r.rig, NULL, NULL, &p);
    pair_ping(&p);
    pair_ping(&before);
    pair_close(&p);
    pair_close(&before);
    /* The inspector that the rule has needed stays. */
    rig_terminate(&r.rig);
    rig_deinit(&r.rig);
}
END_TEST

START_TEST(a_dry_run_shows_sessions_that_would_be_denied_and_changes_nothing)
{
    struct reload_rig r;
    struct pair before;
    struct pair p;
    json_t *answer;
    json_t *session;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &before);
    configure(&r, "", DENIED, route_s(&r));
    answer = reload(CONTROL_DRY_RUN, "would reload");
    expect_text(part_with(answer, "difference", "route", "s"), "change", "added");
    session = part_with(answer, "session", "verdict", "deny");
    expect_text(session, "route", "r");
    expect_text(session, "why", "names the client's user");
    expect_text(session, "end", "no");
    json_decref(answer);
    ck_assert_int_lt(access(r.other, F_OK), 0);
    rig_session(&r.rig, NULL, NULL, &p);
    pair_ping(&before);
    pair_close(&p);
    pair_close(&before);
    rig_stop(&r.rig);
}
END_TEST

START_TEST(sessions_that_the_new_rules_deny_end_on_request)
{
    struct reload_rig r;
    struct pair denied;
    struct pair other;
    json_t *answer;

    start(&r);
    configure(&r, "", "", route_s(&r));
    reload_well();
    rig_session(&r.rig, NULL, NULL, &denied);
    rig_session_at(r.other, r.rig.backend_fd, NULL, NULL, &other);
    configure(&r, "", DENIED, route_s(&r));
    answer = reload(CONTROL_END_DENIED, "reloaded");
    expect_text(part_with(answer, "session", "verdict", "deny"), "end", "end");
    json_decref(answer);
    pair_expect_end(&denied);
    rig_await_log(&r.rig, " ended: reason=denied-by-reload", NULL, 0);
    pair_ping(&other);
    pair_close(&other);
    rig_terminate(&r.rig);
    rig_deinit(&r.rig);
}
END_TEST

/* The rules in force when it connected allow it, and it is tried like those that run. */
START_TEST(a_session_in_its_handshake_is_tried_once_it_is_decided)
{
    struct control_request q = control_request_of(CONTROL_RELOAD);
    struct reload_rig r;
    struct message m;
    int client_fd;
    int backend_fd;
    int fd;

    start(&r);
    client_fd = peer_connect(r.rig.listen);
    peer_send_version(client_fd, 1, 0, peer_qemu_json, NULL);
    backend_fd = peer_accept(r.rig.backend_fd);
    peer_recv(backend_fd, &m);
    configure(&r, "", DENIED, "");
    q.flags = CONTROL_END_DENIED;
    fd = control_connect();
    control_send(fd, &q, sizeof q, NULL, 0);
    rig_await_log(&r.rig, "reloaded on request of uid=", NULL, 0);
    peer_send_version(backend_fd, m.hdr.id, WIRE_TYPE_REPLY, "{}", NULL);
    rig_await_log(&r.rig, " ended: reason=denied-by-reload", NULL, 0);
    message_deinit(&m);
    close(fd);
    close(client_fd);
    close(backend_fd);
    rig_terminate(&r.rig);
    rig_deinit(&r.rig);
}
END_TEST

/* ---- errors ---- */

START_TEST(a_wrong_file_changes_nothing)
{
    struct reload_rig r;
    struct pair p;
    json_t *answer;
    json_t *error;
    ino_t ino;

    start(&r);
    ino = inode_of(r.rig.listen);
    rig_session(&r.rig, NULL, NULL, &p);
    configure(&r, "log-level debug\nfrobnicate\n", DENIED, route_s(&r));
    answer = reload(0, "wrong");
    error = control_part_of(answer, 1, "error");
    ck_assert_int_eq(json_integer_value(json_object_get(error, "line")), 4);
    ck_assert_int_eq(json_integer_value(json_object_get(error, "column")), 1);
    expect_text(error, "text", "frobnicate");
    json_decref(answer);
    rig_await_log(&r.rig, ":4:1: unknown word", NULL, 0);
    rig_await_log(&r.rig, "not reloaded: 1 error in", NULL, 0);
    ck_assert_uint_eq(inode_of(r.rig.listen), ino);
    ck_assert_int_lt(access(r.other, F_OK), 0);
    pair_ping(&p);
    pair_close(&p);
    rig_session(&r.rig, NULL, NULL, &p);
    pair_close(&p);
    rig_stop(&r.rig);
}
END_TEST

/* Statements that a running poemd cannot take, and a word of the error. */
static const struct {
    const char *global;
    const char *error;
} fixed[] = {
    {"trace-buffer 9\n", "\"trace-buffer\""},
    {"max-sessions 2000\n", "\"max-sessions\""},
    {"user 61001\n", "\"user\""},
    {"trust-key /nonexistent\n", "cannot read a public key"},
    {"envelope /nonexistent\n", "cannot read the envelope"},
    {"revoked /nonexistent\n", "cannot read"},
};

START_TEST(words_that_cannot_change_are_errors)
{
    struct reload_rig r;
    json_t *answer;

    start(&r);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        configure(&r, fixed[i].global, "", "");
        answer = reload(0, "wrong");
        expect_text(control_part_of(answer, 1, "error"), "text", fixed[i].error);
        json_decref(answer);
    }
    rig_configure(&r.rig,
                  "workers 1\ncontrol %s\nroute r {\n    listen /%s mode 0666\n"
                  "    backend %s\n}\n",
                  control_path(), r.rig.listen, r.rig.backend);
    answer = reload(0, "wrong");
    expect_text(control_part_of(answer, 1, "error"), "text",
                "mode, owner and group of a socket in use cannot change");
    json_decref(answer);
    configure(&r, "max-sessions 100\nlog-level debug\n", "", "");
    reload_well();
    rig_stop(&r.rig);
}
END_TEST

START_TEST(a_socket_that_cannot_be_opened_leaves_none_of_the_others)
{
    struct reload_rig r;
    char more[1024];
    json_t *answer;

    start(&r);
    snprintf(more, sizeof more, "%sroute t {\n    listen %s\n    backend %s\n}\n", route_s(&r),
             r.rig.config, r.rig.backend);
    configure(&r, "", "", more);
    answer = reload(0, "wrong");
    expect_text(control_part_of(answer, 1, "error"), "text", "cannot listen on");
    json_decref(answer);
    ck_assert_int_lt(access(r.other, F_OK), 0);
    rig_stop(&r.rig);
}
END_TEST

/* Reading blocks in a thread: here on a pipe that no process writes to, as on a dead server. */
START_TEST(a_file_that_cannot_be_read_holds_up_nothing)
{
    struct control_request q = control_request_of(CONTROL_RELOAD);
    struct reload_rig r;
    struct pair before;
    struct pair p;
    json_t *part;
    bool last;
    int writer_fd;
    int fd;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &before);
    ck_assert(unlink(r.rig.config) == 0 && mkfifo(r.rig.config, 0600) == 0);
    /* Without a writer it is empty; with one, it is read until that has closed it. */
    json_decref(reload(0, "wrong"));
    writer_fd = open(r.rig.config, O_RDWR | O_CLOEXEC);
    fd = control_connect();
    control_send(fd, &q, sizeof q, NULL, 0);
    await_routes(1);
    pair_ping(&before);
    rig_session(&r.rig, NULL, NULL, &p);
    pair_close(&p);
    control_expect(&q, CONTROL_FAILED, "another reload is under way");
    configure(&r, "", "", route_s(&r));
    sock_close(&writer_fd);
    part = control_receive(fd, CONTROL_OK, &last);
    expect_text(json_object_get(part, "reload"), "outcome", "reloaded");
    json_decref(part);
    ck_assert_int_eq(access(r.other, F_OK), 0);
    while (!last) {
        json_decref(control_receive(fd, CONTROL_OK, &last));
    }
    close(fd);
    pair_ping(&before);
    pair_close(&before);
    fd = -1;
    if (!rig_wrapped()) {
        /* A stop does not wait for it: what the thread has is left to the end of the process. */
        writer_fd = open(r.rig.config, O_RDWR | O_CLOEXEC);
        fd = control_connect();
        control_send(fd, &q, sizeof q, NULL, 0);
        await_routes(2);
    }
    rig_terminate(&r.rig);
    sock_close(&fd);
    sock_close(&writer_fd);
    rig_deinit(&r.rig);
}
END_TEST

/* ---- signals ---- */

START_TEST(signals_reload_show_and_otherwise_do_nothing)
{
    static const int harmless[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGXFSZ};
    struct reload_rig r;
    struct pair p;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &p);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        ck_assert_int_eq(kill(r.rig.daemon, harmless[i]), 0);
    }
    ck_assert_int_eq(kill(r.rig.daemon, SIGRTMIN + 5), 0);
    configure(&r, "", "", route_s(&r));
    ck_assert_int_eq(kill(r.rig.daemon, SIGHUP), 0);
    rig_await_log(&r.rig, "reloaded on SIGHUP: 2 routes", NULL, 0);
    ck_assert_int_eq(kill(r.rig.daemon, SIGUSR1), 0);
    rig_await_log(&r.rig, "route=s: status: listens", NULL, 0);
    configure(&r, "nonsense\n", "", "");
    ck_assert_int_eq(kill(r.rig.daemon, SIGHUP), 0);
    rig_await_log(&r.rig, "not reloaded: 1 error in", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    configure(&r, "", "", "");
    reload_well();
    await_routes(1);
    rig_stop(&r.rig);
}
END_TEST

/* The file may have changed after it was read for the first signal. */
START_TEST(a_signal_during_a_reload_is_followed_by_another_one)
{
    struct reload_rig r;

    start(&r);
    ck_assert(unlink(r.rig.config) == 0 && mkfifo(r.rig.config, 0600) == 0);
    const int writer_fd = open(r.rig.config, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(kill(r.rig.daemon, SIGHUP), 0);
    await_routes(1);
    ck_assert_int_eq(kill(r.rig.daemon, SIGHUP), 0);
    await_routes(1);
    configure(&r, "", "", "");
    ck_assert_int_eq(unlink(r.rig.config), 0);
    configure(&r, "", "", route_s(&r));
    close(writer_fd);
    rig_await_log(&r.rig, "reloaded on SIGHUP: 1 route", NULL, 0);
    rig_await_log(&r.rig, "reloaded on SIGHUP: 2 routes", NULL, 0);
    rig_terminate(&r.rig);
    rig_deinit(&r.rig);
}
END_TEST

/* ---- stop ---- */

static int ask_to_stop(uint32_t flags)
{
    struct control_request q = control_request_of(CONTROL_STOP);
    const int fd = control_connect();
    bool last;

    q.flags = flags;
    control_send(fd, &q, sizeof q, NULL, 0);
    json_decref(control_receive(fd, CONTROL_OK, &last));
    ck_assert(last);
    return fd;
}

static void expect_stopped(struct rig *r, int fd)
{
    char byte;
    int status;

    ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
    close(fd);
    status = process_wait(r->daemon);
    r->daemon = 0;
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    ck_assert_int_lt(access(r->listen, F_OK), 0);
    rig_deinit(r);
}

START_TEST(a_stop_ends_sessions)
{
    struct reload_rig r;
    struct pair p;
    int fd;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &p);
    fd = ask_to_stop(0);
    pair_expect_end(&p);
    expect_stopped(&r.rig, fd);
}
END_TEST

START_TEST(a_drain_waits_for_sessions_and_refuses_clients)
{
    const struct control_request q = control_request_of(CONTROL_RELOAD);
    struct reload_rig r;
    struct pair p;
    int client_fd;
    int fd;

    start(&r);
    configure(&r, "log-level debug\n", "", "");
    reload_well();
    rig_session(&r.rig, NULL, NULL, &p);
    /* It is accepted, and sends nothing yet. */
    client_fd = peer_connect(r.rig.listen);
    rig_await_log(&r.rig, "session=3 route=r leg=client: connected", NULL, 0);
    fd = ask_to_stop(CONTROL_DRAIN);
    ck_assert_int_lt(access(r.rig.listen, F_OK), 0);
    rig_await_log(&r.rig, ": shutdown; error sent to the client: ", NULL, 0);
    control_expect(&q, CONTROL_FAILED, "poemd is stopping");
    peer_send_version(client_fd, 7, 0, peer_qemu_json, NULL);
    ck_assert_int_ne(peer_recv_error(client_fd, 7, WIRE_VERSION), 0);
    close(client_fd);
    pair_ping(&p);
    pair_close(&p);
    expect_stopped(&r.rig, fd);
}
END_TEST

/* ---- many ---- */

START_TEST(two_hundred_reloads_harm_no_session)
{
    struct reload_rig r;
    struct pair before;
    struct pair p;

    start(&r);
    rig_session(&r.rig, NULL, NULL, &before);
    for (int i = 0; i < 200; i++) {
        configure(&r, i % 3 == 0 ? "log-level debug\n" : "",
                  i % 2 == 0 ? "    drain-timeout 2s\n" : "", i % 2 == 0 ? route_s(&r) : "");
        reload_well();
        pair_ping(&before);
        rig_session(&r.rig, NULL, NULL, &p);
        pair_close(&p);
    }
    pair_close(&before);
    configure(&r, "", "", "");
    reload_well();
    await_routes(1);
    rig_stop(&r.rig);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("reload");
    TCase *const routes = rig_case(suite, "routes");
    TCase *const rules = rig_case(suite, "rules");
    TCase *const errors = rig_case(suite, "errors");
    TCase *const ends = rig_case(suite, "signals and stop");
    TCase *const many = rig_case(suite, "many");

    tcase_add_test(routes, a_new_route_is_served_and_the_old_one_keeps_its_socket);
    tcase_add_test(routes, a_route_that_is_gone_goes_with_its_last_session);
    tcase_add_test(routes, a_socket_moves_to_another_route_and_stays_the_same);
    tcase_add_test(rules, a_dry_run_shows_sessions_that_would_be_denied_and_changes_nothing);
    /* Valgrind lacks system calls that the inspector is started with. */
    if (!rig_wrapped()) {
        tcase_add_test(rules, new_words_judge_the_next_session_and_no_earlier_one);
        tcase_add_test(rules, sessions_that_the_new_rules_deny_end_on_request);
        tcase_add_test(rules, a_session_in_its_handshake_is_tried_once_it_is_decided);
    }
    tcase_add_test(errors, a_wrong_file_changes_nothing);
    tcase_add_test(errors, words_that_cannot_change_are_errors);
    tcase_add_test(errors, a_socket_that_cannot_be_opened_leaves_none_of_the_others);
    tcase_add_test(errors, a_file_that_cannot_be_read_holds_up_nothing);
    tcase_add_test(ends, signals_reload_show_and_otherwise_do_nothing);
    tcase_add_test(ends, a_signal_during_a_reload_is_followed_by_another_one);
    tcase_add_test(ends, a_stop_ends_sessions);
    tcase_add_test(ends, a_drain_waits_for_sessions_and_refuses_clients);
    tcase_add_test(many, two_hundred_reloads_harm_no_session);
    return unit_run(suite);
}
