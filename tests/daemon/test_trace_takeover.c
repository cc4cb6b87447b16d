/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures that were requested by poemctl outlive the monitor: they go on in their file or pipe,
 * and poemctl waits for their end as before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/daemon/control_rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* The rig's own flight recorder is capture 1, and its measurement session 1. */
#define CAPTURE "2"
#define SESSION "2"

/* How the next monitor begins. */
enum end { KILLED, KILLED_WITH_WORKER, UPGRADED, ENDS };

static int make_file(const char *name)
{
    const int fd = open(unit_path(name), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Waits until the file has the text. */
static void await_text(const char *name, const char *text)
{
    const struct patience patience = patience_begin();
    static char all[65536];

    for (;;) {
        const int fd = open(unit_path(name), O_RDONLY | O_CLOEXEC);
        const ssize_t n = read(fd, all, sizeof all - 1);

        ck_assert_int_ge(n, 0);
        close(fd);
        all[n] = '\0';
        if (strstr(all, text)) {
            return;
        }
        ck_assert_msg(patience_again(&patience), "no \"%s\" in: %s", text, all);
    }
}

/* Runs a command of the shell, with poemctl as $0 and the control socket as $1. */
static pid_t shell(const char *command, const char *output)
{
    const char *const argv[] = {"/bin/sh",      "-c",          command, POEMCTL_PATH,
                                control_path(), unit_folder(), NULL};
    const int fd = make_file(output);
    const pid_t pid = process_start(argv, fd, -1);

    close(fd);
    return pid;
}

static void finish(pid_t pid)
{
    const int status = process_wait(pid);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
}

static void run(const char *command, const char *output)
{
    finish(shell(command, output));
}

/* Waits until the capture has more messages in its file than before; pings until then. */
static void await_more(const struct pair *p, const char *file, uint64_t before)
{
    const struct patience patience = patience_begin();

    do {
        ck_assert_msg(patience_again(&patience), "the capture has no more than %llu messages",
                      (unsigned long long)before);
        pair_ping(p);
    } while (access(unit_path(file), F_OK) < 0 ||
             trace_rig_read(unit_path(file), NULL, NULL).messages <= before);
}

/* Replaces the monitor, and waits until the next one goes on with the capture. */
static void replace_monitor(struct rig *r, enum end how)
{
    if (how == UPGRADED) {
        run("exec \"$0\" upgrade --control \"$1\"", "upgrade");
    } else {
        const pid_t worker = how == KILLED_WITH_WORKER ? trace_rig_worker(r) : 0;

        if (worker) {
            rig_await_rest(worker);
        }
        rig_await_rest(rig_monitor(r));
        ck_assert_int_eq(kill(rig_monitor(r), SIGKILL), 0);
        ck_assert(!worker || kill(worker, SIGKILL) == 0);
    }
    rig_await_log(r, "capture " CAPTURE " goes on", NULL, 0);
}

/* A worker that has been killed may still be found by its name for a while. */
static int rounds(int how)
{
    return how == KILLED_WITH_WORKER ? 1 : 2;
}

START_TEST(a_capture_to_a_file_goes_on)
{
    struct trace_sums sums;
    struct rig r;
    struct pair p;
    pid_t tracer;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    run("exec \"$0\" trace start --control \"$1\" -w \"$2/f\" --filter route=r --route r", "start");
    tracer = trace_rig_tracer(&r);
    await_more(&p, "f", 0);
    for (int i = 0; i < rounds(_i); i++) {
        replace_monitor(&r, (enum end)_i);
        sums = trace_rig_read(unit_path("f"), NULL, NULL);
        await_more(&p, "f", sums.messages);
    }
    ck_assert_int_eq(trace_rig_tracer(&r), tracer);
    run("exec \"$0\" trace list --control \"$1\"", "list");
    await_text("list", CAPTURE " route r, ");
    await_text("list", "filter route=r");
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    run("exec \"$0\" trace stop --control \"$1\" " CAPTURE, "stop");
    rig_await_log(&r, "capture " CAPTURE " ended: asked", NULL, 0);
    sums = trace_rig_read(unit_path("f"), NULL, NULL);
    ck_assert_int_eq(sums.outcome, TRACE_END);
    ck_assert_uint_eq(sums.sessions, 1);
    ck_assert_uint_eq(sums.over, 1);
    /* Each message is there, or counted as lost. */
    ck_assert_uint_eq(sums.messages + sums.all_lost, sums.seen);
    rig_stop(&r);
}
END_TEST

START_TEST(a_capture_to_a_pipe_goes_on)
{
    struct rig r;
    struct pair p;
    pid_t pipeline;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    pipeline = shell("{ \"$0\" trace start --control \"$1\" " SESSION " 2>\"$2/errors\" && "
                     "echo good >>\"$2/errors\"; } | tee \"$2/f\" | \"$0\" trace show -",
                     "shown");
    rig_await_log(&r, "capture " CAPTURE " to the client's file", NULL, 0);
    await_more(&p, "f", 0);
    for (int i = 0; i < rounds(_i); i++) {
        replace_monitor(&r, (enum end)_i);
        await_more(&p, "f", trace_rig_read(unit_path("f"), NULL, NULL).messages);
    }
    pair_close(&p);
    finish(pipeline);
    await_text("shown", "=== ");
    await_text("errors", "poemctl: trace " CAPTURE " ended: session ended");
    await_text("errors", "good");
    rig_stop(&r);
}
END_TEST

/* It is the next monitor that is asked to end it. */
START_TEST(poemctl_can_still_end_what_it_waits_for)
{
    struct rig r;
    struct pair p;
    pid_t waiting;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    waiting =
        shell("exec \"$0\" trace start --control \"$1\" --wait -w \"$2/f\" " SESSION, "errors");
    await_more(&p, "f", 0);
    replace_monitor(&r, (enum end)_i);
    ck_assert_int_eq(kill(waiting, SIGTERM), 0);
    finish(waiting);
    await_text("errors", "poemctl: trace " CAPTURE " ended: asked");
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Only the tracer has the file. */
START_TEST(a_capture_whose_tracer_dies_as_well_ends_with_a_reason)
{
    struct rig r;
    struct pair p;
    pid_t waiting;
    int status;

    control_rig_start_tracing(&r);
    rig_session(&r, NULL, NULL, &p);
    waiting =
        shell("exec \"$0\" trace start --control \"$1\" --wait -w \"$2/f\" " SESSION, "errors");
    await_more(&p, "f", 0);
    ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGSTOP), 0);
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGKILL), 0);
    status = process_wait(waiting);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    await_text("errors", "poemctl: trace " CAPTURE " ended: tracer gone");
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_takeover");
    TCase *const tc = rig_case(s, "the next monitor");

    tcase_add_loop_test(tc, a_capture_to_a_file_goes_on, 0, ENDS);
    tcase_add_loop_test(tc, a_capture_to_a_pipe_goes_on, 0, ENDS);
    tcase_add_test(tc, poemctl_can_still_end_what_it_waits_for);
    tcase_add_test(tc, a_capture_whose_tracer_dies_as_well_ends_with_a_reason);
    return unit_run(s);
}
