/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Facts that a session keeps: other rules find in them what they would find at the verdict. */
#include "proxy/monitor/facts/kept_facts.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define TODAY 20261130u

static struct peer self;
static const struct config nothing_trusted;
static const struct inspection *inspected; /* of the client, by keep; NULL: none */

static struct kept_facts *keep(const char *declared, const char *recited)
{
    const struct rules_known known[SIDES] = {
        [SIDE_CLIENT] = {.peer = &self,
                         .inspection = inspected,
                         .recital = RECITAL_MISSING,
                         .recited = "",
                         .declared = declared},
        [SIDE_BACKEND] = {.peer = &self,
                          .recital = *recited ? RECITAL_OK : RECITAL_MISSING,
                          .recited = recited,
                          .declared = ""}};
    struct kept_facts *const k = kept_facts_new(known);

    ck_assert_ptr_nonnull(k);
    return k;
}

static void expect(const struct kept_facts *k, const struct rules *rules, enum kept_verdict wanted,
                   const char *has)
{
    char why[RULES_TEXT_SIZE];
    const enum kept_verdict v = kept_facts_try(k, rules, &nothing_trusted, TODAY, why);

    ck_assert_msg(v == wanted && strstr(why, has), "%d, not %d: %s", (int)v, (int)wanted, why);
}

static void try_allow(const struct kept_facts *k, struct rules_allow allow,
                      enum kept_verdict wanted)
{
    const struct rules rules = {.n_allow = 1, .allow = &allow};

    expect(k, &rules, wanted, "");
}

START_TEST(facts_of_the_kernel_are_kept)
{
    struct kept_facts *const k = keep("", "");
    struct rules_allow by_exe = {.party = SIDE_BACKEND, .fact = RULES_EXE, .text = self.exe.path};

    try_allow(k, (struct rules_allow){.party = SIDE_CLIENT, .fact = RULES_USER, .id = self.uid},
              KEPT_WOULD_PASS);
    try_allow(k, (struct rules_allow){.party = SIDE_CLIENT, .fact = RULES_USER, .id = 61000},
              KEPT_WOULD_DENY);
    try_allow(k, (struct rules_allow){.party = SIDE_CLIENT, .fact = RULES_GROUP, .id = self.gid},
              KEPT_WOULD_PASS);
    try_allow(k, by_exe, KEPT_WOULD_PASS);
    by_exe.text = "/usr/bin/other";
    try_allow(k, by_exe, KEPT_WOULD_DENY);
    kept_facts_free(k);
}
END_TEST

START_TEST(statements_of_the_peers_are_kept)
{
    struct kept_facts *const with = keep("", "GPL-2.0-or-later");
    struct kept_facts *const without = keep("", "");
    const struct rules rules = {.demand_recital = {[SIDE_BACKEND] = true},
                                .demand_line = {[SIDE_BACKEND] = 1}};

    expect(with, &rules, KEPT_WOULD_PASS, "");
    expect(without, &rules, KEPT_WOULD_DENY, "");
    kept_facts_free(with);
    kept_facts_free(without);
}
END_TEST

START_TEST(what_was_not_found_out_denies_nothing)
{
    struct kept_facts *const k = keep("", "");
    const struct rules_allow digest = {.party = SIDE_CLIENT,
                                       .fact = RULES_DIGEST,
                                       .text = "00000000000000000000000000000000"
                                               "00000000000000000000000000000000"};
    const struct rules_code code = {.party = SIDE_BACKEND, .least = EVIDENCE_PACKAGED};
    const struct rules by_digest = {.n_allow = 1, .allow = &digest};
    const struct rules by_code = {.n_code = 1, .code = &code};

    expect(k, &by_digest, KEPT_NOT_KNOWN, "client: its executable was not inspected");
    expect(k, &by_code, KEPT_NOT_KNOWN, "backend: the code that it has mapped is not kept");
    expect(NULL, &by_digest, KEPT_NOT_KNOWN, "no facts");
    kept_facts_free(k);
}
END_TEST

/* A failed inspection found out nothing, but an attempt was made: rules deny for it. */
START_TEST(a_failed_inspection_is_kept)
{
    static const struct inspection busy = {.outcome = INSPECTION_NOBODY, .error = EAGAIN};
    const struct rules_allow digest = {.party = SIDE_CLIENT,
                                       .fact = RULES_DIGEST,
                                       .text = "00000000000000000000000000000000"
                                               "00000000000000000000000000000000"};
    struct kept_facts *k;

    inspected = &busy;
    k = keep("", "");
    try_allow(k, digest, KEPT_WOULD_DENY);
    kept_facts_free(k);
    inspected = NULL;
}
END_TEST

/* A relaying session must be small, also if too many began at once for all to be inspected. */
START_TEST(they_take_little_memory)
{
    static const struct inspection busy = {.outcome = INSPECTION_NOBODY, .error = EAGAIN};
    struct kept_facts *kept[100];
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    size_t each;

    inspected = &busy;
    for (size_t i = 0; i < 100; i++) {
        kept[i] = keep("GPL-2.0-only", "GPL-2.0-or-later");
    }
    each = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / 100;
    for (size_t i = 0; i < 100; i++) {
        kept_facts_free(kept[i]);
    }
    inspected = NULL;
    ck_assert_uint_lt(each, 3072);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("kept_facts");
    TCase *const tc = tcase_create("all");
    int failed;

    peer_init_pid(&self, getpid(), true);
    tcase_add_test(tc, facts_of_the_kernel_are_kept);
    tcase_add_test(tc, statements_of_the_peers_are_kept);
    tcase_add_test(tc, what_was_not_found_out_denies_nothing);
    tcase_add_test(tc, a_failed_inspection_is_kept);
    tcase_add_test(tc, they_take_little_memory);
    suite_add_tcase(s, tc);
    failed = unit_run(s);
    peer_deinit(&self);
    return failed;
}
