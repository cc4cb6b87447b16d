/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * An audit log that something happens to while poemd writes it, and between two starts; and what it
 * says of a session of which not all is known.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/inject.h"
#include "tests/daemon/policy_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* What poemctl audit verify ends with. */
enum { INTACT = 0 };

/* How often a file is looked at, in ms, and how many times: no test waits that long. */
enum { LOOK_MS = 20, LOOKS = 1500 };

static char file[RIG_PATH];
static char key[RIG_PATH];
static char pub[RIG_PATH + 4];

static void init(struct policy_rig *p, const char *global)
{
    policy_init(p);
    snprintf(file, sizeof file, "%s", unit_path("audit.log"));
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    snprintf(pub, sizeof pub, "%s.pub", key);
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s\n%s", file, key, global);
}

static int verify(struct policy_rig *p)
{
    return policy_tool(
        p, (const char *const[]){policy_poemctl(), "audit", "verify", file, "--key", pub, NULL});
}

/* The last record of the event, a new reference, or NULL. */
static json_t *last_of(const char *event)
{
    FILE *const f = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    json_t *found = NULL;

    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *const is = json_string_value(json_object_get(o, "event"));

        if (is && strcmp(is, event) == 0) {
            json_decref(found);
            found = json_incref(o);
        }
        json_decref(o);
    }
    free(line);
    fclose(f);
    return found;
}

/* Whether a line of poemd's log has the text. */
static bool is_logged(const struct policy_rig *p, const char *text)
{
    FILE *const f = fopen(p->rig.log, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    ck_assert_ptr_nonnull(f);
    while (!found && getline(&line, &size, f) > 0) {
        found = strstr(line, text) != NULL;
    }
    free(line);
    fclose(f);
    return found;
}

/* ---- others who change it ---- */

static void cut(void)
{
    ck_assert_int_eq(truncate(file, 700), 0);
}

static void rename_it(void)
{
    ck_assert_int_eq(rename(file, unit_path("elsewhere")), 0);
}

/* No session begins that has no record, and what is said names the cause; or it begins tainted. */
START_TEST(a_log_that_is_changed_is_noticed)
{
    static const char *const global[] = {"", "on-audit-failure taint\n"};
    struct policy_result result;
    struct policy_rig p;

    init(&p, global[_i / 2]);
    policy_launch(&p, "");
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, "U");
    (_i % 2 ? rename_it : cut)();
    policy_session(&p, peer_qemu_json, "{}", &result);
    if (_i / 2) {
        ck_assert_int_eq(result.err, 0);
    } else {
        ck_assert_int_eq(result.err, EACCES);
        ck_assert(is_logged(&p, " denied: the audit log cannot be written"));
        ck_assert(is_logged(&p, "reason=unrecorded"));
    }
    if (_i % 2 == 0) {
        struct stat st;

        ck_assert_int_eq(stat(file, &st), 0);
        ck_assert_int_eq(st.st_size, 700);
    }
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    /* Which change is seen depends on the moment; that there was one does not. */
    ck_assert(is_logged(&p, "audit.log\" cannot be written: it"));
    rig_deinit(&p.rig);
}
END_TEST

/* poemd does not start on a log that has lost sealed records, unless it is told to. */
START_TEST(a_loss_is_accepted_by_an_operator_alone)
{
    const char *args[] = {"--config", NULL, NULL, NULL};
    struct policy_result result;
    struct policy_rig p;
    json_t *o;
    int status;

    init(&p, "");
    policy_launch(&p, "");
    policy_session(&p, peer_qemu_json, "{}", &result);
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p), INTACT);
    cut();
    args[1] = p.rig.config;
    status = rig_run(&p.rig, args);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    o = last_of("loss-accepted");
    ck_assert_ptr_null(o);
    args[2] = "--accept-loss";
    rig_launch_args(&p.rig, args);
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p), INTACT);
    o = last_of("loss-accepted");
    ck_assert_ptr_nonnull(o);
    ck_assert_int_gt(json_integer_value(json_object_get(o, "sealed")),
                     json_integer_value(json_object_get(o, "kept")));
    json_decref(o);
    rig_deinit(&p.rig);
}
END_TEST

/* ---- a quiet log ---- */

START_TEST(a_quiet_log_is_sealed)
{
    struct policy_result result;
    struct policy_rig p;
    int is = -1;

    init(&p, "");
    policy_launch(&p, "");
    policy_session(&p, peer_qemu_json, "{}", &result);
    for (int i = 0; i < LOOKS && is != INTACT; i++) {
        poll(NULL, 0, LOOK_MS);
        is = verify(&p);
    }
    ck_assert_int_eq(is, INTACT);
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    rig_deinit(&p.rig);
}
END_TEST

/* ---- a session of which not all is known ---- */

/* A session that goes on in another worker has a record of that, with what had passed by then. */
START_TEST(a_resumed_session_is_recorded)
{
    struct policy_rig p;
    struct pair pair;
    pid_t pids[RIG_WORKERS];
    json_t *o = NULL;
    json_t *passed;
    size_t n;

    init(&p, "");
    policy_launch(&p, "");
    rig_session_at(p.listen, p.rig.backend_fd, peer_qemu_json, "{}", &pair);
    pair_ping(&pair);
    n = rig_workers(&p.rig, pids);
    for (size_t i = 0; i < n; i++) {
        rig_await_rest(pids[i]);
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    }
    rig_await_log(&p.rig, "goes on in worker", NULL, 0);
    pair_ping(&pair);
    for (int i = 0; i < LOOKS && !o; i++) {
        o = last_of("session-resumed");
        poll(NULL, 0, o ? 0 : LOOK_MS);
    }
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(json_string_value(json_object_get(o, "reason")), "worker-died");
    ck_assert_str_eq(json_string_value(json_object_get(o, "doubt")), "none");
    ck_assert(json_is_false(json_object_get(o, "in-hand")));
    passed = json_object_get(json_object_get(o, "counts"), "to-backend");
    ck_assert_int_eq(json_integer_value(json_object_get(passed, "messages")), 1);
    json_decref(o);
    pair_close(&pair);
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    rig_deinit(&p.rig);
}
END_TEST

/* ---- monitors that are killed ---- */

/* Returns the number of records of the event about the session (0: about any, or none). */
static unsigned records_of(const char *event, json_int_t session)
{
    FILE *const f = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    unsigned n = 0;

    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *const is = json_string_value(json_object_get(o, "event"));

        n += is && strcmp(is, event) == 0 &&
             (session == 0 || json_integer_value(json_object_get(o, "session")) == session);
        json_decref(o);
    }
    free(line);
    fclose(f);
    return n;
}

/*
 * The client of a session leaves, and the monitor is killed a little later: before it has noticed,
 * or between the record's way to the log and to the disk. In any case the end is recorded once.
 */
START_TEST(each_end_is_recorded_once_whenever_the_monitor_dies)
{
    enum { ROUNDS = 8 };
    struct policy_rig p;
    struct pair stays;
    struct pair pair;
    json_int_t session;
    json_t *o;

    init(&p, "");
    policy_launch(&p, "");
    rig_session_at(p.listen, p.rig.backend_fd, peer_qemu_json, "{}", &stays);
    for (int i = 0; i < ROUNDS; i++) {
        const struct timespec moment = {.tv_nsec = 500000 * i};

        rig_session(&p.rig, peer_qemu_json, "{}", &pair);
        pair_close(&pair);
        nanosleep(&moment, NULL);
        ck_assert_int_eq(kill(rig_monitor(&p.rig), SIGKILL), 0);
        rig_await_log(&p.rig, "goes on after the end of an earlier monitor", NULL, 0);
        pair_ping(&stays);
    }
    pair_close(&stays);
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p), INTACT);
    o = last_of("session-opened");
    session = json_integer_value(json_object_get(o, "session"));
    json_decref(o);
    ck_assert_int_ge(session, ROUNDS);
    for (; session > 0; session--) {
        ck_assert_uint_eq(records_of("session-opened", session), 1);
        ck_assert_msg(records_of("session-ended", session) == 1, "session %lld: %u ends",
                      (long long)session, records_of("session-ended", session));
    }
    ck_assert_uint_eq(records_of("broker-start", 0), 1);
    ck_assert_uint_eq(records_of("broker-resumed", 0), ROUNDS);
    ck_assert_uint_eq(records_of("broker-stop", 0), 1);
    rig_deinit(&p.rig);
}
END_TEST

/* What has passed by then, and the number of its verdict, belong to the session afterwards. */
START_TEST(a_session_s_record_goes_on_with_the_next_monitor)
{
    struct policy_rig p;
    struct pair pair;
    json_t *passed;
    json_t *o;

    init(&p, "");
    policy_launch(&p, "");
    rig_session(&p.rig, peer_qemu_json, "{}", &pair);
    pair_ping(&pair);
    ck_assert_int_eq(kill(rig_monitor(&p.rig), SIGKILL), 0);
    rig_await_log(&p.rig, "goes on after the end of an earlier monitor", NULL, 0);
    pair_ping(&pair);
    pair_close(&pair);
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p), INTACT);
    o = last_of("broker-resumed");
    ck_assert_str_eq(json_string_value(json_object_get(o, "reason")), "monitor-died");
    ck_assert_int_eq(json_integer_value(json_object_get(o, "sessions")), 1);
    json_decref(o);
    o = last_of("session-ended");
    passed = json_object_get(json_object_get(o, "counts"), "to-backend");
    ck_assert_int_eq(json_integer_value(json_object_get(passed, "messages")), 2);
    ck_assert_ptr_nonnull(json_object_get(o, "looked"));
    json_decref(o);
    rig_deinit(&p.rig);
}
END_TEST

/* The workers that are there. Returns how many. */
static size_t poisoned_list(const struct policy_rig *p, pid_t out[RIG_WORKERS])
{
    const size_t n = rig_workers(&p->rig, out);
    char name[32];
    size_t workers = 0;

    for (size_t i = 0; i < n; i++) {
        if (process_status(out[i], "Name", name, sizeof name) &&
            strcmp(name, "poemd-worker") == 0) {
            out[workers++] = out[i];
        }
    }
    return workers;
}

/* The two workers: first the one that a session goes on in, as a line of the log names it. */
static void poisoned_workers(const struct policy_rig *p, const char *line, pid_t out[2])
{
    static const char before[] = "goes on in worker pid=";
    const struct patience patience = patience_begin();
    const char *const at = strstr(line, before);
    pid_t pids[RIG_WORKERS];

    ck_assert_ptr_nonnull(at);
    out[0] = (pid_t)strtol(at + strlen(before), NULL, 10);
    while (poisoned_list(p, pids) < 2) {
        ck_assert_msg(patience_again(&patience), "there is no second worker");
    }
    out[1] = pids[0] == out[0] ? pids[1] : pids[0];
}

/*
 * Opens a session, and finds out which worker has it by ending all of them: the log names the one
 * in which it goes on.
 */
static void poisoned_begin(struct policy_rig *p, struct pair *pair, pid_t workers[2])
{
    pid_t pids[RIG_WORKERS];
    char line[512];
    size_t n;

    rig_configure(&p->rig,
                  "workers 2\n%s\nroute r {\n    listen %s\n    backend %s\n"
                  "    sessions 2\n    recite to client never\n}\n",
                  p->global, p->rig.listen, p->rig.backend);
    rig_launch(&p->rig);
    rig_session(&p->rig, peer_qemu_json, "{}", pair);
    pair_ping(pair);
    n = poisoned_list(p, pids);
    for (size_t i = 0; i < n; i++) {
        rig_await_rest(pids[i]);
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    }
    rig_await_log(&p->rig, "goes on in worker", line, sizeof line);
    pair_ping(pair);
    poisoned_workers(p, line, workers);
}

/* Whether the message wants a reply makes no difference. */
static const struct {
    uint32_t flags;
    const char *logged;
} poisoned[] = {
    {WIRE_NO_REPLY, "id 4660, size 1017, flags 0x10"},
    {0, "id 4660, size 1017, flags 0x0"},
};

/* A message of which two workers die ends its session alone, and the record has its header. */
START_TEST(a_message_that_workers_die_of_is_recorded)
{
    static const uint8_t payload[1001];
    const struct wire_hdr hdr = {
        .id = 0x1234, .command = WIRE_REGION_WRITE, .flags = poisoned[_i].flags};
    struct injection j[2];
    struct policy_rig p;
    struct pair pair;
    struct pair other;
    pid_t workers[2];
    char line[512];
    json_t *o = NULL;
    json_t *message;

    if (geteuid() != 0 || !inject_possible()) {
        puts("skipped: a_message_that_workers_die_of_is_recorded: needs root on x86-64");
        return;
    }
    init(&p, "");
    poisoned_begin(&p, &pair, workers);
    rig_session(&p.rig, peer_qemu_json, "{}", &other);
    inject_begin(&j[0], workers[0]);
    peer_send(pair.client_fd, hdr, payload, sizeof payload, NULL);
    inject_until_send(&j[0], WIRE_HDR_SIZE + sizeof payload);
    /* It must not have sent the message before it is watched. */
    inject_begin(&j[1], workers[1]);
    inject_kill(&j[0]);
    inject_until_send(&j[1], WIRE_HDR_SIZE + sizeof payload);
    inject_kill(&j[1]);
    rig_await_log(&p.rig, "poisoned-message: two workers died of it: command 10 (REGION_WRITE), ",
                  line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, poisoned[_i].logged));
    rig_await_log(&p.rig, " ended: reason=poisoned-message", NULL, 0);
    pair_expect_end(&pair);
    pair_ping(&other);
    for (int i = 0; i < LOOKS && !o; i++) {
        o = last_of("session-ended");
        poll(NULL, 0, o ? 0 : LOOK_MS);
    }
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(json_string_value(json_object_get(o, "reason")), "poisoned-message");
    message = json_object_get(o, "message");
    ck_assert_str_eq(json_string_value(json_object_get(message, "from")), "client");
    ck_assert_str_eq(json_string_value(json_object_get(message, "name")), "REGION_WRITE");
    ck_assert_int_eq(json_integer_value(json_object_get(message, "command")), WIRE_REGION_WRITE);
    ck_assert_int_eq(json_integer_value(json_object_get(message, "id")), hdr.id);
    ck_assert_int_eq(json_integer_value(json_object_get(message, "size")),
                     WIRE_HDR_SIZE + sizeof payload);
    ck_assert_int_eq(json_integer_value(json_object_get(message, "flags")), hdr.flags);
    json_decref(o);
    pair_close(&other);
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p), INTACT);
    rig_deinit(&p.rig);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_audit_true: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: audit_true");
    tc = rig_case(suite, "true");
    tcase_add_loop_test(tc, a_log_that_is_changed_is_noticed, 0, 4);
    tcase_add_test(tc, a_loss_is_accepted_by_an_operator_alone);
    tcase_add_test(tc, a_quiet_log_is_sealed);
    tcase_add_test(tc, a_resumed_session_is_recorded);
    tcase_add_test(tc, each_end_is_recorded_once_whenever_the_monitor_dies);
    tcase_add_test(tc, a_session_s_record_goes_on_with_the_next_monitor);
    tcase_add_loop_test(tc, a_message_that_workers_die_of_is_recorded, 0, 2);
    return unit_run(suite);
}
