/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What is counted where, of messages made by hand. */
#include "trace/report/stats.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"
#include "trace/report/stats_excerpts.h"
#include "trace/report/stats_json.h"

static struct stats *stats;

static void setup(void)
{
    said_reset();
    stats = stats_new();
    ck_assert_ptr_nonnull(stats);
}

static void teardown(void)
{
    stats_free(stats);
}

static void feed(const struct said *s)
{
    ck_assert_int_eq(stats_feed(stats, &said_session[s->m.session - 1], &s->m, NULL), 0);
}

static struct said *region(enum side who, uint32_t flags, uint16_t id, uint16_t command,
                           uint32_t index, uint64_t offset, uint32_t count)
{
    const struct wire_region_access a = {.offset = offset, .region = index, .count = count};

    return said(who, flags, id, command, &a, sizeof a);
}

static void ask(uint16_t id, uint16_t command, uint32_t index, uint64_t offset, uint32_t count)
{
    feed(region(SIDE_CLIENT, 0, id, command, index, offset, count));
}

static struct said *reply_to(uint16_t id, uint16_t command, uint32_t index, uint64_t offset)
{
    return region(SIDE_BACKEND, WIRE_TYPE_REPLY, id, command, index, offset, 4);
}

START_TEST(a_read_and_its_reply)
{
    const struct stats_row *const row = &stats->commands[WIRE_REGION_READ];
    struct said *s = region(SIDE_CLIENT, 0, 1, WIRE_REGION_READ, 2, 0x40, 4);

    s->m.passed_ns = 3000;
    feed(s);
    said_wait(25000);
    s = reply_to(1, WIRE_REGION_READ, 2, 0x40);
    s->m.passed_ns = 1000;
    feed(s);
    stats_finish(stats);
    ck_assert_uint_eq(row->requests, 1);
    ck_assert_uint_eq(row->replies, 1);
    ck_assert_uint_eq(row->errors, 0);
    ck_assert_uint_eq(row->unanswered, 0);
    ck_assert_uint_eq(row->bytes, 64);
    ck_assert_uint_eq(row->latency.max, 25000);
    ck_assert_uint_eq(stats->whole_ns, 26000);
    ck_assert_uint_eq(stats->broker_ns, 4000);
    ck_assert_uint_eq(stats->senders[SIDE_CLIENT].passed.max, 3000);
    ck_assert_uint_eq(stats->senders[SIDE_BACKEND].passed.max, 1000);
    ck_assert_uint_eq(stats->n_regions, 1);
    ck_assert_str_eq(stats->regions[0]->route, "edu0");
    ck_assert_uint_eq(stats->regions[0]->index, 2);
    ck_assert_uint_eq(stats->regions[0]->read.requests, 1);
    ck_assert_uint_eq(stats->regions[0]->read.bytes, 4);
    ck_assert_uint_eq(stats->regions[0]->read.latency.max, 25000);
    ck_assert_uint_eq(stats->regions[0]->write.requests, 0);
    ck_assert_uint_eq(stats->regions[0]->heat.reads[0x40], 1);
}
END_TEST

/* A reply in two halves: the time between them is its sender's. */
START_TEST(a_pause_is_not_the_brokers)
{
    struct said *s = region(SIDE_CLIENT, 0, 1, WIRE_REGION_READ, 2, 0x40, 4);

    s->m.passed_ns = 3000;
    feed(s);
    said_wait(25000);
    s = reply_to(1, WIRE_REGION_READ, 2, 0x40);
    s->m.passed_ns = 2000000;
    s->m.waited_ns = 1999000;
    feed(s);
    ck_assert_uint_eq(stats->whole_ns, 2025000);
    ck_assert_uint_eq(stats->broker_ns, 4000);
    ck_assert_uint_eq(stats->senders[SIDE_BACKEND].passed.max, 1000);
}
END_TEST

START_TEST(errors_unanswered_and_unasked)
{
    const struct stats_row *const row = &stats->commands[WIRE_REGION_WRITE];
    struct said *s;

    ask(1, WIRE_REGION_WRITE, 0, 0, 4);
    ask(2, WIRE_REGION_WRITE, 0, 8, 4);
    feed(region(SIDE_CLIENT, WIRE_NO_REPLY, 3, WIRE_REGION_WRITE, 0, 16, 4));
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 1, WIRE_REGION_WRITE, NULL, 0);
    said_hdr(s, WIRE_HDR_SIZE, EINVAL);
    feed(s);
    feed(reply_to(77, WIRE_REGION_WRITE, 0, 0));
    stats_finish(stats);
    ck_assert_uint_eq(row->requests, 3);
    ck_assert_uint_eq(row->no_reply, 1);
    ck_assert_uint_eq(row->replies, 1);
    ck_assert_uint_eq(row->errors, 1);
    ck_assert_uint_eq(row->unanswered, 1);
    ck_assert_uint_eq(stats->unasked, 1);
    ck_assert_uint_eq(stats->regions[0]->write.errors, 1);
    ck_assert_uint_eq(stats->regions[0]->write.unanswered, 1);
}
END_TEST

START_TEST(each_write_of_many)
{
    struct {
        struct wire_write_multi head;
        struct wire_single_write writes[3];
    } multi = {.head = {.wr_cnt = 3},
               .writes = {{.offset = 4, .region = 1, .count = 4},
                          {.offset = 8, .region = 1, .count = 2},
                          {.offset = 0, .region = 5, .count = 8}}};

    feed(said(SIDE_CLIENT, 0, 1, WIRE_REGION_WRITE_MULTI, &multi, sizeof multi));
    ck_assert_uint_eq(stats->commands[WIRE_REGION_WRITE_MULTI].requests, 1);
    ck_assert_uint_eq(stats->n_regions, 2);
    ck_assert_uint_eq(stats->regions[0]->write.requests, 2);
    ck_assert_uint_eq(stats->regions[0]->write.bytes, 6);
    ck_assert_uint_eq(stats->regions[1]->write.bytes, 8);
}
END_TEST

START_TEST(a_count_that_lies)
{
    struct {
        struct wire_write_multi head;
        struct wire_single_write write;
    } multi = {.head = {.wr_cnt = UINT64_MAX}, .write = {.offset = 4, .region = 1, .count = 4}};

    feed(said(SIDE_CLIENT, 0, 1, WIRE_REGION_WRITE_MULTI, &multi, sizeof multi));
    ck_assert_uint_eq(stats->regions[0]->write.requests, 1);
}
END_TEST

START_TEST(what_the_broker_made_is_no_request)
{
    static const uint8_t version[6] = "\0\0\1\0{}";
    struct said *s = said(SIDE_CLIENT, 0, 1, WIRE_VERSION, version, sizeof version);

    s->m.legs = TRACE_LEG_CLIENT;
    feed(s);
    s = said(SIDE_CLIENT, 0, 1, WIRE_VERSION, version, sizeof version);
    s->m.legs = TRACE_LEG_BACKEND;
    s->m.flags |= TRACE_BROKER;
    feed(s);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_VERSION, version, sizeof version);
    s->m.legs = TRACE_LEG_BACKEND;
    feed(s);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_VERSION, version, sizeof version);
    s->m.legs = TRACE_LEG_CLIENT;
    s->m.flags |= TRACE_BROKER;
    feed(s);
    stats_finish(stats);
    ck_assert_uint_eq(stats->messages, 4);
    ck_assert_uint_eq(stats->made, 2);
    ck_assert_uint_eq(stats->commands[WIRE_VERSION].requests, 1);
    ck_assert_uint_eq(stats->commands[WIRE_VERSION].replies, 1);
    ck_assert_uint_eq(stats->commands[WIRE_VERSION].unanswered, 0);
    /* From the client's request to what it got, 30 us: not to what the backend said, 20. */
    ck_assert_uint_eq(stats->commands[WIRE_VERSION].latency.max, 30000);
    ck_assert_uint_eq(stats->whole_ns, 0);
}
END_TEST

START_TEST(the_other_byte_order)
{
    struct said *const s = said(SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0);

    said_turn_hdr(s);
    feed(s);
    ck_assert_uint_eq(stats->commands[WIRE_DEVICE_RESET].requests, 1);
}
END_TEST

START_TEST(unknown_commands_and_no_header)
{
    struct said *s = said(SIDE_CLIENT, 0, 1, 99, NULL, 0);

    feed(s);
    feed(said(SIDE_CLIENT, 0, 2, 31, NULL, 0));
    s = said(SIDE_CLIENT, 0, 3, WIRE_DEVICE_RESET, NULL, 0);
    s->m.kept = WIRE_HDR_SIZE - 1;
    feed(s);
    ck_assert_uint_eq(stats->commands[0].requests, 2);
    ck_assert_uint_eq(stats->malformed, 1);
    ck_assert_uint_eq(stats->messages, 3);
}
END_TEST

START_TEST(losses_by_the_larger_count)
{
    struct said *s = said(SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0);

    s->m.lost = 5;
    feed(s);
    ck_assert_uint_eq(stats_lost(stats), 5);
    said_session[0].lost = 8;
    ck_assert_uint_eq(stats_lost(stats), 8);
    said_session[0].lost = 0;
}
END_TEST

START_TEST(more_regions_than_rows)
{
    for (uint32_t i = 0; i < STATS_REGIONS + 10; i++) {
        ask((uint16_t)i, WIRE_REGION_READ, i, 0, 4);
        feed(reply_to((uint16_t)i, WIRE_REGION_READ, i, 0));
    }
    stats_finish(stats);
    ck_assert_uint_eq(stats->n_regions, STATS_REGIONS);
    ck_assert_uint_eq(stats->others.read.requests, 10);
    ck_assert_uint_eq(stats->others.read.replies, 10);
    ck_assert_uint_eq(stats->regions[STATS_REGIONS - 1]->read.replies, 1);
}
END_TEST

START_TEST(excerpts)
{
    const struct stats_excerpts *const e = &stats->excerpts;

    for (unsigned i = 0; i < 1000; i++) {
        ask((uint16_t)i, WIRE_REGION_READ, 0, i, 4);
        said_wait(i == 300 ? 900000 : 10000 + i % 7);
        feed(reply_to((uint16_t)i, WIRE_REGION_READ, 0, i));
    }
    ck_assert_uint_eq(e->n_head, STATS_EXCERPT);
    ck_assert_uint_eq(e->n_slow, STATS_EXCERPT);
    ck_assert_uint_eq(e->n_tail, STATS_EXCERPT);
    for (size_t i = 0; i < STATS_EXCERPT; i++) {
        ck_assert_uint_eq(e->head[i].number, i + 1);
        ck_assert_uint_eq(e->slow[i].number, 602 - STATS_EXCERPT / 2 + i);
        ck_assert_uint_eq(stats_excerpts_tail(e, i)->number, 2000 - STATS_EXCERPT + i + 1);
    }
    ck_assert_uint_eq(e->slow[STATS_EXCERPT / 2].latency, 900000);
}
END_TEST

START_TEST(notes_are_counted_and_bounded)
{
    const struct said *const s = said(SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0);
    char text[300];

    for (unsigned i = 0; i < STATS_NOTES + 5; i++) {
        snprintf(text, sizeof text, "unseen: number %u%0*u", i, i == 0 ? 250 : 1, 0);
        for (unsigned k = 0; k < 2; k++) {
            ck_assert_int_eq(stats_feed(stats, &said_session[0], &s->m, text), 0);
        }
    }
    ck_assert_int_eq(stats_feed(stats, &said_session[0], &s->m, "hello"), 0);
    ck_assert_uint_eq(stats->n_notes, STATS_NOTES);
    ck_assert_uint_eq(stats->notes[0].count, 2);
    ck_assert_str_eq(stats->notes[1].text, "number 10");
    ck_assert_uint_eq(stats->more_notes, 10);
}
END_TEST

/* Members that a reader of the JSON form relies on are there even where nothing was counted. */
START_TEST(json_of_nothing)
{
    static const char *const members[] = {
        "file",    "filter",      "broken",    "begin",    "duration_ns", "messages", "made",
        "lost",    "unasked",     "malformed", "given_up", "senders",     "broker",   "latency",
        "regions", "undelivered", "commands",  "sessions", "unseen",      "time",     "format"};
    const struct stats_about about = {.file = "a\xff"};
    json_t *const o = stats_json(stats, &about, true);

    ck_assert_ptr_nonnull(o);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        ck_assert_msg(json_object_get(o, members[i]) != NULL, "%s", members[i]);
    }
    ck_assert_str_eq(json_string_value(json_object_get(o, "file")), "a\\xff");
    ck_assert(json_is_null(json_object_get(o, "begin")));
    ck_assert_uint_eq(json_array_size(json_object_get(o, "steps")), STATS_TIME_ROWS + 1);
    json_decref(o);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_stats");
    TCase *const c = unit_case(s, "stats");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_read_and_its_reply);
    tcase_add_test(c, a_pause_is_not_the_brokers);
    tcase_add_test(c, errors_unanswered_and_unasked);
    tcase_add_test(c, each_write_of_many);
    tcase_add_test(c, a_count_that_lies);
    tcase_add_test(c, what_the_broker_made_is_no_request);
    tcase_add_test(c, the_other_byte_order);
    tcase_add_test(c, unknown_commands_and_no_header);
    tcase_add_test(c, losses_by_the_larger_count);
    tcase_add_test(c, more_regions_than_rows);
    tcase_add_test(c, excerpts);
    tcase_add_test(c, notes_are_counted_and_bounded);
    tcase_add_test(c, json_of_nothing);
    return unit_run(s);
}
