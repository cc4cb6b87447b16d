/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log of the real poemd while sessions run: what is recorded and when, a disk without
 * room, a broker and an inspector that are killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"
#include "policy/inspector/inspector.h"
#include "tests/daemon/policy_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define ID 7
#define SAYS(licence) "{\"capabilities\":{\"licence\":\"" licence "\"}}"

/* What poemctl audit verify ends with. */
enum { INTACT = 0, UNSEALED = 5 };

struct log_paths {
    char file[RIG_PATH];
    char key[RIG_PATH];
    char pub[RIG_PATH + 4];
};

/* ---- the log ---- */

/* A policy rig whose poemd will keep an audit log in this folder of the test's ("" for its own). */
static void init(struct policy_rig *p, struct log_paths *l, const char *folder, const char *global)
{
    char name[64];

    policy_init(p);
    snprintf(name, sizeof name, "%saudit.log", folder);
    snprintf(l->file, sizeof l->file, "%s", unit_path(name));
    snprintf(l->key, sizeof l->key, "%s", unit_path("audit.pem"));
    snprintf(l->pub, sizeof l->pub, "%s.pub", l->key);
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", l->key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s\n%s", l->file, l->key, global);
}

static int verify(struct policy_rig *p, const struct log_paths *l)
{
    return policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "verify", l->file,
                                                "--key", l->pub, NULL});
}

/* Whether a record is one of such an event, of a session (0: any). */
static bool is_record(const json_t *o, const char *event, json_int_t session)
{
    const char *is = json_string_value(json_object_get(o, "event"));

    return is && strcmp(is, event) == 0 &&
           (session == 0 || json_integer_value(json_object_get(o, "session")) == session);
}

/*
 * How many records of an event the file has, of a session (0: all). The last one goes to *last (a
 * new reference; may be NULL).
 */
static unsigned records(const struct log_paths *l, const char *event, json_int_t session,
                        json_t **last)
{
    FILE *f = fopen(l->file, "re");
    char *line = NULL;
    size_t size = 0;
    unsigned n = 0;

    ck_assert_ptr_nonnull(f);
    if (last) {
        *last = NULL;
    }
    while (getline(&line, &size, f) > 0) {
        json_t *o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);

        if (is_record(o, event, session)) {
            n++;
            if (last) {
                json_decref(*last);
                *last = json_incref(o);
            }
        }
        json_decref(o);
    }
    free(line);
    fclose(f);
    return n;
}

/* A text in an object in an object; the caller has a reference to o. */
static const char *text_in(const json_t *o, const char *name, const char *member)
{
    const json_t *in = json_object_get(o, name);

    return json_string_value(member ? json_object_get(in, member) : in);
}

/* Ends poemd; its log is whole and sealed. */
static void stop(struct policy_rig *p, const struct log_paths *l)
{
    rig_settle(&p->rig);
    rig_terminate(&p->rig);
    ck_assert_int_eq(verify(p, l), INTACT);
    ck_assert_uint_eq(records(l, "broker-stop", 0, NULL), 1);
    rig_deinit(&p->rig);
}

/* ---- what is recorded ---- */

#define RULES "licence of backend compatible with GPL-2.0-only"

static const struct {
    const char *reply;
    const char *verdict;
    const char *taint;
    const char *reason; /* NULL: whichever side is seen to have closed first */
} sessions[] = {
    {SAYS("MIT"), "allow-tainted", "E", NULL},
    {SAYS("Apache-2.0"), "deny", "EC", "denied"},
    {"{}", "deny", "U", "denied"},
};
#define SESSIONS (sizeof sessions / sizeof *sessions)

/* The session's records are there, one of each. */
static void expect_session(const struct log_paths *l, json_int_t id, unsigned i)
{
    json_t *verdict;
    json_t *end;
    char taint[16];

    ck_assert_uint_eq(records(l, "session-opened", id, NULL), 1);
    ck_assert_uint_eq(records(l, "verdict", id, &verdict), 1);
    ck_assert_uint_eq(records(l, "session-ended", id, &end), 1);
    ck_assert_str_eq(text_in(verdict, "verdict", NULL), sessions[i].verdict);
    snprintf(taint, sizeof taint, "%s", text_in(verdict, "taint", NULL));
    ck_assert_str_eq(taint, sessions[i].taint);
    ck_assert_str_eq(text_in(verdict, "route", NULL), "p");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(verdict, "client"), "pid")),
                     getpid());
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_object_get(verdict, "backend"), "pid")), getpid());
    ck_assert_ptr_nonnull(
        json_object_get(json_object_get(json_object_get(verdict, "backend"), "exe"), "sha256"));
    ck_assert_str_eq(text_in(end, "taint", NULL), sessions[i].taint);
    ck_assert(!sessions[i].reason || strcmp(text_in(end, "reason", NULL), sessions[i].reason) == 0);
    json_decref(verdict);
    json_decref(end);
}

START_TEST(a_session_has_its_records)
{
    struct policy_result result;
    struct log_paths l;
    struct policy_rig p;
    json_int_t first;
    json_t *last;

    init(&p, &l, "", "");
    policy_launch(&p, RULES);
    ck_assert_uint_ge(records(&l, "session-ended", 0, &last), 1);
    /* The measure's sessions came first. */
    first = json_integer_value(json_object_get(last, "session")) + 1;
    json_decref(last);
    for (unsigned i = 0; i < SESSIONS; i++) {
        policy_session(&p, peer_qemu_json, sessions[i].reply, &result);
    }
    rig_settle(&p.rig);
    rig_terminate(&p.rig);
    for (unsigned i = 0; i < SESSIONS; i++) {
        expect_session(&l, first + i, i);
    }
    ck_assert_uint_eq(records(&l, "broker-start", 0, NULL), 1);
    ck_assert_uint_eq(records(&l, "config", 0, NULL), 1);
    ck_assert_uint_eq(records(&l, "broker-stop", 0, NULL), 1);
    ck_assert_int_eq(verify(&p, &l), INTACT);
    rig_deinit(&p.rig);
}
END_TEST

/* What the operator has assigned stands with the other evidence. */
START_TEST(evidence_is_recorded)
{
    struct policy_result result;
    struct log_paths l;
    struct policy_rig p;
    json_t *verdict;
    json_t *list;
    json_t *item;
    size_t i;
    unsigned seen = 0;

    init(&p, &l, "", "");
    policy_launch(&p, RULES "\nassign licence MIT to backend");
    policy_session(&p, peer_qemu_json, SAYS("Apache-2.0"), &result);
    policy_expect_let(&result, "O");
    ck_assert_uint_ge(records(&l, "verdict", 0, &verdict), 1);
    list = json_object_get(verdict, "evidence");
    json_array_foreach(list, i, item)
    {
        const char *grade = text_in(item, "grade", NULL);
        const char *licence = text_in(item, "licence", NULL);

        ck_assert_str_eq(text_in(item, "of", NULL), "backend");
        seen |= strcmp(grade, "declared") == 0 && strcmp(licence, "Apache-2.0") == 0 ? 1u : 0;
        seen |= strcmp(grade, "assigned") == 0 && strcmp(licence, "MIT") == 0 ? 2u : 0;
    }
    ck_assert_uint_eq(seen, 3);
    json_decref(verdict);
    stop(&p, &l);
}
END_TEST

/* An operator's word that decides is an event of its own, and says where it stands. */
static const struct {
    const char *statements;
    const char *reply;
    const char *what; /* NULL: there is no such event */
} overrides[] = {
    {"licence of backend compatible with GPL-2.0-only\npermissive until 9999-12-31",
     SAYS("Apache-2.0"), "permissive"},
    {"licence of backend compatible with GPL-2.0-only\nassign licence MIT to backend",
     SAYS("Apache-2.0"), "licence assigned to backend"},
    {"licence of client compatible with GPL-2.0-only\nassign licence MIT to client", "{}",
     "licence assigned to client"},
    {"licence of backend compatible with GPL-2.0-only\npermissive until 9999-12-31", SAYS("MIT"),
     NULL},
    {"otherwise taint\nlicence of backend compatible with GPL-2.0-only", SAYS("Apache-2.0"), NULL},
};

START_TEST(an_operator_s_word_is_recorded)
{
    struct policy_result result;
    struct policy_rig p;
    struct log_paths l;
    json_t *event = NULL;
    json_t *verdict = NULL;

    init(&p, &l, "", "");
    policy_launch(&p, overrides[_i].statements);
    policy_session(&p, peer_qemu_json, overrides[_i].reply, &result);
    ck_assert_int_eq(result.err, 0);
    stop(&p, &l);
    ck_assert_uint_eq(records(&l, "override", 0, &event), overrides[_i].what ? 1 : 0);
    if (overrides[_i].what) {
        const json_int_t session = json_integer_value(json_object_get(event, "session"));
        const char *where = json_string_value(json_object_get(event, "where"));

        ck_assert_uint_eq(records(&l, "verdict", session, &verdict), 1);
        ck_assert_str_eq(json_string_value(json_object_get(event, "what")), overrides[_i].what);
        ck_assert(where && strncmp(where, "line ", 5) == 0);
        ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")) + 1,
                         json_integer_value(json_object_get(verdict, "seq")));
        json_decref(verdict);
    }
    json_decref(event);
}
END_TEST

/* ---- when ---- */

START_TEST(the_verdict_is_on_disk_before_the_reply)
{
    struct log_paths l;
    struct policy_rig p;
    struct pair pair;
    unsigned before;

    init(&p, &l, "", "");
    policy_launch(&p, RULES);
    before = records(&l, "verdict", 0, NULL);
    for (unsigned i = 1; i <= 20; i++) {
        const bool fits = i % 2 == 0;
        json_t *verdict;

        pair.client_fd = peer_connect(p.listen);
        peer_send_version(pair.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
        pair.backend_fd = policy_answer(&p, fits ? SAYS("MIT") : "{}");
        ck_assert_int_eq(policy_receive(pair.client_fd), fits ? 0 : EACCES);
        ck_assert_uint_eq(records(&l, "verdict", 0, &verdict), before + i);
        ck_assert_str_eq(text_in(verdict, "verdict", NULL), fits ? "allow-tainted" : "deny");
        json_decref(verdict);
        pair_close(&pair);
        rig_await_log(&p.rig, " ended: ", NULL, 0);
    }
    stop(&p, &l);
}
END_TEST

START_TEST(a_log_that_is_written_verifies)
{
    struct policy_result result;
    struct log_paths l;
    struct policy_rig p;

    init(&p, &l, "", "");
    policy_launch(&p, "");
    for (int i = 0; i < 5; i++) {
        int is;

        policy_session(&p, peer_qemu_json, SAYS("MIT"), &result);
        is = verify(&p, &l);
        ck_assert_msg(is == INTACT || is == UNSEALED, "verify says %d", is);
    }
    stop(&p, &l);
}
END_TEST

/* ---- no room ---- */

/* A disk of 256 KiB at this folder, for this process and what it starts. */
static bool small_disk(const char *folder)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0) {
        return false;
    }
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_eq(mount("none", folder, "tmpfs", 0, "size=256k"), 0);
    return true;
}

static void fill(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const char bytes[512] = {1};

    ck_assert_int_ge(fd, 0);
    while (write(fd, bytes, sizeof bytes) > 0) {
    }
    ck_assert_int_eq(errno, ENOSPC);
    close(fd);
}

/*
 * The last page of the log's file may have room where the disk has none: sessions until that is
 * used up, of which the last is returned.
 */
static void until_full(struct policy_rig *p, struct pair *pair, int *err)
{
    char line[256];

    for (int i = 0; i < 32; i++) {
        pair->client_fd = peer_connect(p->listen);
        peer_send_version(pair->client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
        pair->backend_fd = policy_answer(p, "{}");
        *err = policy_receive(pair->client_fd);
        rig_await_log(&p->rig, *err ? "denied: " : " tainted: ", line, sizeof line);
        if (*err || strchr(strstr(line, " tainted: "), 'A')) {
            return;
        }
        pair_close(pair);
        rig_await_log(&p->rig, " ended: ", NULL, 0);
    }
    ck_abort_msg("the disk is never full");
}

/* Without room no session begins (0), or it begins tainted (1). Those there are go on. */
START_TEST(a_full_disk)
{
    static const char *const global[] = {"", "on-audit-failure taint\n"};
    struct policy_result result;
    struct log_paths l;
    struct policy_rig p;
    struct pair running;
    struct pair pair;
    char filler[RIG_PATH];
    int err;

    if (!small_disk(unit_path("disk"))) {
        puts("skipped: a_full_disk: only root can mount a small one");
        return;
    }
    snprintf(filler, sizeof filler, "%s", unit_path("disk/filler"));
    init(&p, &l, "disk/", global[_i]);
    policy_launch(&p, "sessions 2\n");
    rig_session_at(p.listen, p.rig.backend_fd, peer_qemu_json, "{}", &running);
    rig_await_log(&p.rig, " tainted: U", NULL, 0);
    fill(filler);
    until_full(&p, &pair, &err);
    ck_assert_int_eq(err, _i ? 0 : EACCES);
    if (_i) {
        pair_ping(&pair);
        pair_close(&pair);
    } else {
        pair_expect_end(&pair);
    }
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    pair_ping(&running);
    ck_assert_int_eq(unlink(filler), 0);
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, "U");
    pair_ping(&running);
    pair_close(&running);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    stop(&p, &l);
    ck_assert_int_eq(umount2(unit_path("disk"), MNT_DETACH), 0);
}
END_TEST

/* ---- killed ---- */

#define LOAD 8

START_TEST(a_killed_broker_s_log_is_recovered)
{
    struct policy_result result;
    struct log_paths l;
    struct policy_rig p;
    struct pair pairs[LOAD];
    unsigned verdicts;
    int found;

    init(&p, &l, "", "");
    policy_launch(&p, "sessions 64");
    for (int i = 0; i < LOAD; i++) {
        rig_session_at(p.listen, p.rig.backend_fd, peer_qemu_json, "{}", &pairs[i]);
    }
    verdicts = records(&l, "verdict", 0, NULL);
    /* More are under way. */
    for (int i = 0; i < LOAD; i++) {
        const int fd = peer_connect(p.listen);

        peer_send_version(fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
        close(fd);
    }
    rig_kill(&p.rig);
    for (int i = 0; i < LOAD; i++) {
        pair_expect_end(&pairs[i]);
    }
    /* Who has been dialled meanwhile is not the next session's. */
    while (peer_waits(p.rig.backend_fd, 0)) {
        close(peer_accept(p.rig.backend_fd));
    }
    found = verify(&p, &l);
    ck_assert_msg(found == INTACT || found == UNSEALED, "verify says %d", found);
    policy_run(&p, "sessions 64");
    /* It says so where the last records were not sealed. */
    ck_assert_uint_eq(records(&l, "log-recovered", 0, NULL), found == UNSEALED);
    ck_assert_uint_ge(records(&l, "verdict", 0, NULL), verdicts);
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, "U");
    rig_terminate(&p.rig);
    ck_assert_int_eq(verify(&p, &l), INTACT);
    ck_assert_uint_eq(records(&l, "broker-start", 0, NULL), 2);
    rig_deinit(&p.rig);
}
END_TEST

/* ---- the inspector ---- */

/* The pid of poemd's inspector that is not the old one; 0: there is none, or it is no program yet.
 */
static pid_t inspector_of(const struct policy_rig *p, pid_t old)
{
    pid_t pids[RIG_WORKERS];
    const size_t n = rig_workers(&p->rig, pids);

    for (size_t i = 0; i < n; i++) {
        char path[64];
        char text[256] = "";
        FILE *f;
        size_t got;

        snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pids[i]);
        f = fopen(path, "re");
        if (!f) {
            continue;
        }
        got = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        if (pids[i] != old && memmem(text, got, "--inspector", 11)) {
            return pids[i];
        }
    }
    return 0;
}

/* Waits for an inspector that is not the old one (0: any). poemd is ready without one. */
static pid_t await_inspector(const struct policy_rig *p, pid_t old)
{
    const struct patience patience = patience_begin();
    pid_t pid;

    while ((pid = inspector_of(p, old)) == 0) {
        ck_assert_msg(patience_again(&patience), "there is no inspector");
    }
    return pid;
}

/*
 * A session on that socket by a program that no inspector has seen yet, of this size (0: the
 * test's own), which the client is told err of. The verdict's record.
 */
static json_t *new_program(struct policy_rig *p, const struct log_paths *l, const char *listen,
                           const char *name, uint64_t size, int err)
{
    char path[RIG_PATH];
    struct policy_result result;
    struct policy_client c;
    json_t *verdict;

    snprintf(path, sizeof path, "%s", unit_path(name));
    policy_copy_self(path);
    if (size > 0) {
        /* Holes: what they cost is to be read, not to be stored. */
        ck_assert_int_eq(truncate(path, (off_t)size), 0);
    }
    policy_client_exec(&c, path, listen);
    policy_client_go(p, &c, &result);
    policy_client_end(&c);
    /* The file stays, or the next one could have its inode, and count as the same slow one. */
    ck_assert_int_eq(result.err, err);
    ck_assert_uint_ge(records(l, "verdict", 0, &verdict), 1);
    return verdict;
}

/* The same on route p. Whether its digest was found out. */
static bool new_program_is_known(struct policy_rig *p, const struct log_paths *l, const char *name,
                                 int err)
{
    json_t *const verdict = new_program(p, l, p->listen, name, 0, err);
    json_t *const client = json_object_get(verdict, "client");
    const bool known = json_object_get(json_object_get(client, "exe"), "sha256") != NULL;

    /* Either known, or why it is not. */
    ck_assert(known == !text_in(client, "unknown", "sha256"));
    json_decref(verdict);
    return known;
}

/* One that answers nothing: the digest is unknown, which is no allowed one's, and others pass. */
START_TEST(a_stopped_inspector_holds_up_nobody)
{
    struct log_paths l;
    struct policy_rig p;
    pid_t stopped;

    init(&p, &l, "", "");
    policy_launch(&p, _i ? "allow client digest @DIGEST" : "");
    stopped = await_inspector(&p, 0);
    ck_assert_int_eq(kill(stopped, SIGSTOP), 0);
    ck_assert(!new_program_is_known(&p, &l, "first", _i ? EACCES : 0));
    /* It has been replaced. */
    (void)await_inspector(&p, stopped);
    ck_assert(new_program_is_known(&p, &l, "second", 0));
    stop(&p, &l);
}
END_TEST

START_TEST(a_killed_inspector_is_replaced)
{
    struct log_paths l;
    struct policy_rig p;
    pid_t killed;

    init(&p, &l, "", "");
    policy_launch(&p, "");
    killed = await_inspector(&p, 0);
    ck_assert_int_eq(kill(killed, SIGKILL), 0);
    /* Whether it is back in time for this one is luck: it is decided in either case. */
    (void)new_program_is_known(&p, &l, "first", 0);
    (void)await_inspector(&p, killed);
    ck_assert(new_program_is_known(&p, &l, "second", 0));
    stop(&p, &l);
}
END_TEST

/* More than use up the credit: each takes more than is filled up again in INSPECTOR_JOB_MS. */
#define LARGE_PROGRAMS 16

/* Whether the client's digest is unknown because its user has used up the credit of the route. */
static bool exceeds_the_limit(const json_t *verdict)
{
    const char *const why = text_in(json_object_get(verdict, "client"), "unknown", "sha256");

    return why && strcmp(why, "its user's inspections on this route exceed the limit for now") == 0;
}

/*
 * Large programs use up what one user may have inspected on one route, and that alone. It is filled
 * up meanwhile, so a slow machine needs more of them.
 */
START_TEST(large_programs_are_their_own_routes_matter)
{
    struct log_paths l;
    struct policy_rig p;
    json_t *verdict;
    bool exceeded = false;
    unsigned n = 0;

    init(&p, &l, "", "");
    policy_launch(&p, "");
    for (; n < LARGE_PROGRAMS && !exceeded; n++) {
        char name[16];

        snprintf(name, sizeof name, "large%u", n);
        verdict = new_program(&p, &l, p.rig.listen, name, INSPECTOR_FILE_MAX, 0);
        exceeded = exceeds_the_limit(verdict);
        json_decref(verdict);
    }
    ck_assert(exceeded);
    ck_assert_uint_gt(n, LIMIT_INSPECT_CREDIT / INSPECTOR_FILE_MAX);
    verdict = new_program(&p, &l, p.listen, "first", 0, 0);
    ck_assert(!exceeds_the_limit(verdict));
    json_decref(verdict);
    stop(&p, &l);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *recorded;
    TCase *trouble;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_audit: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: audit");
    recorded = rig_case(suite, "recorded");
    trouble = rig_case(suite, "trouble");
    tcase_add_test(recorded, a_session_has_its_records);
    tcase_add_test(recorded, evidence_is_recorded);
    tcase_add_loop_test(recorded, an_operator_s_word_is_recorded, 0,
                        (int)(sizeof overrides / sizeof *overrides));
    tcase_add_test(recorded, the_verdict_is_on_disk_before_the_reply);
    tcase_add_test(recorded, a_log_that_is_written_verifies);
    tcase_add_loop_test(trouble, a_full_disk, 0, 2);
    tcase_add_test(trouble, a_killed_broker_s_log_is_recovered);
    tcase_add_loop_test(trouble, a_stopped_inspector_holds_up_nobody, 0, 2);
    tcase_add_test(trouble, a_killed_inspector_is_replaced);
    tcase_add_test(trouble, large_programs_are_their_own_routes_matter);
    return unit_run(suite);
}
