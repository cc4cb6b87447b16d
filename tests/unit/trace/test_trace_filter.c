/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The filter's language, what is wanted, and what is kept until a reply decides. */
#include "trace/decode/filter.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"

static struct filter *filter;
static char got[512]; /* numbers of the messages that came, "1 2 5" */

static void teardown(void)
{
    filter_free(filter);
    filter = NULL;
}

static void make(const char *text)
{
    char why[512] = "";

    filter_free(filter);
    said_reset();
    got[0] = '\0';
    filter = filter_new(text, why, sizeof why);
    ck_assert_msg(filter != NULL, "%s: %s", text, why);
}

static void take(const struct trace_session *s, const struct trace_message *m, const char *comment,
                 void *arg)
{
    const size_t n = strlen(got);

    ck_assert_ptr_eq(arg, &filter);
    ck_assert_uint_eq(s->number, m->session);
    snprintf(got + n, sizeof got - n, "%s%llu%s", n ? " " : "", (unsigned long long)m->number,
             comment ? comment : "");
}

static void feed(const struct said *s, const char *comment)
{
    filter_feed(filter, &said_session[s->m.session - 1], &s->m, comment, take, &filter);
}

/* 1 to 12: one of everything that a term can tell from the rest. */
static void conversation(void)
{
    const struct wire_region_access bar = {0, 0, 4};
    const struct wire_region_access config = {4, 7, 4};
    const struct wire_region_info info = {.argsz = 32, .index = 2};
    const struct {
        struct wire_write_multi m;
        struct wire_single_write w[2];
    } many = {{2}, {{0, 0, 4, {0}}, {0, 3, 4, {0}}}};
    struct said *s;

    feed(said(SIDE_CLIENT, 0, 1, WIRE_REGION_READ, &bar, 16), NULL);
    feed(said(SIDE_CLIENT, 0, 2, WIRE_REGION_READ, &config, 16), "!");
    said_wait(50000);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_REGION_READ, &bar, 16), NULL);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 2, WIRE_REGION_READ, NULL, 0);
    feed(s, "?");
    feed(said(SIDE_CLIENT, 0, 3, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info), NULL);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 3, WIRE_DEVICE_GET_REGION_INFO, &info, 32);
    said_fds(s, 1, TRACE_FD_MEMFD);
    feed(s, NULL);
    feed(said(SIDE_CLIENT, 0, 4, WIRE_REGION_WRITE_MULTI, &many, sizeof many), NULL);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY, 4, WIRE_REGION_WRITE_MULTI, &many, 8), NULL);
    feed(said(SIDE_CLIENT, WIRE_NO_REPLY, 5, WIRE_REGION_WRITE, &bar, 16), NULL);
    s = said(SIDE_BACKEND, 0, 1, WIRE_DMA_READ, &bar, 16);
    s->m.session = 2;
    feed(s, NULL);
    said_wait(1000000000);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 99, 99, NULL, 0), NULL);
    s = said(SIDE_BACKEND, 0, 0, 0, NULL, 0);
    s->m.kept = 4;
    feed(s, NULL);
}

START_TEST(terms)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"", "1 2! 3 4? 5 6 7 8 9 10 11 12"},
        {"command=REGION_READ", "1 2! 3 4?"},
        {"command=region_write,99", "9 11"},
        {"!command=REGION_READ", "5 6 7 8 9 10 11 12"},
        {"from=backend", "3 4? 6 8 10 11 12"},
        {"from=client", "1 2! 5 7 9"},
        {"region=0", "1 3 7 8 9"},
        {"region=7", "2! 4?"},
        {"region=2,3", "5 6 7 8"},
        {"!region=0", "2! 4? 5 6 10 11 12"},
        {"region=0 region=3", "7 8"},
        {"session=2", "10"},
        {"session=0x1,7", "1 2! 3 4? 5 6 7 8 9 11 12"},
        {"route=nvme0,other", "10"},
        {"!route=nvme0", "1 2! 3 4? 5 6 7 8 9 11 12"},
        {"id=0x1", "1 3 10"},
        {"id=2,3", "2! 4? 5 6"},
        {"after=1", "11 12"},
        {"before=0.000050", "1 2!"},
        {"after=0.00007 before=0.0001", "4? 5 6"},
        {"since=2026-11-23T05:00:01Z", "11 12"},
        {"until=2026-11-23T05:00:00.000050Z", "1 2!"},
        {"since=2026-11-23T05:00Z until=2026-11-23T05:00:00.00005Z", "1 2!"},
        {"since=2026-11-23 until=2026-11-24", "1 2! 3 4? 5 6 7 8 9 10 11 12"},
        {"until=2026-11-23", ""},
        {"fds", "6"},
        {"!fds from=client", "1 2! 5 7 9"},
        {"errors", "2! 4? 11"},
        {"errors command=REGION_READ", "2! 4?"},
        {"errors from=backend", "4? 11"},
        {"!errors", "1 3 5 6 7 8 9 12"},
        {"slower=55us", "1 3 2! 4?"},
        {"slower=59.9us", "1 3 2! 4?"},
        {"slower=60us", ""},
        {"!slower=15us", "5 6 7 8 9 11 12"},
        {"slower=0ns region=7", "2! 4?"},
        {"errors slower=1ms", ""},
        {"  fds   session=1 ", "6"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(rows[i].text);
        ck_assert(filter_waits(filter) ==
                  (strstr(rows[i].text, "errors") || strstr(rows[i].text, "slower")));
        conversation();
        ck_assert_msg(strcmp(got, rows[i].wanted) == 0, "%s: %s, not %s", rows[i].text, got,
                      rows[i].wanted);
        ck_assert_uint_eq(filter_given_up(filter), 0);
    }
}
END_TEST

START_TEST(texts_that_are_none)
{
    static const struct {
        const char *text;
        const char *why; /* it begins like this */
    } rows[] = {
        {"comand=VERSION",
         "filter, character 1: unknown term \"comand\"; the terms are command=, from="},
        {"fds=1", "filter, character 4: \"fds\" takes no value"},
        {"!errors=no", "filter, character 8: \"errors\" takes no value"},
        {"command", "filter, character 8: \"command\" needs \"=\" and names of commands"},
        {"fds  command=DMA_MAP,DMA_MOP",
         "filter, character 22: unknown command \"DMA_MOP\"; the commands are VERSION, DMA_MAP"},
        {"command=", "filter, character 9: unknown command \"\""},
        {"command=65536", "filter, character 9: unknown command \"65536\""},
        {"from=server",
         "filter, character 6: \"server\" is not a value of from=, which takes \"client\" or"},
        {"from=client,backend", "filter, character 6: "},
        {"region=-1", "filter, character 8: \"-1\" is not a value of region=, which takes"},
        {"region=4294967296", "filter, character 8: "},
        {"region=0,,1", "filter, character 10: \"\" is not"},
        {"region=0x", "filter, character 8: "},
        {"session=18446744073709551616", "filter, character 9: "},
        {"id=65536", "filter, character 4: "},
        {"id=1;2",
         "filter, character 4: \"1;2\" is not a value of id=, which takes message ids, 0 to 65535"},
        {"route=", "filter, character 7: "},
        {"after=soon", "filter, character 7: "},
        {"before=1.5s", "filter, character 8: "},
        {"before=.5", "filter, character 8: "},
        {"since=18:24Z",
         "filter, character 7: \"18:24Z\" is not a value of since=, which takes a time"},
        {"since=2026-11-31", "filter, character 7: "},
        {"since=2026-11-29T", "filter, character 7: "},
        {"since=2026-11-29T18:24", "filter, character 7: "},
        {"since=2026-11-29T18:24:Z", "filter, character 7: "},
        {"since=2026-11-29T24:00Z", "filter, character 7: "},
        {"since=2026-11-29T18:24:60Z", "filter, character 7: "},
        {"until=2026-11-29T18:24:05.5", "filter, character 7: "},
        {"until=2026-11-29 18:24Z", "filter, character 18: unknown term \"18:24Z\""},
        {"slower=5",
         "filter, character 8: \"5\" is not a value of slower=, which takes a time, such as 50us"},
        {"slower=5m", "filter, character 8: "},
        {"slower=us", "filter, character 8: "},
        {"slower=1.2.3us", "filter, character 8: "},
        {"slower=99999999999999999999s", "filter, character 8: "},
        {"!", "filter, character 2: unknown term \"\""},
        {"!!fds", "filter, character 2: unknown term \"!fds\""},
        {"\x1b[31m", "filter, character 1: unknown term \"\\x1b[31m\""},
    };
    char why[512];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct filter *f = filter_new(rows[i].text, why, sizeof why);

        ck_assert_msg(f == NULL, "%s", rows[i].text);
        ck_assert_msg(strncmp(why, rows[i].why, strlen(rows[i].why)) == 0, "%s: %s", rows[i].text,
                      why);
    }
}
END_TEST

START_TEST(bounds_of_a_text)
{
    char text[1024] = "";
    char why[512];

    for (unsigned i = 0; i < 16; i++) {
        strcat(text, "fds ");
    }
    make(text);
    strcat(text, "fds");
    ck_assert_ptr_null(filter_new(text, why, sizeof why));
    ck_assert_str_eq(why, "filter, character 65: more than 16 terms");
    strcpy(text, "id=1");
    for (unsigned i = 1; i < 64; i++) {
        strcat(text, ",1");
    }
    make(text);
    strcat(text, ",1");
    ck_assert_ptr_null(filter_new(text, why, sizeof why));
    ck_assert_str_eq(why,
                     "filter, character 132: more than 64 values; several terms can share them");
}
END_TEST

START_TEST(the_oldest_is_given_up_for_want_of_room)
{
    static uint8_t payload[SAID_MAX - WIRE_HDR_SIZE];
    const unsigned fit = LIMIT_FILTER_KEPT / SAID_MAX;

    make("errors");
    for (uint16_t id = 0; id < fit; id++) {
        feed(said(SIDE_CLIENT, 0, id, WIRE_REGION_WRITE, payload, sizeof payload), NULL);
    }
    ck_assert_uint_ge(filter_given_up(filter), 1);
    ck_assert_uint_le(filter_given_up(filter), 16);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 0, WIRE_REGION_WRITE, NULL, 0), NULL);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, (uint16_t)(fit - 1), WIRE_REGION_WRITE,
              NULL, 0),
         NULL);
    /* Of the first one the reply alone. */
    ck_assert_str_eq(got, "513 512 514");
}
END_TEST

START_TEST(many_small_ones_are_bounded_too)
{
    make("errors");
    for (unsigned i = 0; i < 20000; i++) {
        feed(said(SIDE_CLIENT, 0, (uint16_t)i, WIRE_DEVICE_RESET, NULL, 0), NULL);
    }
    ck_assert_uint_ge(filter_given_up(filter), 20000 - 16384);
    for (unsigned i = 0; i < 20000; i++) {
        feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY, (uint16_t)i, WIRE_DEVICE_RESET, NULL, 0), NULL);
    }
    feed(said(SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0), NULL);
    feed(said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 1, WIRE_DEVICE_RESET, NULL, 0), NULL);
    ck_assert_str_eq(got, "40001 40002");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace filter");
    TCase *tc = unit_case(s, "filter");

    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, terms);
    tcase_add_test(tc, texts_that_are_none);
    tcase_add_test(tc, bounds_of_a_text);
    tcase_add_test(tc, the_oldest_is_given_up_for_want_of_room);
    tcase_add_test(tc, many_small_ones_are_bounded_too);
    return unit_run(s);
}
