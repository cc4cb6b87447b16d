/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Replies that are larger than their receiver said that it takes, and that it has asked for.
 */
#include "proxy/relay/asked.h"

#include "base/limits.h"
#include "tests/support/unit.h"

#define SAID 1024u

static struct asked asked;
static struct asked_kept kept;

static void begin(void)
{
    const struct wire_takes takes = {.max_data = SAID, .max_bitmap = SAID};

    kept.n = 0;
    asked_init(&asked, &takes, &kept);
}

static void ask(uint16_t id, uint32_t count)
{
    const struct wire_region_access a = {.count = count};
    const struct wire_hdr hdr = {.id = id, .command = WIRE_REGION_READ};

    asked_note(&asked, &hdr, &a, sizeof a);
}

static struct wire_hdr reply_to(uint16_t id)
{
    return (struct wire_hdr){.id = id, .command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY};
}

/* How much data a reply with this id may have now. */
static uint32_t allowed(uint16_t id)
{
    const struct wire_hdr hdr = reply_to(id);

    return asked_bound(&asked, &hdr) - WIRE_HDR_SIZE - (uint32_t)sizeof(struct wire_region_access);
}

static void answer(uint16_t id)
{
    const struct wire_hdr hdr = reply_to(id);

    asked_answered(&asked, &hdr);
}

START_TEST(a_reply_may_be_what_was_asked_for)
{
    ck_assert_uint_eq(allowed(5), SAID);
    ask(5, 12288);
    ck_assert_uint_eq(allowed(5), 12288);
    ck_assert_uint_eq(allowed(6), SAID);
    answer(6);
    ck_assert_uint_eq(allowed(5), 12288);
    answer(5);
    ck_assert_uint_eq(allowed(5), SAID);
}
END_TEST

START_TEST(nothing_is_kept_of_usual_requests)
{
    ask(1, 0);
    ask(2, SAID);
    ck_assert(!asked_any(&asked));
    ask(3, SAID + 1);
    ck_assert_uint_eq(asked.kept->n, 1);
}
END_TEST

/* Ids may be used again while they are unanswered; replies come in the order of requests. */
START_TEST(one_id_in_several_requests)
{
    ask(1, 5000);
    ask(1, 6000);
    ck_assert_uint_eq(allowed(1), 5000);
    answer(1);
    ck_assert_uint_eq(allowed(1), 6000);
    answer(1);
    ck_assert_uint_eq(allowed(1), SAID);
}
END_TEST

START_TEST(another_command_or_type_is_another_matter)
{
    struct wire_hdr hdr = reply_to(1);

    ask(1, 5000);
    hdr.command = WIRE_MIG_DATA_READ;
    ck_assert_uint_eq(asked_bound(&asked, &hdr), 16 + 8 + SAID);
    asked_answered(&asked, &hdr);
    ck_assert_uint_eq(allowed(1), 5000);
    hdr = (struct wire_hdr){.id = 1, .command = WIRE_REGION_WRITE};
    ck_assert_uint_eq(asked_bound(&asked, &hdr), 16 + 16 + SAID);
}
END_TEST

START_TEST(a_request_without_reply_asks_for_nothing)
{
    const struct wire_region_access a = {.count = 5000};
    const struct wire_hdr hdr = {
        .id = 1, .command = WIRE_REGION_READ, .flags = WIRE_TYPE_COMMAND | WIRE_NO_REPLY};

    asked_note(&asked, &hdr, &a, sizeof a);
    ck_assert(!asked_any(&asked));
}
END_TEST

START_TEST(as_many_as_are_kept_and_one_more)
{
    for (unsigned i = 0; i < LIMIT_ASKED; i++) {
        ask((uint16_t)i, 5000 + i);
    }
    for (unsigned i = 0; i < LIMIT_ASKED; i++) {
        ck_assert_uint_eq(allowed((uint16_t)i), 5000 + i);
    }
    ask(LIMIT_ASKED, 9000);
    ck_assert_uint_eq(asked.kept->n, LIMIT_ASKED);
    ck_assert_uint_eq(allowed(0), SAID);
    ck_assert_uint_eq(allowed(1), 5001);
    ck_assert_uint_eq(allowed(LIMIT_ASKED), 9000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("asked");
    TCase *tc = unit_case(s, "asked");

    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_test(tc, a_reply_may_be_what_was_asked_for);
    tcase_add_test(tc, nothing_is_kept_of_usual_requests);
    tcase_add_test(tc, one_id_in_several_requests);
    tcase_add_test(tc, another_command_or_type_is_another_matter);
    tcase_add_test(tc, a_request_without_reply_asks_for_nothing);
    tcase_add_test(tc, as_many_as_are_kept_and_one_more);
    return unit_run(s);
}
