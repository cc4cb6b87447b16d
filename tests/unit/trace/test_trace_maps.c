/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Maps that fold: nothing is lost, everything stays where it was. */
#define _GNU_SOURCE
#include "trace/report/stats_maps.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

static struct stats_heat heat;
static struct stats_time times;

static void setup(void)
{
    memset(&heat, 0, sizeof heat);
    stats_time_init(&times);
    srandom(2);
}

START_TEST(offsets_stay_in_their_cells)
{
    uint64_t offsets[500];
    uint64_t reads[STATS_HEAT_CELLS] = {0};
    uint64_t writes[STATS_HEAT_CELLS] = {0};

    for (size_t i = 0; i < 500; i++) {
        offsets[i] = ((uint64_t)random() << 20 ^ (uint64_t)random()) >> (i < 250 ? 40 : i % 50);
        stats_heat_add(&heat, offsets[i], i % 3 == 0);
    }
    for (size_t i = 0; i < 500; i++) {
        ck_assert_uint_lt(offsets[i] >> heat.shift, STATS_HEAT_CELLS);
        (i % 3 == 0 ? writes : reads)[offsets[i] >> heat.shift]++;
    }
    ck_assert_mem_eq(reads, heat.reads, sizeof reads);
    ck_assert_mem_eq(writes, heat.writes, sizeof writes);
    /* No wider than it must be. */
    ck_assert_uint_ge(heat.last >> heat.shift, STATS_HEAT_CELLS / 2);
    ck_assert_uint_eq(stats_heat_used(&heat), (heat.last >> heat.shift) + 1);
}
END_TEST

START_TEST(one_cell_a_byte_while_there_is_room)
{
    ck_assert_uint_eq(stats_heat_used(&heat), 0);
    stats_heat_add(&heat, 0, false);
    ck_assert_uint_eq(stats_heat_used(&heat), 1);
    stats_heat_add(&heat, 255, true);
    ck_assert_uint_eq(heat.shift, 0);
    ck_assert_uint_eq(heat.writes[255], 1);
    stats_heat_add(&heat, 256, true);
    ck_assert_uint_eq(heat.shift, 1);
    ck_assert_uint_eq(heat.writes[127], 1);
    ck_assert_uint_eq(heat.writes[128], 1);
    stats_heat_add(&heat, UINT64_MAX, false);
    ck_assert_uint_eq(heat.shift, 56);
    ck_assert_uint_eq(heat.reads[255], 1);
    ck_assert_uint_eq(heat.reads[0], 1);
    ck_assert_uint_eq(heat.writes[0], 2);
    ck_assert_uint_eq(heat.first, 0);
    ck_assert_uint_eq(heat.last, UINT64_MAX);
}
END_TEST

START_TEST(time_folds_and_nothing_is_lost)
{
    uint64_t at = 0;
    uint64_t messages = 0;
    uint64_t replies = 0;

    for (unsigned i = 0; i < 3000; i++) {
        struct stats_column *const c = stats_time_at(&times, at);

        ck_assert_ptr_eq(c, &times.columns[at / times.width]);
        c->messages[i % 2]++;
        c->errors += i % 7 == 0;
        stats_column_reply(c, at);
        at += (uint64_t)random() % 2000000;
    }
    for (size_t i = 0; i < STATS_TIME_COLUMNS; i++) {
        messages += times.columns[i].messages[0] + times.columns[i].messages[1];
        for (size_t k = 0; k < STATS_TIME_ROWS; k++) {
            replies += times.columns[i].latency[k];
        }
    }
    ck_assert_uint_eq(messages, 3000);
    ck_assert_uint_eq(replies, 3000);
    ck_assert_uint_gt(stats_time_used(&times), STATS_TIME_COLUMNS / 2 - 1);
    ck_assert_uint_eq(times.width % STATS_TIME_WIDTH, 0);
}
END_TEST

START_TEST(a_column_of_latencies)
{
    struct stats_column *const c = stats_time_at(&times, 0);

    ck_assert_uint_eq(stats_column_quantile(c, 500), 0);
    for (unsigned i = 0; i < 100; i++) {
        stats_column_reply(c, i < 90 ? 1000 : 1000000);
    }
    ck_assert_uint_le(stats_column_quantile(c, 500), 1000);
    ck_assert_uint_ge(stats_column_quantile(c, 500), 800);
    ck_assert_uint_le(stats_column_quantile(c, 990), 1000000);
    ck_assert_uint_ge(stats_column_quantile(c, 990), 800000);
    /* Hours are in the last row. */
    stats_column_reply(c, UINT64_MAX);
    ck_assert_uint_eq(c->latency[STATS_TIME_ROWS - 1], 1);
}
END_TEST

START_TEST(the_end_of_time)
{
    stats_time_at(&times, 0)->messages[0]++;
    stats_time_at(&times, UINT64_MAX)->messages[1]++;
    ck_assert_uint_eq(times.columns[0].messages[0], 1);
    ck_assert_uint_eq(times.columns[UINT64_MAX / times.width].messages[1], 1);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_maps");
    TCase *const c = unit_case(s, "maps");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, offsets_stay_in_their_cells);
    tcase_add_test(c, one_cell_a_byte_while_there_is_room);
    tcase_add_test(c, time_folds_and_nothing_is_lost);
    tcase_add_test(c, a_column_of_latencies);
    tcase_add_test(c, the_end_of_time);
    return unit_run(s);
}
