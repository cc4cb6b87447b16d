/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The session state table, every pair of it, and the words by which logs and audit name an end. */
#include "proxy/ipc/session_state.h"

#include <string.h>

#include "tests/support/unit.h"

static const char *const names[SESSION_STATES] = {
    "accepted", "dialing", "reciting", "deciding", "relaying", "draining", "dead",
};

/* Row: from; column: to; 'x': allowed. Both in the order of names. */
static const char *const table[SESSION_STATES] = {
    /* accepted */ ".x....x",
    /* dialing  */ "..x...x",
    /* reciting */ "...x..x",
    /* deciding */ "....x.x",
    /* relaying */ ".....xx",
    /* draining */ "......x",
    /* dead     */ ".......",
};

/* In the order of the enum. */
static const char *const words[REASON_COUNT] = {
    "none",
    "client-closed",
    "backend-closed",
    "client-gone",
    "backend-gone",
    "backend-absent",
    "backend-refused",
    "version-malformed",
    "handshake-timeout",
    "denied",
    "unrecorded",
    "recital",
    "refused",
    "bad-frame",
    "too-many-fds",
    "fds-cut-off",
    "fds-unread",
    "own-socket",
    "handed-on",
    "truncated-message",
    "drain-timeout",
    "stalled",
    "client-died",
    "backend-died",
    "backend-silent",
    "backend-lost",
    "io-error",
    "no-resources",
    "worker-died",
    "worker-hung",
    "monitor-gone",
    "upgrade",
    "poisoned-message",
    "shutdown",
    "ended-by-operator",
    "executable-changed",
    "denied-by-reload",
    "injected",
    "internal-error",
};

START_TEST(every_pair_is_as_written)
{
    for (int from = 0; from < SESSION_STATES; from++) {
        ck_assert_uint_eq(strlen(table[from]), SESSION_STATES);
        for (int to = 0; to < SESSION_STATES; to++) {
            const bool follows =
                session_state_follows((enum session_state)from, (enum session_state)to);

            ck_assert_msg(follows == (table[from][to] == 'x'), "%s -> %s", names[from], names[to]);
        }
    }
}
END_TEST

START_TEST(no_state_out_of_range_follows_or_is_followed)
{
    const int outside[] = {SESSION_STATES, SESSION_STATES + 1, 31, 32, 33, -1};

    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        const enum session_state odd = (enum session_state)outside[i];

        for (int s = 0; s < SESSION_STATES; s++) {
            ck_assert(!session_state_follows(odd, (enum session_state)s));
            ck_assert(!session_state_follows((enum session_state)s, odd));
        }
        ck_assert_str_eq(session_state_name(odd), "?");
    }
}
END_TEST

START_TEST(every_state_leads_to_the_end)
{
    for (int from = 0; from < SESSION_DEAD; from++) {
        ck_assert(session_state_follows((enum session_state)from, SESSION_DEAD));
    }
}
END_TEST

START_TEST(names_are_as_written)
{
    for (int s = 0; s < SESSION_STATES; s++) {
        ck_assert_str_eq(session_state_name((enum session_state)s), names[s]);
    }
}
END_TEST

START_TEST(reasons_have_the_words_that_others_go_by)
{
    for (int r = 0; r < REASON_COUNT; r++) {
        ck_assert_ptr_nonnull(words[r]);
        ck_assert_str_eq(session_reason_word((enum session_reason)r), words[r]);
    }
    ck_assert_str_eq(session_reason_word(REASON_COUNT), "?");
    ck_assert_str_eq(session_reason_word((enum session_reason) - 1), "?");
}
END_TEST

START_TEST(reasons_words_are_unique_and_plain)
{
    for (int r = 0; r < REASON_COUNT; r++) {
        const char *const word = session_reason_word((enum session_reason)r);

        ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
        for (int other = 0; other < r; other++) {
            ck_assert_str_ne(word, session_reason_word((enum session_reason)other));
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_state");
    TCase *tc = unit_case(s, "states");

    tcase_add_test(tc, every_pair_is_as_written);
    tcase_add_test(tc, no_state_out_of_range_follows_or_is_followed);
    tcase_add_test(tc, every_state_leads_to_the_end);
    tcase_add_test(tc, names_are_as_written);
    tc = unit_case(s, "reasons");
    tcase_add_test(tc, reasons_have_the_words_that_others_go_by);
    tcase_add_test(tc, reasons_words_are_unique_and_plain);
    return unit_run(s);
}
