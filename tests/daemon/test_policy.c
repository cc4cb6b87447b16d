/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The real poemd decides on scripted peers: who they are, and what is known of their licences. What
 * each rule makes of which facts is tests/unit's matter; here, that the facts are the right ones,
 * and that the verdict reaches the client and the log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/policy_rig.h"
#include "tests/daemon/reciting.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define NOBODY 65534

/* The letter of a session whose backend's licence nobody knows, and no rule asks for. */
#define UNASKED "U"

/* ---- who may be client or backend ---- */

static const struct allow {
    const char *fact;
    const char *own;
    const char *other;
} allows[] = {
    {"user", "@UID", "4242"},
    {"group", "@GID", "4242"},
    {"exe", "@EXE", "/usr/bin/true"},
    {"digest", "@DIGEST", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};
#define ALLOWS ((int)(sizeof allows / sizeof *allows))

static const char *const parties[] = {"client", "backend"};

/* One fact of one party: named, not named, and among others that are. */
START_TEST(a_party_is_who_a_rule_names)
{
    const struct allow *a = &allows[_i / 2];
    const char *party = parties[_i % 2];
    struct policy_result result;
    struct policy_rig p;
    char text[512];

    snprintf(text, sizeof text, "allow %s %s %s\nallow %s %s %s", party, a->fact, a->other, party,
             a->fact, a->own);
    policy_start(&p, text);
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, UNASKED);
    policy_stop(&p);
}
END_TEST

START_TEST(a_party_that_no_rule_names_is_denied)
{
    const struct allow *a = &allows[_i / 2];
    const char *party = parties[_i % 2];
    struct policy_result result;
    struct policy_rig p;
    char text[512];
    char why[64];

    snprintf(text, sizeof text, "allow %s %s %s", party, a->fact, a->other);
    snprintf(why, sizeof why, "no \"allow %s %s\" names the %s's %s", party, a->fact, party,
             a->fact);
    policy_start(&p, text);
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_denied(&result, why, "for this one");
    ck_assert_ptr_nonnull(strstr(result.verdict, party));
    policy_stop(&p);
}
END_TEST

/* Facts of one party are all demanded: three right ones do not outweigh a wrong one. */
START_TEST(all_facts_must_be_named)
{
    struct policy_result result;
    struct policy_rig p;
    char text[1024] = "";

    for (int i = 0; i < ALLOWS; i++) {
        const size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "allow client %s %s\n", allows[i].fact,
                 i == _i ? allows[i].other : allows[i].own);
    }
    policy_start(&p, text);
    policy_session(&p, peer_qemu_json, "{}", &result);
    if (_i == ALLOWS) {
        policy_expect_let(&result, UNASKED);
    } else {
        snprintf(text, sizeof text, "no \"allow client %s\"", allows[_i].fact);
        policy_expect_denied(&result, text, "for this one");
    }
    policy_stop(&p);
}
END_TEST

START_TEST(who_is_not_named_may_be_let_in_tainted)
{
    struct policy_result result;
    struct policy_rig p;

    policy_start(&p, "allow client user 4242\notherwise taint");
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, "UI");
    ck_assert_ptr_nonnull(strstr(result.verdict, "no \"allow client user\""));
    policy_stop(&p);
}
END_TEST

/* ---- peers that are other processes ---- */

START_TEST(two_users_are_told_apart)
{
    struct policy_result result;
    struct policy_client c;
    struct policy_rig p;

    if (geteuid() != 0) {
        puts("skipped: two_users_are_told_apart: only root can be two users");
        return;
    }
    policy_start(&p, _i ? "allow client user nobody" : "allow client user 0");
    policy_client_user(&c, NOBODY, p.listen);
    policy_client_go(&p, &c, &result);
    policy_client_end(&c);
    if (_i) {
        policy_expect_let(&result, UNASKED);
    } else {
        policy_expect_denied(&result, "the client's user, which is 65534", "for this one");
    }
    policy_session(&p, peer_qemu_json, "{}", &result);
    if (_i) {
        policy_expect_denied(&result, "the client's user, which is 0", "for this one");
    } else {
        policy_expect_let(&result, UNASKED);
    }
    policy_stop(&p);
}
END_TEST

/*
 * A client whose executable has been removed (0), replaced (1), or left alone (2): the path is not
 * its own any more, its bytes are.
 */
START_TEST(a_path_counts_while_it_is_the_file_s)
{
    struct policy_result result;
    struct policy_client c;
    struct policy_rig p;
    char path[RIG_PATH];
    char text[512];

    policy_init(&p);
    snprintf(path, sizeof path, "%s", unit_path("program"));
    policy_copy_self(path);
    snprintf(text, sizeof text, "allow client exe %s", path);
    policy_launch(&p, text);
    policy_client_exec(&c, path, p.listen);
    if (_i < 2) {
        ck_assert_int_eq(unlink(path), 0);
    }
    if (_i == 1) {
        policy_copy_self(path);
    }
    policy_client_go(&p, &c, &result);
    policy_client_end(&c);
    if (_i == 2) {
        policy_expect_let(&result, UNASKED);
    } else {
        policy_expect_denied(&result, "which has been removed or replaced", "for this one");
    }
    policy_stop(&p);
}
END_TEST

START_TEST(a_removed_executable_still_has_its_digest)
{
    struct policy_result result;
    struct policy_client c;
    struct policy_rig p;
    char path[RIG_PATH];

    policy_start(&p, "allow client digest @DIGEST");
    snprintf(path, sizeof path, "%s", unit_path("program"));
    policy_copy_self(path);
    policy_client_exec(&c, path, p.listen);
    ck_assert_int_eq(unlink(path), 0);
    policy_client_go(&p, &c, &result);
    policy_client_end(&c);
    policy_expect_let(&result, UNASKED);
    policy_stop(&p);
}
END_TEST

/*
 * The child of the process that connected uses the socket. The facts are the parent's; once that
 * has gone, its executable is unknown, and what is unknown is nobody's.
 */
START_TEST(a_forked_client_is_who_connected)
{
    const bool stays = _i % 2 == 1;
    const bool by_exe = _i / 2 == 1;
    struct policy_result result;
    struct policy_client c;
    struct policy_rig p;

    policy_start(&p, by_exe ? "allow client exe @EXE" : "allow client user @UID");
    policy_client_forked(&c, stays, p.listen);
    policy_client_go(&p, &c, &result);
    policy_client_end(&c);
    if (stays || !by_exe) {
        policy_expect_let(&result, UNASKED);
    } else {
        policy_expect_denied(&result, "the client's exe, which is unknown: ", "for this one");
    }
    policy_stop(&p);
}
END_TEST

/* ---- licences ---- */

#define WITH_2 "licence of backend compatible with GPL-2.0-only"
#define SAYS(licence) "{\"capabilities\":{\"licence\":\"" licence "\"}}"

/* A broker that declares a good licence, and what the server behind it has declared. */
#define BEHIND(licence) \
    "{\"capabilities\":{\"licence\":\"MIT\",\"poem\":{\"v\":1,\"via\":[{\"by\":" \
    "\"000102030405060708090a0b0c0d0e0f\",\"recited\":\"no\",\"licence\":\"" licence "\"}]}}}"

static const struct licence_case {
    const char *statements;
    const char *reply;
    const char *taint; /* NULL: it is denied */
    const char *why;
    const char *mend;
} licences[] = {
    /* declared */
    {WITH_2, SAYS("GPL-2.0-or-later"), "E", "GPL-2.0-or-later, declared", NULL},
    {WITH_2 " evidence declared", SAYS("MIT"), "E", "MIT, declared", NULL},
    {WITH_2, SAYS("Apache-2.0"), NULL, "licence of backend: Apache-2.0, declared (declaration)",
     "a licence compatible with GPL-2.0-only"},
    {WITH_2, SAYS("LicenseRef-ours"), NULL, "LicenseRef-ours, declared", "a licence compatible"},
    {WITH_2, SAYS("MIT AND"), NULL, "not an SPDX expression", "a licence compatible"},
    {WITH_2 " evidence recited", SAYS("MIT"), NULL, "MIT, declared",
     "evidence of grade \"recited\" or higher for"},
    {WITH_2 " evidence packaged or better", SAYS("MIT"), NULL, "MIT, declared",
     "evidence of grade \"packaged\" or higher"},
    {WITH_2 " evidence signed", SAYS("MIT"), NULL, "MIT, declared",
     "evidence of grade \"signed\" or higher"},
    {"licence of backend osi-approved", SAYS("MIT"), "E", "MIT, declared", NULL},
    {"licence of backend osi-approved", SAYS("CC-BY-4.0"), NULL, "not approved by the OSI",
     "a licence approved by the OSI"},
    /* … and what it says of the one behind it */
    {WITH_2, BEHIND("GPL-2.0-only"), "EV", "MIT, declared", NULL},
    {WITH_2, BEHIND("LicenseRef-Proprietary"), NULL,
     "licence of server 1 of 1 behind the backend: LicenseRef-Proprietary, declared",
     "without a broker in between"},
    {WITH_2 " evidence packaged\nassign licence MIT to backend", BEHIND("Proprietary"), "OV",
     "MIT, assigned", NULL},
    /* nothing */
    {WITH_2, "{}", NULL, "the licence of the backend is unknown",
     "evidence of grade \"declared\" or"},
    /* not denied */
    {WITH_2 "\notherwise taint", SAYS("Apache-2.0"), "EC", "Apache-2.0, declared", NULL},
    {WITH_2 "\notherwise taint", "{}", "U", "is unknown", NULL},
    {WITH_2 " evidence packaged\notherwise taint", SAYS("MIT"), "E", "MIT, declared",
     "evidence of grade \"packaged\" or higher"},
    /* assigned */
    {WITH_2 " evidence assigned\nassign licence MIT to backend", "{}", "O", "MIT, assigned", NULL},
    {WITH_2 "\nassign licence MIT to backend exe @EXE", SAYS("Apache-2.0"), "O", "MIT, assigned",
     NULL},
    {WITH_2 "\nassign licence MIT to backend digest @DIGEST", "{}", "O", "MIT, assigned", NULL},
    {WITH_2 "\nassign licence MIT to backend exe /usr/bin/true", "{}", NULL, "is unknown",
     "evidence of grade \"declared\" or higher"},
    {WITH_2 "\nassign licence Apache-2.0 to backend", SAYS("MIT"), NULL, "Apache-2.0, assigned",
     "a licence compatible"},
    {WITH_2 " evidence signed\nassign licence MIT to client", SAYS("MIT"), NULL, "MIT, declared",
     "evidence of grade \"signed\" or higher"},
};
#define LICENCES ((int)(sizeof licences / sizeof *licences))

START_TEST(a_backend_s_licence)
{
    const struct licence_case *c = &licences[_i];
    struct policy_result result;
    struct policy_rig p;

    policy_start(&p, c->statements);
    policy_session(&p, peer_qemu_json, c->reply, &result);
    if (c->taint) {
        policy_expect_let(&result, c->taint);
        ck_assert_msg(strstr(result.verdict, c->why), "\"%s\" is not in: %s", c->why,
                      result.verdict);
        ck_assert(!c->mend || strstr(result.verdict, c->mend));
    } else {
        policy_expect_denied(&result, c->why, c->mend);
    }
    policy_stop(&p);
}
END_TEST

START_TEST(a_client_s_licence)
{
    struct policy_result result;
    struct policy_rig p;

    policy_start(&p, "licence of client compatible with GPL-3.0-or-later");
    policy_session(&p, SAYS("Apache-2.0"), "{}", &result);
    policy_expect_let(&result, "UE");
    policy_session(&p, SAYS("GPL-2.0-only"), "{}", &result);
    policy_expect_denied(&result, "licence of client: GPL-2.0-only, declared",
                         "compatible with GPL-3.0-or-later");
    policy_session(&p, peer_qemu_json, SAYS("Apache-2.0"), &result);
    policy_expect_denied(&result, "the licence of the client is unknown", "evidence");
    policy_stop(&p);
}
END_TEST

/* A backend recites the poem under a licence, where one is demanded. */
static void backend_recites(const char *statements, const char *licence, struct policy_result *out)
{
    struct policy_rig p;
    struct pair pair;
    char text[256];
    bool challenged;
    int err;

    snprintf(text, sizeof text, "demand recital from backend\n%s", statements);
    policy_start(&p, text);
    pair.client_fd = peer_connect(p.listen);
    peer_send_version(pair.client_fd, RECITING_ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair.backend_fd = peer_accept(p.rig.backend_fd);
    reciting_backend(pair.backend_fd, &poem_builtin, licence, &challenged);
    ck_assert(challenged);
    err = policy_receive(pair.client_fd);
    policy_hear(&p, err, out);
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    policy_stop(&p);
}

static const struct {
    const char *statements;
    const char *licence;
    const char *why;
    const char *mend; /* NULL: it is let in */
} recitals[] = {
    {WITH_2 " evidence recited", "GPL-2.0-only", "GPL-2.0-only, recited (recital)", NULL},
    {WITH_2 " evidence packaged", "GPL-2.0-only", "GPL-2.0-only, recited",
     "evidence of grade \"packaged\" or higher"},
    {WITH_2, "Apache-2.0", "Apache-2.0, recited", "a licence compatible"},
};

START_TEST(a_recital_is_evidence)
{
    struct policy_result result;

    backend_recites(recitals[_i].statements, recitals[_i].licence, &result);
    if (recitals[_i].mend) {
        policy_expect_denied(&result, recitals[_i].why, recitals[_i].mend);
    } else {
        policy_expect_let(&result, "E");
        ck_assert_ptr_nonnull(strstr(result.verdict, recitals[_i].why));
    }
}
END_TEST

/* ---- signed ---- */

/*
 * Makes a key pair, and an envelope by it that says under which licence the test's program is, up
 * to that day.
 */
static void attest(struct policy_rig *p, const char *licence, const char *expires)
{
    char key[RIG_PATH];
    char pub[RIG_PATH];
    char envelope[RIG_PATH];
    char exe[256] = "";

    snprintf(key, sizeof key, "%s", unit_path("vendor.pem"));
    snprintf(pub, sizeof pub, "%s", unit_path("vendor.pub.pem"));
    snprintf(envelope, sizeof envelope, "%s", unit_path("program.dsse"));
    ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
    ck_assert_int_eq(policy_tool(p, (const char *const[]){"openssl", "genpkey", "-algorithm",
                                                          "ed25519", "-out", key, NULL}),
                     0);
    ck_assert_int_eq(policy_tool(p, (const char *const[]){"openssl", "pkey", "-in", key, "-pubout",
                                                          "-out", pub, NULL}),
                     0);
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "attest", "--licence",
                                                          licence, "--key", key, "--expires",
                                                          expires, "-o", envelope, exe, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "envelope %s\n", envelope);
}

static void trust(struct policy_rig *p)
{
    const size_t n = strlen(p->global);

    snprintf(p->global + n, sizeof p->global - n, "trust-key %s\n", unit_path("vendor.pub.pem"));
}

/* What a trusted key has signed is better than what the party says; what another has is nothing. */
START_TEST(an_envelope_of_a_trusted_key_is_evidence)
{
    const bool trusted = _i > 0;
    const bool proprietary = _i == 2;
    struct policy_result result;
    struct policy_rig p;

    policy_init(&p);
    attest(&p, proprietary ? "Apache-2.0" : "GPL-2.0-or-later", "9999-12-31");
    if (trusted) {
        trust(&p);
    }
    policy_launch(&p, WITH_2 " evidence signed or better");
    policy_session(&p, peer_qemu_json, SAYS("MIT"), &result);
    if (!trusted) {
        policy_expect_denied(&result, "MIT, declared", "evidence of grade \"signed\" or higher");
    } else if (proprietary) {
        policy_expect_denied(&result, "Apache-2.0, signed (envelope", "a licence compatible");
    } else {
        policy_expect_let(&result, "-");
        ck_assert_ptr_nonnull(strstr(result.verdict, "GPL-2.0-or-later, signed (envelope"));
    }
    policy_stop(&p);
}
END_TEST

/* The list is read again by a reload, and the envelope counts until then. */
START_TEST(a_revoked_envelope_is_no_evidence_after_a_reload)
{
    struct policy_result result;
    struct policy_rig p;
    char revoke[3 * RIG_PATH];
    size_t n;

    policy_init(&p);
    attest(&p, "GPL-2.0-or-later", "9999-12-31");
    trust(&p);
    n = strlen(p.global);
    snprintf(p.global + n, sizeof p.global - n, "revoked %s\n", unit_path("revoked"));
    ck_assert_int_eq(policy_tool(&p, (const char *const[]){"touch", unit_path("revoked"), NULL}),
                     0);
    policy_launch(&p, WITH_2 " evidence signed or better");
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_let(&result, "-");
    snprintf(revoke, sizeof revoke, "sha256sum < %s | sed 's/-/it was lost/' > %s",
             unit_path("program.dsse"), unit_path("revoked"));
    ck_assert_int_eq(policy_tool(&p, (const char *const[]){"sh", "-c", revoke, NULL}), 0);
    ck_assert_int_eq(kill(p.rig.daemon, SIGHUP), 0);
    rig_await_log(&p.rig, "reloaded on SIGHUP: ", NULL, 0);
    policy_session(&p, peer_qemu_json, "{}", &result);
    policy_expect_denied(&result, "the licence of the backend is unknown", "evidence");
    p.rig.monitor_fds++; /* the thread that reads configurations has an eventfd from now on */
    policy_stop(&p);
}
END_TEST

/* It has connected, and sent nothing yet, when the envelope is revoked. */
START_TEST(a_session_in_its_handshake_keeps_its_keys_through_a_reload)
{
    struct policy_result result;
    struct policy_rig p;
    struct pair pair;
    char revoke[3 * RIG_PATH];
    size_t n;

    policy_init(&p);
    attest(&p, "GPL-2.0-or-later", "9999-12-31");
    trust(&p);
    n = strlen(p.global);
    snprintf(p.global + n, sizeof p.global - n, "log-level debug\nrevoked %s\n",
             unit_path("revoked"));
    ck_assert_int_eq(policy_tool(&p, (const char *const[]){"touch", unit_path("revoked"), NULL}),
                     0);
    policy_launch(&p, WITH_2 " evidence signed or better");
    pair.client_fd = peer_connect(p.listen);
    rig_await_log(&p.rig, "connected", NULL, 0);
    snprintf(revoke, sizeof revoke, "sha256sum < %s | sed 's/-/it was lost/' > %s",
             unit_path("program.dsse"), unit_path("revoked"));
    ck_assert_int_eq(policy_tool(&p, (const char *const[]){"sh", "-c", revoke, NULL}), 0);
    ck_assert_int_eq(kill(p.rig.daemon, SIGHUP), 0);
    rig_await_log(&p.rig, "reloaded on SIGHUP: ", NULL, 0);
    peer_send_version(pair.client_fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    pair.backend_fd = policy_answer(&p, "{}");
    policy_hear(&p, policy_receive(pair.client_fd), &result);
    policy_expect_let(&result, "-");
    pair_close(&pair);
    rig_await_log(&p.rig, " ended: ", NULL, 0);
    p.rig.monitor_fds++; /* the thread that reads configurations has an eventfd from now on */
    policy_stop(&p);
}
END_TEST

START_TEST(an_expired_envelope_is_no_evidence)
{
    struct policy_result result;
    struct policy_rig p;

    policy_init(&p);
    attest(&p, "GPL-2.0-or-later", "2026-11-01");
    trust(&p);
    policy_launch(&p, WITH_2 " evidence signed or better");
    policy_session(&p, peer_qemu_json, SAYS("MIT"), &result);
    policy_expect_denied(&result, "its statement expired after 2026-11-01",
                         "evidence of grade \"signed\" or higher");
    policy_stop(&p);
}
END_TEST

/* ---- permissive until ---- */

/* A day of UTC so many days from now, as the configuration has it. */
static void day(int from_now, char out[16])
{
    const time_t t = time(NULL) + (time_t)from_now * 86400;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, 16, "%Y-%m-%d", &tm);
}

START_TEST(what_would_be_denied_is_let_in_up_to_a_day)
{
    struct policy_result result;
    struct policy_rig p;
    char text[256];
    char until[16];
    char again[16];

    day(_i, until);
    snprintf(text, sizeof text, WITH_2 "\npermissive until %s", until);
    policy_start(&p, text);
    policy_session(&p, peer_qemu_json, SAYS("Apache-2.0"), &result);
    day(_i, again);
    if (strcmp(until, again) != 0) {
        puts("skipped: what_would_be_denied_is_let_in_up_to_a_day: midnight came between");
    } else if (_i < 0) {
        policy_expect_denied(&result, "Apache-2.0, declared", "a licence compatible");
    } else {
        policy_expect_let(&result, "EOC");
        ck_assert_ptr_nonnull(strstr(result.verdict, "Apache-2.0, declared"));
    }
    policy_stop(&p);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *identity;
    TCase *others;
    TCase *licence;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_policy: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: policy");
    identity = rig_case(suite, "identity");
    others = rig_case(suite, "other processes");
    licence = rig_case(suite, "licences");
    tcase_add_loop_test(identity, a_party_is_who_a_rule_names, 0, 2 * ALLOWS);
    tcase_add_loop_test(identity, a_party_that_no_rule_names_is_denied, 0, 2 * ALLOWS);
    tcase_add_loop_test(identity, all_facts_must_be_named, 0, ALLOWS + 1);
    tcase_add_test(identity, who_is_not_named_may_be_let_in_tainted);
    tcase_add_loop_test(others, two_users_are_told_apart, 0, 2);
    tcase_add_loop_test(others, a_path_counts_while_it_is_the_file_s, 0, 3);
    tcase_add_test(others, a_removed_executable_still_has_its_digest);
    tcase_add_loop_test(others, a_forked_client_is_who_connected, 0, 4);
    tcase_add_loop_test(licence, a_backend_s_licence, 0, LICENCES);
    tcase_add_test(licence, a_client_s_licence);
    tcase_add_loop_test(licence, a_recital_is_evidence, 0, 3);
    tcase_add_loop_test(licence, an_envelope_of_a_trusted_key_is_evidence, 0, 3);
    tcase_add_test(licence, a_revoked_envelope_is_no_evidence_after_a_reload);
    tcase_add_test(licence, a_session_in_its_handshake_keeps_its_keys_through_a_reload);
    tcase_add_test(licence, an_expired_envelope_is_no_evidence);
    tcase_add_loop_test(licence, what_would_be_denied_is_let_in_up_to_a_day, -1, 2);
    return unit_run(suite);
}
