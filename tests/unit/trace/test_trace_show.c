/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Which message stands in which line: replies folded, requests given up, and the bounds of what is
 * held back. How a line looks is in tests/golden.
 */
#include "trace/decode/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"

static struct show *show;
static char out[1 << 20];
static size_t out_n;
static bool broken;

static bool take(const char *p, size_t n, void *arg)
{
    ck_assert_ptr_eq(arg, &show);
    if (broken) {
        return false;
    }
    /* Whole lines. */
    ck_assert(n > 0 && p[n - 1] == '\n');
    ck_assert_uint_lt(out_n + n, sizeof out);
    memcpy(out + out_n, p, n);
    out_n += n;
    out[out_n] = '\0';
    return true;
}

static void begin(bool json)
{
    said_reset();
    out_n = 0;
    out[0] = '\0';
    broken = false;
    said_session[0].over = false;
    show = show_new(&(struct show_options){.json = json}, take, &show);
    ck_assert_ptr_nonnull(show);
    show_session(show, &said_session[0]);
}

static void setup(void)
{
    begin(false);
}

static void teardown(void)
{
    show_forget(&said_session[0]);
    show_free(show);
}

static void feed(const struct said *s)
{
    show_message(show, &said_session[0], &s->m, NULL);
}

static void ask(uint16_t id)
{
    feed(said(SIDE_CLIENT, 0, id, WIRE_DEVICE_RESET, NULL, 0));
}

static void answer(uint16_t id)
{
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY, id, WIRE_DEVICE_RESET, NULL, 0));
}

/* Lines with the text in them. */
static unsigned count(const char *what)
{
    unsigned n = 0;

    for (const char *p = out; (p = strstr(p, what)); p++) {
        n++;
    }
    return n;
}

START_TEST(in_the_order_of_the_requests)
{
    ask(1);
    ask(2);
    answer(2);
    answer(1);
    show_end(show);
    ck_assert_str_eq(out, "=== edu0/1 begins\n"
                          "     0.000000 edu0/1 -->     1 DEVICE_RESET() = 0 <30.0 us>\n"
                          "     0.000010 edu0/1 -->     2 DEVICE_RESET() = 0 <10.0 us>\n");
}
END_TEST

START_TEST(a_pause_does_not_wait_for_replies)
{
    ask(1);
    ask(2);
    answer(2);
    show_pause(show);
    answer(1);
    show_pause(show);
    ck_assert_str_eq(out,
                     "=== edu0/1 begins\n"
                     "     0.000000 edu0/1 -->     1 DEVICE_RESET() <unfinished ...>\n"
                     "     0.000010 edu0/1 -->     2 DEVICE_RESET() = 0 <10.0 us>\n"
                     "     0.000030 edu0/1 <--     1 <... DEVICE_RESET resumed> = 0 <30.0 us>\n");
}
END_TEST

START_TEST(a_late_reply_has_a_line_of_its_own)
{
    ask(1);
    said_wait(SHOW_HELD_NS);
    ask(2);
    show_end(show);
    ck_assert_uint_eq(count("= no reply"), 2);
    show_forget(&said_session[0]);
    show_free(show);
    setup();
    ask(1);
    said_wait(SHOW_HELD_NS + 1);
    ask(2);
    answer(1);
    answer(2);
    show_end(show);
    ck_assert_str_eq(out,
                     "=== edu0/1 begins\n"
                     "     0.000000 edu0/1 -->     1 DEVICE_RESET() <unfinished ...>\n"
                     "     1.000000 edu0/1 -->     2 DEVICE_RESET() = 0 <20.0 us>\n"
                     "     1.000010 edu0/1 <--     1 <... DEVICE_RESET resumed> = 0 <1.0 s>\n");
}
END_TEST

START_TEST(lines_held_are_bounded)
{
    for (unsigned i = 0; i < SHOW_HELD_MAX; i++) {
        said_wait(1);
        ask((uint16_t)i);
    }
    show_end(show);
    ck_assert_uint_eq(count("= no reply"), SHOW_HELD_MAX);
    show_forget(&said_session[0]);
    show_free(show);
    setup();
    for (unsigned i = 0; i <= SHOW_HELD_MAX; i++) {
        said_wait(1);
        ask((uint16_t)i);
    }
    show_end(show);
    ck_assert_uint_eq(count("unfinished"), 1);
    ck_assert_uint_eq(count("= no reply"), SHOW_HELD_MAX);
}
END_TEST

/* The places of the ring are used again and again, in every order of replies. */
START_TEST(many_rounds)
{
    for (unsigned round = 0; round < 700; round++) {
        for (uint16_t i = 0; i < 7; i++) {
            ask((uint16_t)(round * 7 + i));
        }
        for (uint16_t i = 0; i < 7; i++) {
            answer((uint16_t)(round * 7 + (round & 1 ? i : 6u - i)));
        }
    }
    show_end(show);
    ck_assert_uint_eq(count("\n"), 1 + 700 * 7);
    ck_assert_uint_eq(count("DEVICE_RESET() = 0 <"), 700 * 7);
}
END_TEST

START_TEST(bytes_held_are_bounded)
{
    static uint8_t payload[8000];
    unsigned held;

    show_forget(&said_session[0]);
    show_free(show);
    begin(true);
    memcpy(payload, &(struct wire_region_access){0, 0, sizeof payload - 16}, 16);
    for (uint16_t i = 0; i < 600; i++) {
        said_wait(1);
        feed(said(SIDE_CLIENT, 0, i, WIRE_REGION_WRITE, payload, sizeof payload));
        /* What has been written is of no interest. */
        held = count("\"unfinished\":true");
        out_n = held ? 0 : out_n;
        if (held) {
            return;
        }
    }
    ck_abort_msg("never given up");
}
END_TEST

START_TEST(as_json)
{
    show_forget(&said_session[0]);
    show_free(show);
    begin(true);
    ask(1);
    ask(2);
    answer(2);
    show_pause(show);
    answer(1);
    answer(3);
    ask(4);
    show_end(show);
    ck_assert_uint_eq(count("\n"), 6);
    ck_assert_uint_eq(count("\"args\":{},\"unfinished\":true}\n"), 1);
    ck_assert_uint_eq(count("\"latency_ns\":10000,\"result\":{}}}\n"), 1);
    ck_assert_uint_eq(count("\"reply_to\":1,\"latency_ns\":30000,\"result\":{}}\n"), 1);
    ck_assert_uint_eq(count("\"unasked_for\":true,\"result\":{}}\n"), 1);
    ck_assert_uint_eq(count("\"args\":{},\"reply\":null}\n"), 1);
}
END_TEST

START_TEST(what_cannot_be_written)
{
    ck_assert(!show_failed(show));
    broken = true;
    ask(1);
    show_end(show);
    ck_assert(show_failed(show));
    broken = false;
    ask(1);
    show_end(show);
    ck_assert_uint_eq(out_n, 0);
}
END_TEST

/* With nothing of a session wanted, nothing of it is shown. */
START_TEST(sessions_with_nothing_in_them)
{
    show_forget(&said_session[0]);
    show_free(show);
    begin(false);
    show_free(show);
    show_forget(&said_session[0]);
    show = show_new(&(struct show_options){.lazy = true}, take, &show);
    ck_assert_ptr_nonnull(show);
    show_session(show, &said_session[0]);
    said_session[0].over = true;
    show_statistics(show, &said_session[0]);
    show_end(show);
    ck_assert_str_eq(out, "");
    ask(1);
    answer(1);
    show_statistics(show, &said_session[0]);
    show_end(show);
    ck_assert_uint_eq(count("===") / 1, 2);
    ck_assert_uint_eq(count("\n"), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace show");
    TCase *tc = unit_case(s, "lines");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, in_the_order_of_the_requests);
    tcase_add_test(tc, a_pause_does_not_wait_for_replies);
    tcase_add_test(tc, a_late_reply_has_a_line_of_its_own);
    tcase_add_test(tc, lines_held_are_bounded);
    tcase_add_test(tc, many_rounds);
    tcase_add_test(tc, bytes_held_are_bounded);
    tcase_add_test(tc, as_json);
    tcase_add_test(tc, what_cannot_be_written);
    tcase_add_test(tc, sessions_with_nothing_in_them);
    return unit_run(s);
}
