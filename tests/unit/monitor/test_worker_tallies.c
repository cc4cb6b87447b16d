/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which of a worker's tallies is which route's. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_tallies.h"

#include <unistd.h>

#include "tests/support/unit.h"

#define TALLIES 4u

static struct worker_pages *pages;
static struct worker_tallies *tallies;

static void begin(void)
{
    pages = worker_pages_new(1, TALLIES);
    ck_assert_ptr_nonnull(pages);
    tallies = worker_tallies_new(pages);
    ck_assert_ptr_nonnull(tallies);
}

static void end(void)
{
    worker_tallies_free(tallies);
    worker_pages_release(pages);
}

/* As the worker does. */
static void count_in(uint32_t number, uint64_t messages)
{
    const struct tally t = {.by[SIDE_CLIENT][WIRE_REGION_READ].messages = messages};

    ck_assert_int_eq(pwrite(pages->fd, &t, sizeof t,
                            (off_t)(session_page_tallies_at(1) + (number - 1) * sizeof t)),
                     sizeof t);
}

static uint64_t counted_of(unsigned route)
{
    struct tally sum = {.by[0][0].messages = 0};

    worker_tallies_add(tallies, route, &sum);
    return sum.by[SIDE_CLIENT][WIRE_REGION_READ].messages;
}

START_TEST(a_route_keeps_its_tally)
{
    const uint32_t number = worker_tallies_take(tallies, 5);

    ck_assert_uint_ge(number, 1);
    ck_assert_uint_le(number, TALLIES);
    ck_assert_uint_eq(worker_tallies_take(tallies, 5), number);
    count_in(number, 3);
    ck_assert_uint_eq(counted_of(5), 3);
    ck_assert_uint_eq(counted_of(1), 0);
}
END_TEST

START_TEST(routes_beyond_the_last_tally_are_not_counted)
{
    uint32_t seen = 0;

    for (unsigned route = 0; route < TALLIES; route++) {
        /* All of these would have the same one. */
        seen |= 1u << worker_tallies_take(tallies, route * TALLIES);
    }
    ck_assert_uint_eq(seen, 0x1eu);
    ck_assert_uint_eq(worker_tallies_take(tallies, 99), 0);
    ck_assert_uint_eq(counted_of(99), 0);
}
END_TEST

START_TEST(a_tally_is_empty_when_another_route_gets_it)
{
    uint32_t number;

    for (unsigned route = 0; route < TALLIES; route++) {
        number = worker_tallies_take(tallies, route);
        count_in(number, route + 1);
    }
    worker_tallies_give_back(tallies, 2);
    number = worker_tallies_take(tallies, 7);
    ck_assert_uint_ne(number, 0);
    ck_assert_uint_eq(counted_of(7), 0);
    ck_assert_uint_eq(counted_of(2), 0);
    ck_assert_uint_eq(counted_of(3), 4);
}
END_TEST

START_TEST(an_adopted_worker_goes_on_in_its_tally)
{
    count_in(2, 8);
    worker_tallies_claim(tallies, 4, 2);
    ck_assert_uint_eq(counted_of(4), 8);
    ck_assert_uint_eq(worker_tallies_take(tallies, 4), 2);
}
END_TEST

START_TEST(a_claim_cannot_take_what_is_used_or_does_not_exist)
{
    static const uint32_t bad[] = {0, TALLIES + 1, UINT32_MAX};

    worker_tallies_claim(tallies, 4, 2);
    worker_tallies_claim(tallies, 8, 2);
    ck_assert_uint_eq(worker_tallies_take(tallies, 4), 2);
    ck_assert_uint_ne(worker_tallies_take(tallies, 8), 2);
    /* One route has one only. */
    worker_tallies_claim(tallies, 4, 3);
    ck_assert_uint_eq(worker_tallies_take(tallies, 4), 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        worker_tallies_claim(tallies, 9, bad[i]);
        ck_assert_uint_eq(counted_of(9), 0);
    }
}
END_TEST

START_TEST(without_metrics_there_are_none)
{
    struct worker_pages *const plain = worker_pages_new(1, 0);

    ck_assert_ptr_nonnull(plain);
    ck_assert_ptr_null(worker_tallies_new(plain));
    ck_assert_uint_eq(worker_tallies_take(NULL, 1), 0);
    worker_pages_release(plain);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("worker_tallies");
    TCase *const tc = tcase_create("worker_tallies");

    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, a_route_keeps_its_tally);
    tcase_add_test(tc, routes_beyond_the_last_tally_are_not_counted);
    tcase_add_test(tc, a_tally_is_empty_when_another_route_gets_it);
    tcase_add_test(tc, an_adopted_worker_goes_on_in_its_tally);
    tcase_add_test(tc, a_claim_cannot_take_what_is_used_or_does_not_exist);
    tcase_add_test(tc, without_metrics_there_are_none);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
