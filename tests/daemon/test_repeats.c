/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Clients that come again and again: what they may have poemd write. Each is counted, the first of
 * each kind has its records, and whoever is let in is recorded, however many there are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/daemon/policy_rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define ID 7
#define SAYS(licence) "{\"capabilities\":{\"licence\":\"" licence "\"}}"

/* More than may have records of their own, however slow the machine is. */
#define MANY (2 * LIMIT_REPEAT_BURST + 40)

static char log_path[RIG_PATH];

/* A rig with an audit log, and poemd running with these statements. */
static void start(struct policy_rig *p, const char *statements)
{
    char key[RIG_PATH];

    policy_init(p);
    snprintf(log_path, sizeof log_path, "%s", unit_path("audit.log"));
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s\n", log_path, key);
    policy_launch(p, statements);
}

/* What the log has once poemd has ended. */
struct sums {
    unsigned opened;
    unsigned verdicts;
    unsigned allowed;
    unsigned ended;
    unsigned repeats; /* records of them */
    uint64_t repeated;
    uint64_t denied;
};

static void add_record(struct sums *s, const json_t *o)
{
    const char *const event = json_string_value(json_object_get(o, "event"));
    const char *const verdict = json_string_value(json_object_get(o, "verdict"));

    s->opened += strcmp(event, "session-opened") == 0;
    s->verdicts += strcmp(event, "verdict") == 0;
    s->allowed += verdict && strncmp(verdict, "allow", 5) == 0;
    s->ended += strcmp(event, "session-ended") == 0;
    if (strcmp(event, "sessions-repeated") == 0) {
        const json_t *const reasons = json_object_get(o, "reasons");

        s->repeats++;
        s->repeated += (uint64_t)json_integer_value(json_object_get(o, "count"));
        s->denied += (uint64_t)json_integer_value(json_object_get(reasons, "denied"));
        ck_assert_str_le(json_string_value(json_object_get(o, "first")),
                         json_string_value(json_object_get(o, "last")));
        ck_assert_int_eq(json_integer_value(json_object_get(o, "uid")), (json_int_t)geteuid());
    }
}

static struct sums read_log(void)
{
    FILE *const f = fopen(log_path, "re");
    struct sums s = {0};
    char *line = NULL;
    size_t size = 0;

    ck_assert_ptr_nonnull(f);
    while (getline(&line, &size, f) > 0) {
        json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);

        ck_assert_ptr_nonnull(o);
        add_record(&s, o);
        json_decref(o);
    }
    free(line);
    fclose(f);
    return s;
}

/* A client that is answered so by its backend, to the end of its connection. */
static int come(struct policy_rig *p, const char *reply)
{
    struct pair pair;
    int err;

    pair.client_fd = peer_connect(p->listen);
    peer_send_version(pair.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair.backend_fd = policy_answer(p, reply);
    err = policy_receive(pair.client_fd);
    pair_close(&pair);
    return err;
}

static void stop(struct policy_rig *p)
{
    rig_settle(&p->rig);
    rig_terminate(&p->rig);
}

START_TEST(denials_are_counted)
{
    struct policy_rig p;
    struct sums before;
    struct sums s;

    start(&p, "licence of backend compatible with GPL-2.0-only");
    before = read_log();
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_int_eq(come(&p, SAYS("Apache-2.0")), EACCES);
    }
    stop(&p);
    s = read_log();
    ck_assert_uint_ge(s.repeats, 1);
    ck_assert_uint_ge(s.verdicts - before.verdicts, LIMIT_REPEAT_BURST);
    /* None is told twice, none is forgotten. */
    ck_assert_uint_eq(s.verdicts - before.verdicts + s.denied, MANY);
    ck_assert_uint_eq(s.repeated, s.denied);
    ck_assert_uint_eq(s.opened, s.verdicts);
    ck_assert_uint_eq(s.opened, s.ended);
    rig_deinit(&p.rig);
}
END_TEST

/* What a flood is not is recorded in the midst of it: another denial, and a session. */
START_TEST(another_kind_is_not_hidden)
{
    struct policy_rig p;
    struct sums before;
    struct sums s;

    start(&p, "licence of backend compatible with GPL-2.0-only");
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_int_eq(come(&p, SAYS("Apache-2.0")), EACCES);
    }
    before = read_log();
    ck_assert_int_eq(come(&p, "{}"), EACCES);
    s = read_log();
    ck_assert_uint_eq(s.verdicts, before.verdicts + 1);
    ck_assert_int_eq(come(&p, SAYS("MIT")), 0);
    s = read_log();
    ck_assert_uint_eq(s.allowed, before.allowed + 1);
    ck_assert_uint_eq(s.opened, s.verdicts);
    stop(&p);
    rig_deinit(&p.rig);
}
END_TEST

/* … and so is one that comes to nothing before it is judged. */
START_TEST(failed_handshakes_are_counted)
{
    struct policy_rig p;
    struct sums before;
    struct sums s;

    start(&p, "");
    before = read_log();
    for (unsigned i = 0; i < MANY; i++) {
        const int client_fd = peer_connect(p.listen);
        int backend_fd;

        peer_send_version(client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
        backend_fd = peer_accept(p.rig.backend_fd);
        close(backend_fd);
        ck_assert_int_ne(policy_receive(client_fd), 0);
        close(client_fd);
    }
    stop(&p);
    s = read_log();
    ck_assert_uint_ge(s.repeats, 1);
    ck_assert_uint_eq(s.ended - before.ended + s.repeated, MANY);
    ck_assert_uint_eq(s.opened, s.ended);
    rig_deinit(&p.rig);
}
END_TEST

/* Whoever is let in has his records, and waits for that. */
START_TEST(sessions_that_end_at_once_wait)
{
    struct policy_rig p;
    struct sums before;
    struct sums s;

    start(&p, "");
    before = read_log();
    for (unsigned i = 0; i < LIMIT_BRIEF_BURST + 8; i++) {
        ck_assert_int_eq(come(&p, "{}"), 0);
        rig_await_log(&p.rig, " ended: ", NULL, 0);
    }
    stop(&p);
    s = read_log();
    ck_assert_uint_eq(s.allowed - before.allowed, LIMIT_BRIEF_BURST + 8);
    ck_assert_uint_eq(s.repeats, 0);
    rig_deinit(&p.rig);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_repeats: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: repeats");
    tc = rig_case(suite, "repeats");
    tcase_add_test(tc, denials_are_counted);
    tcase_add_test(tc, another_kind_is_not_hidden);
    tcase_add_test(tc, failed_handshakes_are_counted);
    tcase_add_test(tc, sessions_that_end_at_once_wait);
    return unit_run(suite);
}
