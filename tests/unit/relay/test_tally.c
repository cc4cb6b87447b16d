/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a worker counts and measures of messages, and how that is added up. */
#include "proxy/ipc/tally.h"

#include <string.h>

#include "tests/support/unit.h"

#define SECOND 1000000000u

static struct tally counted;
static struct tally_subject subject;
static const struct tally_meter meter = {.tally = &counted, .subject = &subject};

static void begin(void)
{
    memset(&counted, 0, sizeof counted);
    subject = (struct tally_subject){.session = 7, .record = 4};
}

static void message_at(uint64_t ns, enum side from, unsigned id, enum wire_command command,
                       uint32_t flags)
{
    const struct wire_hdr hdr = {.id = (uint16_t)id, .command = (uint16_t)command, .flags = flags};

    tally_look(ns);
    tally_time(&meter, false, from, &hdr);
}

static uint64_t measured(enum tally_class class)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
        n += counted.times[class].buckets[i];
    }
    return n;
}

START_TEST(a_request_takes_until_its_reply)
{
    const struct tally_times *const t = &counted.times[TALLY_REGION_READ];

    message_at(SECOND, SIDE_CLIENT, 1, WIRE_REGION_READ, 0);
    message_at(SECOND + 10000, SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(t->buckets[0], 1);
    message_at(2 * SECOND, SIDE_CLIENT, 1, WIRE_REGION_READ, 0);
    message_at(2 * SECOND + 10001, SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(t->buckets[1], 1);
    message_at(3 * SECOND, SIDE_CLIENT, 1, WIRE_REGION_READ, 0);
    message_at(60 * (uint64_t)SECOND, SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(t->buckets[TALLY_BUCKETS - 1], 1);
    ck_assert_uint_eq(t->ns, 10000 + 10001 + 57 * (uint64_t)SECOND);
}
END_TEST

START_TEST(only_a_reply_from_the_other_side_ends_it)
{
    message_at(SECOND, SIDE_CLIENT, 1, WIRE_REGION_READ, 0);
    message_at(SECOND, SIDE_BACKEND, 1, WIRE_DMA_READ, 0);
    message_at(SECOND + 1, SIDE_BACKEND, 2, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(measured(TALLY_REGION_READ), 0);
    message_at(SECOND + 1, SIDE_CLIENT, 1, WIRE_DMA_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(measured(TALLY_DMA), 1);
    message_at(SECOND + 1, SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    message_at(SECOND + 1, SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(measured(TALLY_REGION_READ), 1);
}
END_TEST

START_TEST(a_request_without_a_reply_is_not_measured)
{
    message_at(SECOND, SIDE_CLIENT, 1, WIRE_REGION_WRITE, WIRE_NO_REPLY);
    message_at(SECOND, SIDE_BACKEND, 1, WIRE_REGION_WRITE, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(measured(TALLY_REGION_WRITE), 0);
}
END_TEST

START_TEST(commands_that_are_unknown_are_counted_together)
{
    static const uint16_t unknown[] = {0, 14, 19, UINT16_MAX};
    const struct ipc_count one = {.messages = 1, .bytes = 16, .fds = 2};

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        tally_count(&meter, SIDE_CLIENT, unknown[i], &one);
        message_at(SECOND, SIDE_CLIENT, 1, unknown[i], 0);
        message_at(SECOND, SIDE_BACKEND, 1, unknown[i], WIRE_TYPE_REPLY);
    }
    ck_assert_uint_eq(counted.by[SIDE_CLIENT][0].messages, 4);
    ck_assert_uint_eq(counted.by[SIDE_CLIENT][0].bytes, 64);
    ck_assert_uint_eq(counted.by[SIDE_CLIENT][0].fds, 8);
    ck_assert_uint_eq(measured(TALLY_OTHER), 4);
}
END_TEST

static void take(uint64_t begin_ns, uint64_t ns)
{
    message_at(begin_ns, SIDE_CLIENT, 1, WIRE_DEVICE_RESET, 0);
    message_at(begin_ns + ns, SIDE_BACKEND, 1, WIRE_DEVICE_RESET, WIRE_TYPE_REPLY);
}

START_TEST(the_exemplar_is_the_slowest_of_the_last_minute)
{
    const struct tally_exemplar *const e = &counted.times[TALLY_DEVICE].slowest;

    take(SECOND, 500);
    subject.session = 8;
    take(2 * SECOND, 400);
    ck_assert_uint_eq(e->session, 7);
    ck_assert_uint_eq(e->record, 4);
    ck_assert_uint_eq(e->ns, 500);
    ck_assert_uint_eq(e->at_ns, SECOND + 500);
    take(SECOND + LIMIT_EXEMPLAR_NS + 500, 1);
    ck_assert_uint_eq(e->session, 8);
    ck_assert_uint_eq(e->ns, 1);
}
END_TEST

START_TEST(sums_have_all_of_both_and_the_slower_exemplar)
{
    const struct ipc_count one = {.messages = 1, .bytes = 32, .fds = 1};
    struct tally sum;

    tally_count(&meter, SIDE_BACKEND, WIRE_MIG_DATA_WRITE, &one);
    take(SECOND, 500);
    sum = counted;
    take(SECOND, 900);
    tally_add(&sum, &counted);
    ck_assert_uint_eq(sum.by[SIDE_BACKEND][WIRE_MIG_DATA_WRITE].bytes, 64);
    ck_assert_uint_eq(sum.times[TALLY_DEVICE].buckets[0], 3);
    ck_assert_uint_eq(sum.times[TALLY_DEVICE].ns, 500 + 500 + 900);
    ck_assert_uint_eq(sum.times[TALLY_DEVICE].slowest.ns, 900);
}
END_TEST

START_TEST(each_class_has_a_word_of_its_own)
{
    for (int i = 0; i < TALLY_CLASSES; i++) {
        for (int k = 0; k < i; k++) {
            ck_assert_str_ne(tally_class_word((enum tally_class)i),
                             tally_class_word((enum tally_class)k));
        }
    }
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("tally");
    TCase *const tc = tcase_create("tally");

    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_test(tc, a_request_takes_until_its_reply);
    tcase_add_test(tc, only_a_reply_from_the_other_side_ends_it);
    tcase_add_test(tc, a_request_without_a_reply_is_not_measured);
    tcase_add_test(tc, commands_that_are_unknown_are_counted_together);
    tcase_add_test(tc, the_exemplar_is_the_slowest_of_the_last_minute);
    tcase_add_test(tc, sums_have_all_of_both_and_the_slower_exemplar);
    tcase_add_test(tc, each_class_has_a_word_of_its_own);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
