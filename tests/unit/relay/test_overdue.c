/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Requests that a device does not answer in time: each is answered once, and a late reply is never
 * passed on.
 */
#include "proxy/ipc/overdue.h"

#include "tests/support/unit.h"

#define AFTER 1000u
#define SHORT (AFTER / LIMIT_ANSWER_SILENT_PART)

/* Right before the clock wraps. */
#define START (UINT32_MAX - 500u)

static struct overdue watched;
static uint64_t sent; /* by the client, in bytes */

static void begin(void)
{
    overdue_init(&watched, AFTER);
    sent = 0;
}

static void send_request(unsigned id, uint32_t flags, uint32_t now)
{
    const struct wire_hdr hdr = {.id = (uint16_t)id, .command = WIRE_REGION_READ, .flags = flags};

    overdue_note_request(&watched, &hdr, sent, now);
    /* It had to wait, and is looked at again. */
    overdue_note_request(&watched, &hdr, sent, now + 1);
    sent += 32;
}

static void ask(unsigned id, uint32_t now)
{
    send_request(id, 0, now);
}

/* The device sends a message. Returns true if it is passed on. */
static bool arrive(unsigned id, uint32_t flags)
{
    const struct wire_hdr hdr = {.id = (uint16_t)id, .command = WIRE_REGION_READ, .flags = flags};
    const bool late = overdue_is_late(&watched, &hdr);

    ck_assert(overdue_is_late(&watched, &hdr) == late);
    overdue_note_reply(&watched, &hdr);
    return !late;
}

static bool reply(unsigned id)
{
    return arrive(id, WIRE_TYPE_REPLY);
}

static void expect_overdue(unsigned id, uint32_t now)
{
    struct overdue_request r;

    ck_assert_uint_eq(overdue_wait_ms(&watched, now), 0);
    ck_assert(overdue_take(&watched, now, &r));
    ck_assert_uint_eq(r.id, id);
    ck_assert_uint_eq(r.command, WIRE_REGION_READ);
}

static void expect_wait(uint32_t now, uint32_t ms)
{
    struct overdue_request r;

    ck_assert_uint_eq(overdue_wait_ms(&watched, now), ms);
    ck_assert(!overdue_take(&watched, now, &r));
}

START_TEST(a_reply_in_time_is_passed_on)
{
    expect_wait(START, UINT32_MAX);
    ask(7, START);
    expect_wait(START, AFTER);
    expect_wait(START + AFTER - 1, 1);
    ck_assert(reply(7));
    expect_wait(START + AFTER, UINT32_MAX);
    ck_assert_uint_eq(watched.answered, 0);
}
END_TEST

START_TEST(a_late_reply_is_discarded_once)
{
    ask(7, START);
    ask(8, START + 1);
    expect_overdue(7, START + AFTER);
    ck_assert_uint_eq(watched.n_owed, 1);
    ck_assert(!reply(7));
    ck_assert_uint_eq(watched.n_owed + watched.lost, 0);
    ck_assert(reply(8));
    ck_assert(reply(7));
    ck_assert_uint_eq(watched.answered, 1);
    ck_assert_uint_eq(watched.discarded, 1);
}
END_TEST

START_TEST(an_id_that_is_used_again_is_a_queue)
{
    ask(7, START);
    expect_overdue(7, START + AFTER);
    ask(7, START + AFTER);
    expect_overdue(7, START + AFTER + SHORT);
    ask(7, START + AFTER + SHORT);
    ck_assert(!reply(7));
    ck_assert(!reply(7));
    ck_assert(reply(7));
    expect_wait(START + 9 * AFTER, UINT32_MAX);
}
END_TEST

START_TEST(replies_may_come_in_any_order)
{
    for (unsigned id = 0; id < 6; id++) {
        ask(id, START);
    }
    for (unsigned id = 0; id < 3; id++) {
        expect_overdue(id, START + AFTER);
    }
    ck_assert(reply(4));
    ck_assert(!reply(2));
    ck_assert(reply(3));
    ck_assert(!reply(0));
    ck_assert(reply(5));
    ck_assert(!reply(1));
    expect_wait(START + AFTER, UINT32_MAX);
}
END_TEST

/* So many wait at any time, one of which is answered as the next comes. */
START_TEST(each_is_found_however_many_have_been)
{
    const unsigned depth = LIMIT_OVERDUE_REQUESTS - 2;
    const unsigned many = 3 * LIMIT_OVERDUE_REQUESTS;

    for (unsigned id = 0; id < many; id++) {
        ask(id, START);
        if (id >= depth) {
            /* The second oldest, then the oldest: the others keep their order. */
            ck_assert(reply(id % 2 == 0 ? id - depth + 1 : id - depth - 1));
        }
        ck_assert(overdue_is_sound(&watched));
        ck_assert_uint_le(watched.n, LIMIT_OVERDUE_REQUESTS);
        ck_assert_uint_eq(watched.unwatched, 0);
    }
    for (unsigned id = many - depth; id < many; id++) {
        expect_overdue(id, START + AFTER);
    }
}
END_TEST

START_TEST(messages_without_a_reply_are_not_watched)
{
    send_request(7, WIRE_NO_REPLY, START);
    send_request(7, WIRE_TYPE_REPLY, START);
    expect_wait(START + AFTER, UINT32_MAX);
    ask(7, START);
    ck_assert(arrive(7, WIRE_TYPE_COMMAND));
    expect_overdue(7, START + AFTER);
    ck_assert(arrive(7, WIRE_TYPE_COMMAND));
    ck_assert(!reply(7));
}
END_TEST

START_TEST(never_means_never)
{
    overdue_init(&watched, 0);
    ask(7, START);
    expect_wait(START + 100 * AFTER, UINT32_MAX);
    ck_assert(reply(7));
}
END_TEST

START_TEST(a_silent_device_costs_one_long_pause)
{
    ask(7, START);
    ask(8, START + 10);
    expect_overdue(7, START + AFTER);
    /* All others have a tenth of the time, counted from their beginning. */
    expect_overdue(8, START + AFTER);
    ask(9, START + AFTER);
    expect_wait(START + AFTER, SHORT);
    expect_overdue(9, START + AFTER + SHORT);
    ask(10, START + 2 * AFTER);
    /* It is back: they have the whole time again. */
    ck_assert(!reply(7));
    expect_wait(START + 2 * AFTER, AFTER);
}
END_TEST

START_TEST(late_replies_beyond_the_limit_are_discarded_as_well)
{
    const unsigned many = 3 * LIMIT_OVERDUE_REPLIES;
    uint32_t now = START + AFTER;

    for (unsigned id = 0; id < many; id++) {
        ask(id, START);
        expect_overdue(id, now);
    }
    ask(many, now);
    for (unsigned id = 0; id < many; id++) {
        ck_assert(!reply(id));
    }
    ck_assert_uint_eq(watched.n_owed + watched.lost, 0);
    ck_assert(reply(many));
    ck_assert(reply(0));
    ck_assert_uint_eq(watched.discarded, many);
    ck_assert(overdue_is_sound(&watched));
}
END_TEST

START_TEST(a_device_that_forgets_requests_is_not_cut_off)
{
    unsigned id = 0;

    for (unsigned i = 0; i < 3 * LIMIT_OVERDUE_REPLIES; i++) {
        ask(id, START);
        expect_overdue(id, START + AFTER);
        id++;
        ask(id, START);
        ck_assert(reply(id));
        id++;
    }
    ck_assert(overdue_is_sound(&watched));
    /* The youngest is still awaited. */
    ck_assert(!reply(id - 2));
}
END_TEST

START_TEST(a_forgotten_id_belongs_to_its_next_request)
{
    ask(7, START);
    expect_overdue(7, START + AFTER);
    for (unsigned i = 0; i < LIMIT_OVERDUE_STALE - 1; i++) {
        ask(100 + i, START);
        ck_assert(reply(100 + i));
    }
    ask(8, START);
    ck_assert(reply(8));
    /* No reply to it is expected any more, but it would still be discarded. */
    ck_assert_uint_eq(watched.n_owed, 1);
    ask(7, START);
    ck_assert(reply(7));
}
END_TEST

START_TEST(beyond_the_limit_requests_are_not_watched)
{
    for (unsigned id = 0; id < LIMIT_OVERDUE_REQUESTS; id++) {
        ask(id, START);
    }
    ask(1000, START);
    /* A free place is of no use while an unwatched one might have the same id. */
    ck_assert(reply(0));
    ask(1001, START);
    ck_assert(reply(1000));
    ck_assert(reply(1001));
    ask(1002, START);
    for (unsigned id = 1; id < LIMIT_OVERDUE_REQUESTS; id++) {
        expect_overdue(id, START + AFTER);
    }
    expect_overdue(1002, START + AFTER);
    expect_wait(START + AFTER, UINT32_MAX);
    ck_assert(overdue_is_sound(&watched));
}
END_TEST

START_TEST(unsolicited_replies_are_passed_on)
{
    ck_assert(reply(7));
    ask(8, START);
    ck_assert(reply(7));
    expect_overdue(8, START + AFTER);
    ck_assert(reply(7));
    ck_assert(!reply(8));
}
END_TEST

START_TEST(counts_of_another_process_are_checked)
{
    ck_assert(overdue_is_sound(&watched));
    watched.n = LIMIT_OVERDUE_REQUESTS + 1;
    ck_assert(!overdue_is_sound(&watched));
    watched.n = LIMIT_OVERDUE_REQUESTS;
    watched.first = 1;
    ck_assert(!overdue_is_sound(&watched));
    watched.first = 0;
    ck_assert(overdue_is_sound(&watched));
    watched.n_owed = LIMIT_OVERDUE_REPLIES + 1;
    ck_assert(!overdue_is_sound(&watched));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("overdue");
    TCase *tc = unit_case(s, "overdue");

    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_test(tc, a_reply_in_time_is_passed_on);
    tcase_add_test(tc, a_late_reply_is_discarded_once);
    tcase_add_test(tc, an_id_that_is_used_again_is_a_queue);
    tcase_add_test(tc, replies_may_come_in_any_order);
    tcase_add_test(tc, each_is_found_however_many_have_been);
    tcase_add_test(tc, messages_without_a_reply_are_not_watched);
    tcase_add_test(tc, never_means_never);
    tcase_add_test(tc, a_silent_device_costs_one_long_pause);
    tcase_add_test(tc, late_replies_beyond_the_limit_are_discarded_as_well);
    tcase_add_test(tc, a_device_that_forgets_requests_is_not_cut_off);
    tcase_add_test(tc, a_forgotten_id_belongs_to_its_next_request);
    tcase_add_test(tc, beyond_the_limit_requests_are_not_watched);
    tcase_add_test(tc, unsolicited_replies_are_passed_on);
    tcase_add_test(tc, counts_of_another_process_are_checked);
    return unit_run(s);
}
