/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures as they are asked for at the control socket: what is no such request, what they may be
 * written to, and those who hold one. What is captured is test_trace.c's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/config/config_trace.h"
#include "tests/daemon/control_rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* The rig's own flight recorder is capture 1. */
#define FIRST 2

static struct control_request start_request(void)
{
    struct control_request q = control_request_of(CONTROL_TRACE_START);

    q.payload = CONFIG_PAYLOAD_DEFAULT;
    q.route[0] = 'r';
    return q;
}

static int make_file(const char *name)
{
    const int fd = open(unit_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Asks with an fd (taken); what comes at the connection that is returned is the answer. */
static int ask_with(const struct control_request *q, int fd)
{
    const int connection = control_connect();

    control_send(connection, q, sizeof *q, &fd, 1);
    close(fd);
    return connection;
}

/* The capture's number of the answer that comes first. */
static json_int_t started(int connection)
{
    bool last;
    json_t *part = control_receive(connection, CONTROL_OK, &last);
    const json_int_t n =
        json_integer_value(json_object_get(json_object_get(part, "trace"), "number"));

    ck_assert(last);
    ck_assert_int_gt(n, 0);
    json_decref(part);
    return n;
}

static json_int_t number(const json_t *o, const char *member)
{
    return json_integer_value(json_object_get(o, member));
}

/* Waits until the capture's state is this; then why it has ended, if it has, is that. */
static void await_state(json_int_t id, const char *state, const char *why)
{
    const struct control_request q = control_request_of(CONTROL_TRACE_LIST);
    const struct patience patience = patience_begin();
    bool there = false;

    while (!there) {
        json_t *all = control_answer_to(&q);

        for (size_t i = 0; i < json_array_size(all); i++) {
            json_t *t = control_part_of(all, i, "trace");

            if (number(t, "number") == id &&
                strcmp(json_string_value(json_object_get(t, "state")), state) == 0) {
                const char *said = json_string_value(json_object_get(t, "why"));

                ck_assert_msg(!why || (said && strcmp(said, why) == 0), "it ended: %s",
                              said ? said : "null");
                there = true;
            }
        }
        json_decref(all);
        ck_assert_msg(there || patience_again(&patience), "capture %d is never %s", (int)id, state);
    }
}

static void stop(json_int_t id)
{
    struct control_request q = control_request_of(CONTROL_TRACE_STOP);

    q.number = (uint64_t)id;
    json_decref(control_answer_to(&q));
}

/* ---- asking ---- */

START_TEST(what_is_no_request)
{
    struct control_request q;
    struct rig r;

    control_rig_start_tracing(&r);
    for (int i = 0; i < 4; i++) {
        q = start_request();
        q.number = i == 0;
        q.flags = i == 1 ? 2 : 0;
        q.memory_mib = i == 2 ? LIMIT_CONTROL_MEMORY_MIB + 1 : 0;
        q.route[0] = i == 3 ? '\0' : 'r';
        control_expect_at(ask_with(&q, make_file("f")), CONTROL_REFUSED, "not a valid request");
    }
    /* Without the fd that it needs. */
    q = start_request();
    control_expect(&q, CONTROL_REFUSED, "not a valid request");
    q.route[0] = 's';
    control_expect_at(ask_with(&q, make_file("f")), CONTROL_NO, "no such route");
    q = start_request();
    q.route[0] = '\0';
    q.number = 99;
    control_expect_at(ask_with(&q, make_file("f")), CONTROL_NO, "no such session");
    q = start_request();
    snprintf(q.filter, sizeof q.filter, "\x1b[31m");
    control_expect_at(ask_with(&q, make_file("f")), CONTROL_FAILED, "filter, character 1");
    rig_stop(&r);
}
END_TEST

START_TEST(what_a_capture_may_be_written_to)
{
    const struct control_request q = start_request();
    struct rig r;
    int pair[2];
    int other[2];

    control_rig_start_tracing(&r);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    control_expect_at(ask_with(&q, pair[0]), CONTROL_REFUSED, "must go to a file or a pipe");
    close(pair[1]);
    ck_assert_int_eq(pipe2(other, O_CLOEXEC), 0);
    control_expect_at(ask_with(&q, other[0]), CONTROL_REFUSED, "must go to a file or a pipe");
    close(other[1]);
    control_expect_at(ask_with(&q, open(unit_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                      CONTROL_REFUSED, "must go to a file or a pipe");
    close(make_file("f"));
    control_expect_at(ask_with(&q, open(unit_path("f"), O_RDONLY | O_CLOEXEC)), CONTROL_REFUSED,
                      "must go to a file or a pipe");
    control_expect_at(ask_with(&q, open(unit_path("f"), O_PATH | O_CLOEXEC)), CONTROL_REFUSED,
                      "must go to a file or a pipe");
    rig_stop(&r);
}
END_TEST

/* In the middle of what a session does, again and again. */
START_TEST(captures_come_and_go_under_a_session)
{
    const struct control_request q = start_request();
    struct rig r;
    struct pair p;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    for (json_int_t i = FIRST; i < FIRST + 20; i++) {
        const int connection = ask_with(&q, make_file("f"));

        pair_ping(&p);
        ck_assert_int_eq(started(connection), i);
        pair_ping(&p);
        close(connection);
        stop(i);
        pair_ping(&p);
    }
    await_state(FIRST + 19, "ended", "asked");
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/*
 * A pipe that nobody reads, and that blocks: whoever gives it decides on that flag at any time. It
 * is full soon; a capture into a file goes on beside it, and loses nothing.
 */
START_TEST(a_pipe_that_blocks_stops_no_other_capture)
{
    const struct control_request q = start_request();
    struct trace_sums sums;
    struct rig r;
    struct pair p;
    int ends[2];
    int blocked;
    int file;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    blocked = ask_with(&q, dup(ends[1]));
    ck_assert_int_eq(started(blocked), FIRST);
    file = ask_with(&q, make_file("f"));
    ck_assert_int_eq(started(file), FIRST + 1);
    await_state(FIRST + 1, "running", NULL);
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    for (int i = 0; i < 600; i++) {
        pair_ping(&p);
    }
    stop(FIRST + 1);
    await_state(FIRST + 1, "ended", "asked");
    sums = trace_rig_read(unit_path("f"), NULL, NULL);
    ck_assert_uint_ge(sums.messages, 1200);
    ck_assert_uint_eq(sums.all_lost, 0);
    close(ends[0]);
    close(ends[1]);
    await_state(FIRST, "ended", "reader gone");
    close(blocked);
    close(file);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

#define SESSIONS 100
#define CAPTURES 60

/* That many captures of that many sessions are told to the tracer, however long it takes to hear.
 */
START_TEST(captures_of_many_sessions_while_the_tracer_is_busy)
{
    const struct control_request q = start_request();
    struct pair pairs[SESSIONS];
    struct rig r;
    pid_t tracer;

    control_rig_start_tracing(&r);
    tracer = trace_rig_tracer(&r);
    for (int i = 0; i < SESSIONS; i++) {
        rig_session(&r, NULL, NULL, &pairs[i]);
    }
    ck_assert_int_eq(kill(tracer, SIGSTOP), 0);
    for (json_int_t i = FIRST; i < FIRST + CAPTURES; i++) {
        const int connection = ask_with(&q, make_file("f"));

        ck_assert_int_eq(started(connection), i);
        close(connection);
    }
    ck_assert_int_eq(kill(tracer, SIGCONT), 0);
    for (json_int_t i = FIRST; i < FIRST + CAPTURES; i++) {
        stop(i);
        await_state(i, "ended", "asked");
    }
    for (int i = 0; i < SESSIONS; i++) {
        pair_close(&pairs[i]);
    }
    rig_stop(&r);
}
END_TEST

/*
 * As many as are remembered have ended behind one whose file dies with the tracer: its end makes
 * the oldest of them forgotten.
 */
START_TEST(an_end_with_the_tracer_behind_which_others_have_ended)
{
    const struct control_request q = start_request();
    const json_int_t more = 70;
    struct rig r;

    control_rig_start_tracing(&r);
    for (json_int_t i = FIRST; i < FIRST + more; i++) {
        const int connection = ask_with(&q, make_file("f"));

        ck_assert_int_eq(started(connection), i);
        close(connection);
        if (i > FIRST) {
            stop(i);
            await_state(i, "ended", "asked");
        }
    }
    ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGKILL), 0);
    await_state(FIRST, "ended", "tracer gone");
    await_state(1, "running", NULL);
    rig_stop(&r);
}
END_TEST

/* ---- holding ---- */

static int hold(const char *name)
{
    struct control_request q = start_request();

    q.flags = CONTROL_HOLD;
    return ask_with(&q, make_file(name));
}

START_TEST(who_closes_ends_what_it_holds)
{
    struct rig r;
    int fd;

    control_rig_start_tracing(&r);
    fd = hold("f");
    ck_assert_int_eq(started(fd), FIRST);
    await_state(FIRST, "running", NULL);
    close(fd);
    await_state(FIRST, "ended", "asked");
    /* Before it has read that it begins. */
    close(hold("g"));
    await_state(FIRST + 1, "ended", "asked");
    rig_stop(&r);
}
END_TEST

/*
 * At least so many messages were written: what of the handshake the tracer had not taken yet when
 * the capture began is in it, too, since the rig's own capture has it seen.
 */
static void expect_last(int fd, const char *why, json_int_t messages)
{
    bool last;
    json_t *part = control_receive(fd, CONTROL_OK, &last);
    const json_t *t = json_object_get(part, "trace");

    ck_assert(last);
    ck_assert_str_eq(json_string_value(json_object_get(t, "state")), "ended");
    ck_assert_str_eq(json_string_value(json_object_get(t, "why")), why);
    ck_assert_int_ge(number(t, "messages"), messages);
    json_decref(part);
    peer_expect_eof(fd);
    close(fd);
}

START_TEST(who_wants_the_end_is_told_of_it)
{
    struct rig r;
    struct pair p;
    int fd;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    for (json_int_t i = 0; i < 2; i++) {
        fd = hold("f");
        ck_assert_int_eq(started(fd), FIRST + i);
        await_state(FIRST + i, "running", NULL);
        /* The second reply is here before it is recorded, perhaps; all before it is. */
        pair_ping(&p);
        pair_ping(&p);
        if (i == 0) {
            ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
        } else {
            stop(FIRST + i);
        }
        expect_last(fd, "asked", 3);
    }
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(who_holds_and_speaks_is_dropped)
{
    const struct control_request q = control_request_of(CONTROL_STATUS);
    struct rig r;
    int fd;

    control_rig_start_tracing(&r);
    fd = hold("f");
    ck_assert_int_eq(started(fd), FIRST);
    control_send(fd, &q, sizeof q, NULL, 0);
    await_state(FIRST, "ended", "asked");
    peer_expect_eof(fd);
    close(fd);
    rig_stop(&r);
}
END_TEST

START_TEST(as_many_hold_as_there_is_room_for)
{
    const struct control_request q = control_request_of(CONTROL_STATUS);
    int fds[LIMIT_CONTROL_CLIENTS];
    struct rig r;
    char name[16];

    control_rig_start_tracing(&r);
    for (int i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        snprintf(name, sizeof name, "f%d", i);
        fds[i] = hold(name);
        ck_assert_int_eq(started(fds[i]), FIRST + i);
    }
    control_expect_at(control_connect(), CONTROL_FAILED, "64 clients are connected already");
    for (int i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        close(fds[i]);
    }
    /* They make room when what they held has ended. */
    rig_settle(&r);
    json_decref(control_answer_to(&q));
    await_state(FIRST + LIMIT_CONTROL_CLIENTS - 1, "ended", "asked");
    rig_stop(&r);
}
END_TEST

/* A pipe that nobody empties holds up the tracer's writing, and nobody else. */
START_TEST(a_pipe_that_is_not_read)
{
    struct control_request q = start_request();
    struct rig r;
    struct pair p;
    int ends[2];
    int fd;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    q.flags = CONTROL_HOLD;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    fd = ask_with(&q, ends[1]);
    ck_assert_int_eq(started(fd), FIRST);
    await_state(FIRST, "running", NULL);
    /* Some 160 bytes each: more than a pipe takes. */
    for (int i = 0; i < 1000; i++) {
        pair_ping(&p);
    }
    json_decref(control_answer_to(&(struct control_request){
        .magic = CONTROL_MAGIC, .version = CONTROL_VERSION, .type = CONTROL_SESSIONS}));
    close(ends[0]);
    expect_last(fd, "reader gone", 1);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The reader of a pipe goes while nothing passes. */
START_TEST(a_pipe_whose_reader_goes_ends_an_idle_capture)
{
    struct control_request q = start_request();
    struct rig r;
    struct pair p;
    int ends[2];
    int fd;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    q.flags = CONTROL_HOLD;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    fd = ask_with(&q, ends[1]);
    ck_assert_int_eq(started(fd), FIRST);
    await_state(FIRST, "running", NULL);
    close(ends[0]);
    expect_last(fd, "reader gone", 0);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control_trace");
    TCase *tc = rig_case(s, "asking");

    tcase_add_test(tc, what_is_no_request);
    tcase_add_test(tc, what_a_capture_may_be_written_to);
    tcase_add_test(tc, captures_come_and_go_under_a_session);
    tcase_add_test(tc, a_pipe_that_blocks_stops_no_other_capture);
    tcase_add_test(tc, captures_of_many_sessions_while_the_tracer_is_busy);
    tcase_add_test(tc, an_end_with_the_tracer_behind_which_others_have_ended);
    tc = rig_case(s, "holding");
    tcase_add_test(tc, who_closes_ends_what_it_holds);
    tcase_add_test(tc, who_wants_the_end_is_told_of_it);
    tcase_add_test(tc, who_holds_and_speaks_is_dropped);
    tcase_add_test(tc, as_many_hold_as_there_is_room_for);
    tcase_add_test(tc, a_pipe_that_is_not_read);
    tcase_add_test(tc, a_pipe_whose_reader_goes_ends_an_idle_capture);
    return unit_run(s);
}
