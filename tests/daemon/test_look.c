/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Evidence that changes after the look: clients that execute another program before their verdict
 * takes effect, and while their session relays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/policy_rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define SLEEP "/bin/sleep"

/* A client that begins a session and executes another program when it is asked to. */
struct changeling {
    const char *listen;
    bool first; /* before it has its reply */
    int go[2];
    int gone[2]; /* closed by the execution */
    pid_t pid;
    int backend_fd;
};

static void live_as_changeling(void *arg)
{
    const struct changeling *c = arg;
    const int fd = peer_connect(c->listen);
    char byte;

    peer_send_version(fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    if (!c->first && policy_receive(fd) != 0) {
        _exit(1);
    }
    /* The socket stays open across the execution. */
    if (fcntl(fd, F_SETFD, 0) < 0 || read(c->go[0], &byte, 1) != 1) {
        _exit(2);
    }
    execl(SLEEP, SLEEP, "60", NULL);
    _exit(3);
}

static void change(struct changeling *c)
{
    char byte;

    ck_assert_int_eq(write(c->go[1], "g", 1), 1);
    ck_assert_int_eq(read(c->gone[0], &byte, 1), 0);
}

/* Connects; the backend has got its request. */
static void begin(struct policy_rig *p, struct changeling *c, bool first)
{
    struct message m;

    c->listen = p->listen;
    c->first = first;
    ck_assert_int_eq(pipe2(c->go, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(c->gone, O_CLOEXEC), 0);
    c->pid = process_fork(live_as_changeling, c);
    close(c->gone[1]);
    c->backend_fd = peer_accept(p->rig.backend_fd);
    peer_recv(c->backend_fd, &m);
    if (first) {
        change(c);
    }
    peer_send_version(c->backend_fd, m.hdr.id, WIRE_TYPE_REPLY, "{}", NULL);
    message_deinit(&m);
}

static void end(struct changeling *c)
{
    close(c->go[0]);
    close(c->go[1]);
    close(c->gone[0]);
    close(c->backend_fd);
    ck_assert_int_eq(kill(c->pid, SIGKILL), 0);
    (void)process_wait(c->pid);
}

static void keep_record(struct policy_rig *p)
{
    char key[RIG_PATH];

    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s", unit_path("audit.log"), key);
}

/* Whether a line of the audit log has all of these. */
static bool recorded(const char *event, const char *a, const char *b)
{
    FILE *f = fopen(unit_path("audit.log"), "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    ck_assert_ptr_nonnull(f);
    while (!found && getline(&line, &size, f) > 0) {
        found = strstr(line, event) && strstr(line, a) && strstr(line, b);
    }
    free(line);
    fclose(f);
    return found;
}

START_TEST(before_the_verdict_takes_effect)
{
    static const struct {
        const char *statements;
        bool denied;
    } rows[] = {
        {"allow client exe @EXE", true},
        {"allow client exe @EXE\notherwise taint", false},
        {"", false},
    };
    struct changeling c;
    struct policy_rig p;

    policy_init(&p);
    keep_record(&p);
    policy_run(&p, rows[_i].statements);
    begin(&p, &c, true);
    rig_await_log(&p.rig, " leg=client: executable changed: at ", NULL, 0);
    if (rows[_i].denied) {
        rig_await_log(&p.rig, " ended: reason=denied", NULL, 0);
    } else {
        rig_await_log(&p.rig, " tainted: ", NULL, 0);
    }
    end(&c);
    if (!rows[_i].denied) {
        rig_await_log(&p.rig, " ended: ", NULL, 0);
    }
    rig_terminate(&p.rig);
    ck_assert(recorded("\"event\":\"verdict\"", "\"looked\":{", "\"looks\":1"));
    ck_assert(recorded("\"event\":\"executable-changed\"", "\"of\":\"client\"",
                       rows[_i].denied ? "\"then\":\"deny\"" : "\"then\":\"taint\""));
    ck_assert(recorded("\"event\":\"session-ended\"", "\"looks\":2", "\"looked\":{"));
    ck_assert_int_eq(recorded("\"event\":\"session-ended\"", "X\"", "\"taint\":"),
                     !rows[_i].denied);
    rig_deinit(&p.rig);
}
END_TEST

START_TEST(while_it_relays)
{
    const bool ends = _i;
    struct changeling c;
    struct policy_rig p;

    policy_init(&p);
    keep_record(&p);
    policy_run(&p, ends ? "look again every 1s" : "look again every 1000ms then taint");
    begin(&p, &c, false);
    rig_await_log(&p.rig, " allow", NULL, 0);
    change(&c);
    rig_await_log(&p.rig, " leg=client: executable changed: at ", NULL, 0);
    if (ends) {
        rig_await_log(&p.rig, " ended: reason=executable-changed", NULL, 0);
        end(&c);
    } else {
        rig_await_log(&p.rig, " tainted: X (executable", NULL, 0);
        end(&c);
        rig_await_log(&p.rig, " ended: ", NULL, 0);
    }
    rig_terminate(&p.rig);
    ck_assert(recorded("\"event\":\"executable-changed\"", "\"judged\":\"",
                       ends ? "\"then\":\"end\"" : "\"then\":\"taint\""));
    rig_deinit(&p.rig);
}
END_TEST

/* Looks that find nothing leave nothing but their times. */
START_TEST(who_stays_the_same)
{
    struct policy_rig p;
    struct pair pair;

    policy_init(&p);
    keep_record(&p);
    policy_run(&p, "allow client exe @EXE\nlook again every 1s");
    pair.client_fd = peer_connect(p.listen);
    peer_send_version(pair.client_fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair.backend_fd = policy_answer(&p, "{}");
    ck_assert_int_eq(policy_receive(pair.client_fd), 0);
    pair_ping(&pair);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    rig_terminate(&p.rig);
    ck_assert(!recorded("\"event\":\"executable-changed\"", "", ""));
    ck_assert(recorded("\"event\":\"session-ended\"", "\"looks\":2", "\"backend\":{\"first\""));
    rig_deinit(&p.rig);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_look: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: look again");
    tc = rig_case(suite, "changed");
    tcase_add_loop_test(tc, before_the_verdict_takes_effect, 0, 3);
    tcase_add_loop_test(tc, while_it_relays, 0, 2);
    tc = rig_case(suite, "the same");
    tcase_add_test(tc, who_stays_the_same);
    return unit_run(suite);
}
