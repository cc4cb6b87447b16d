/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The language of rules for faults on purpose: what they match, and what they make. */
#include "trace/decode/injection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/wire/wire.h"
#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"

static struct injection rule;
static uint16_t times;

static void make(const char *text)
{
    char why[512] = "";

    said_reset();
    times = 0;
    ck_assert_msg(injection_read(&rule, text, why, sizeof why), "%s: %s", text, why);
}

static void teardown(void)
{
    injection_deinit(&rule);
}

START_TEST(what_is_wrong_is_named)
{
    static const struct {
        const char *text;
        const char *why;
    } wrong[] = {
        {"", "a rule begins with delay="},
        {"delays=1s", "a rule begins with delay="},
        {"delay", "\"delay=\" takes a time"},
        {"delay=1", "\"delay=\" takes a time"},
        {"delay=61s", "\"delay=\" takes a time up to 60s"},
        {"delay=99999999999s", "\"delay=\" takes a time"},
        {"drop=1", "\"drop\" takes no value"},
        {"error=EWRONG", "\"error=\" takes an errno"},
        {"error=0", "\"error=\" takes an errno"},
        {"change=1", "\"change=\" takes OFFSET:HEX"},
        {"change=1:a", "\"change=\" takes OFFSET:HEX"},
        {"change=1:", "\"change=\" takes OFFSET:HEX"},
        {"short=-1", "\"short=\" takes a number of bytes"},
        {"drop count=0", "\"count=\" takes a number from 1"},
        {"drop count=65535", "\"count=\" takes a number from 1 to 65534"},
        {"drop chance=0%", "\"chance=\" takes 1% to 100%"},
        {"drop chance=5", "\"chance=\" takes 1% to 100%"},
        {"drop seed=x", "\"seed=\" takes a number"},
        {"drop commands=1", "commands"},
    };
    char why[512];
    struct injection i;

    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ck_assert_msg(!injection_read(&i, wrong[k].text, why, sizeof why), "%s", wrong[k].text);
        ck_assert_msg(strstr(why, wrong[k].why) != NULL, "%s: %s", wrong[k].text, why);
    }
}
END_TEST

START_TEST(a_rule_has_a_longest_text)
{
    char text[LIMIT_INJECT_TEXT + 2];
    char why[512];
    struct injection i;

    memset(text, ' ', sizeof text);
    memcpy(text, "drop", 4);
    text[LIMIT_INJECT_TEXT] = '\0';
    ck_assert(injection_read(&i, text, why, sizeof why));
    injection_deinit(&i);
    text[LIMIT_INJECT_TEXT] = ' ';
    text[LIMIT_INJECT_TEXT + 1] = '\0';
    ck_assert(!injection_read(&i, text, why, sizeof why));
}
END_TEST

static bool applies(const struct said *s)
{
    const bool yes = injection_applies(&rule, times, s->m.number, &said_session[0], &s->m);

    times = (uint16_t)(times + yes);
    return yes;
}

static const struct said *request(uint16_t id)
{
    const struct wire_region_access a = {.region = 2, .count = 4};

    return said(SIDE_CLIENT, WIRE_TYPE_COMMAND, id, WIRE_REGION_READ, &a, sizeof a);
}

static const struct said *reply(uint16_t id)
{
    static const uint8_t payload[20];

    return said(SIDE_BACKEND, WIRE_TYPE_REPLY, id, WIRE_REGION_READ, payload, sizeof payload);
}

START_TEST(a_reply_is_chosen_by_its_request)
{
    make("drop region=2");
    ck_assert(!applies(request(1)));
    ck_assert(applies(reply(1)));
    ck_assert(!applies(reply(2)));
    teardown();
}
END_TEST

START_TEST(it_ends_with_its_count)
{
    make("close count=2 from=client");
    ck_assert(applies(request(1)));
    ck_assert(!applies(reply(1)));
    ck_assert(applies(request(2)));
    ck_assert(!applies(request(3)));
    teardown();
}
END_TEST

START_TEST(a_change_needs_the_bytes_that_it_changes)
{
    make("change=19:01 from=backend");
    ck_assert(applies(reply(1)));
    teardown();
    make("change=20:01 from=backend");
    ck_assert(!applies(reply(1)));
    teardown();
    make("short=20");
    ck_assert(!applies(reply(1)));
    teardown();
    make("short=19");
    ck_assert(applies(reply(1)));
    teardown();
}
END_TEST

/* Draws for 1,000 messages; the numbers of those that were hit are in hit. */
static unsigned draw(const char *text, bool hit[1000])
{
    unsigned n = 0;

    make(text);
    for (unsigned i = 0; i < 1000; i++) {
        hit[i] = applies(request((uint16_t)i));
        n += hit[i];
    }
    teardown();
    return n;
}

START_TEST(a_chance_is_the_same_for_the_same_seed)
{
    bool first[1000];
    bool again[1000];
    bool other[1000];
    const unsigned n = draw("close chance=10% seed=7", first);

    ck_assert_uint_gt(n, 60);
    ck_assert_uint_lt(n, 140);
    ck_assert_uint_eq(draw("close chance=10% seed=7", again), n);
    ck_assert_mem_eq(first, again, sizeof first);
    (void)draw("close chance=10% seed=8", other);
    ck_assert_mem_ne(first, other, sizeof first);
    ck_assert_uint_eq(draw("close chance=100%", other), 1000);
}
END_TEST

START_TEST(messages_are_made)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {
        {"drop", 0},       {"close", 0},      {"error=EIO", 16},   {"short=4", 20},
        {"duplicate", 72}, {"delay=1ms", 36}, {"change=2:ff", 36},
    };
    const struct said *s;
    struct wire_hdr hdr;
    uint8_t out[72];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(rows[i].text);
        s = reply(9);
        ck_assert_uint_eq(injection_room(&rule, s->m.size), rows[i].n);
        ck_assert_uint_eq(injection_make(&rule, s->bytes, s->m.size, out), rows[i].n);
        if (rows[i].n > 0) {
            ck_assert_int_eq(wire_get_hdr(out, rows[i].n, UINT32_MAX, &hdr), WIRE_FRAME_OK);
            ck_assert_uint_eq(hdr.id, 9);
            ck_assert_uint_eq(hdr.size, rule.action == INJECTION_DUPLICATE ? 36 : rows[i].n);
            ck_assert_uint_eq(hdr.error, rule.action == INJECTION_ERROR ? EIO : 0);
        }
        teardown();
    }
    ck_assert_uint_eq(out[18], 0xff);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("injection");
    TCase *tc = tcase_create("rules");

    tcase_add_test(tc, what_is_wrong_is_named);
    tcase_add_test(tc, a_rule_has_a_longest_text);
    tcase_add_test(tc, a_reply_is_chosen_by_its_request);
    tcase_add_test(tc, it_ends_with_its_count);
    tcase_add_test(tc, a_change_needs_the_bytes_that_it_changes);
    tcase_add_test(tc, a_chance_is_the_same_for_the_same_seed);
    tcase_add_test(tc, messages_are_made);
    suite_add_tcase(s, tc);
    return unit_run(s);
}
