/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The pure part of playing a trace again: scripts out of sessions, what differs, what may, and
 * which recorded request a request of now stands for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/trace_rig.h"
#include "trace/replay/replay_compare.h"
#include "trace/replay/replay_index.h"

/* ---- scripts ---- */

/* Messages that are told one after another, 10 ns apart, each delivered after 3. */
struct tale {
    struct replay_script script;
    uint64_t number;
    uint64_t now;
};

static void tale_init(struct tale *t)
{
    *t = (struct tale){.now = 1000};
    replay_script_init(&t->script);
}

static struct trace_message message(struct tale *t, enum side sender, uint32_t flags, uint16_t id,
                                    uint16_t command, const void *payload, size_t n, uint8_t *bytes)
{
    const struct wire_hdr hdr = {
        .id = id, .command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n), .flags = flags};

    wire_put_hdr(bytes, &hdr);
    if (n > 0) {
        memcpy(bytes + WIRE_HDR_SIZE, payload, n);
    }
    t->now += 10;
    return (struct trace_message){.session = 1,
                                  .number = ++t->number,
                                  .read_ns = t->now,
                                  .passed_ns = 3,
                                  .size = hdr.size,
                                  .kept = hdr.size,
                                  .sender = (uint8_t)sender,
                                  .legs = TRACE_LEGS,
                                  .data = bytes};
}

static void tell(struct tale *t, enum side sender, uint32_t flags, uint16_t id, uint16_t command,
                 const void *payload, size_t n)
{
    uint8_t bytes[256];
    const struct trace_message m = message(t, sender, flags, id, command, payload, n, bytes);

    ck_assert_int_eq(replay_script_add(&t->script, &m), 0);
}

static void ask(struct tale *t, uint16_t id, uint16_t command, const void *payload, size_t n)
{
    tell(t, SIDE_CLIENT, WIRE_TYPE_COMMAND, id, command, payload, n);
}

static void answer(struct tale *t, uint16_t id, uint16_t command, const void *payload, size_t n)
{
    tell(t, SIDE_BACKEND, WIRE_TYPE_REPLY, id, command, payload, n);
}

static void finish(struct tale *t)
{
    char why[256];

    ck_assert_msg(replay_script_finish(&t->script, TRACE_LEG_BACKEND, why, sizeof why), "%s", why);
}

static void version(struct tale *t)
{
    ask(t, 0, WIRE_VERSION, "\0\0\1\0", 4);
    answer(t, 0, WIRE_VERSION, "\0\0\1\0", 4);
}

static void check_partners(const struct replay_script *s, size_t request, size_t reply)
{
    ck_assert_uint_eq(s->messages[request].partner, reply);
    ck_assert_uint_eq(s->messages[reply].partner, request);
    ck_assert(!s->messages[request].reply && s->messages[reply].reply);
}

START_TEST(who_answers_whom_and_who_waits)
{
    const struct replay_script *s;
    struct tale t;

    tale_init(&t);
    version(&t);                            /* 0 1 */
    ask(&t, 7, WIRE_DEVICE_RESET, NULL, 0); /* 2 */
    ask(&t, 7, WIRE_DEVICE_RESET, NULL, 0); /* 3: the same id, without waiting */
    answer(&t, 7, WIRE_DEVICE_RESET, NULL, 0);
    answer(&t, 7, WIRE_DEVICE_RESET, NULL, 0);
    ask(&t, 8, WIRE_DEVICE_RESET, NULL, 0); /* 6: after both */
    finish(&t);
    s = &t.script;
    ck_assert_uint_eq(s->n, 7);
    check_partners(s, 0, 1);
    check_partners(s, 2, 4);
    check_partners(s, 3, 5);
    ck_assert_uint_eq(s->messages[6].partner, REPLAY_NONE);
    ck_assert_uint_eq(s->messages[2].after[REPLAY_MAIN], 1);
    ck_assert_uint_eq(s->messages[3].after[REPLAY_MAIN], 1);
    ck_assert_uint_eq(s->messages[6].after[REPLAY_MAIN], 3);
    ck_assert_uint_eq(s->messages[6].after[REPLAY_TWIN], 0);
    ck_assert_uint_eq(s->messages[5].after[REPLAY_MAIN], 3);
    ck_assert_uint_eq(s->messages[5].ordinal, 2);
    ck_assert_uint_eq(s->messages[0].pause_ns, 0);
    ck_assert_uint_eq(s->messages[2].pause_ns, 7);
    ck_assert_uint_eq(s->messages[3].pause_ns, 10);
    ck_assert_uint_eq(s->messages[6].pause_ns, 7);
    ck_assert_uint_eq(s->missing, 0);
    replay_script_deinit(&t.script);
}
END_TEST

START_TEST(messages_come_in_the_order_of_their_numbers)
{
    uint8_t bytes[2][64];
    struct trace_message m[2];
    struct tale t;

    tale_init(&t);
    version(&t);
    m[0] = message(&t, SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0, bytes[0]);
    m[1] = message(&t, SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_DEVICE_RESET, NULL, 0, bytes[1]);
    ck_assert_int_eq(replay_script_add(&t.script, &m[1]), 0);
    ck_assert_int_eq(replay_script_add(&t.script, &m[0]), 0);
    finish(&t);
    check_partners(&t.script, 2, 3);
    replay_script_deinit(&t.script);
}
END_TEST

START_TEST(what_is_missing_is_counted)
{
    struct tale t;

    tale_init(&t);
    version(&t);
    t.number += 3;
    ask(&t, 1, WIRE_DEVICE_RESET, NULL, 0);
    t.number += 2;
    ask(&t, 1, WIRE_DEVICE_RESET, NULL, 0);
    finish(&t);
    ck_assert_uint_eq(t.script.missing, 5);
    ck_assert_uint_eq(t.script.missing_near, 6);
    replay_script_deinit(&t.script);
}
END_TEST

/* A session without VERSION; of the other byte order; without headers: each is refused in words. */
static const char *const refusals[] = {"the trace has no VERSION message",
                                       "message 1 (VERSION) has another byte order",
                                       "message 1 (command 0) has no header"};

START_TEST(what_cannot_be_played)
{
    uint8_t bytes[64];
    struct trace_message m;
    char why[256] = "";
    struct tale t;

    tale_init(&t);
    m = message(&t, SIDE_CLIENT, 0, 1, _i == 0 ? WIRE_DEVICE_RESET : WIRE_VERSION, "\0\0\1\0", 4,
                bytes);
    if (_i == 1) {
        const uint8_t foreign[] = {0, 1, 0, WIRE_VERSION, 0, 0, 0, 20};

        memcpy(bytes, foreign, sizeof foreign);
        m.flags = TRACE_BIG_ENDIAN;
    } else if (_i == 2) {
        m.kept = WIRE_HDR_SIZE - 1;
    }
    ck_assert_int_eq(replay_script_add(&t.script, &m), 0);
    ck_assert(!replay_script_finish(&t.script, TRACE_LEG_BACKEND, why, sizeof why));
    ck_assert_msg(strstr(why, refusals[_i]) == why, "%s", why);
    replay_script_deinit(&t.script);
}
END_TEST

/* Of the sample's first session, each leg has its own VERSION, and the client's the refusal. */
START_TEST(each_leg_is_a_script)
{
    static const unsigned legs[] = {TRACE_LEG_CLIENT, TRACE_LEG_BACKEND};
    static struct trace_sample sample;
    struct trace_reader *from;
    struct replay_script s;
    struct trace_item item;
    enum trace_outcome o;
    unsigned versions = 0;
    char why[256];

    trace_sample(&sample);
    from = trace_reader_new_take(trace_rig_file(sample.p, sample.size));
    ck_assert_ptr_nonnull(from);
    replay_script_init(&s);
    while ((o = trace_reader_next(from, &item)) <= TRACE_STATISTICS) {
        if (o == TRACE_MESSAGE && item.session->number == 1) {
            ck_assert_int_eq(replay_script_add(&s, &item.message), 0);
        }
    }
    ck_assert(replay_script_finish(&s, legs[_i], why, sizeof why));
    ck_assert_uint_eq(s.n, 73 - 2 - (_i == 0 ? 0u : 2u));
    ck_assert_uint_eq(s.missing, 3);
    for (size_t i = 0; i < s.n; i++) {
        versions += s.messages[i].hdr.command == WIRE_VERSION;
        ck_assert_uint_eq(s.messages[i].socket,
                          s.messages[i].flags & TRACE_TWIN ? REPLAY_TWIN : REPLAY_MAIN);
    }
    ck_assert_uint_eq(versions, 2);
    trace_reader_free(from);
    replay_script_deinit(&s);
}
END_TEST

START_TEST(a_script_has_an_end)
{
    static uint8_t bytes[1u << 20];
    struct trace_message m = trace_rig_message();
    struct replay_script s;
    uint64_t added = 0;
    int err = 0;

    m.data = bytes;
    m.size = sizeof bytes;
    m.kept = sizeof bytes;
    replay_script_init(&s);
    /* As if most of it had been added. */
    s.bytes = LIMIT_REPLAY_BYTES - 3 * (sizeof bytes + sizeof(struct replay_message));
    while (err == 0) {
        err = replay_script_add(&s, &m);
        added += err == 0;
    }
    ck_assert_int_eq(err, -EFBIG);
    ck_assert_uint_eq(added, 3);
    replay_script_deinit(&s);
}
END_TEST

/* ---- masks ---- */

static const char *const bad_masks[] = {"",
                                        " ",
                                        "command=",
                                        "command=NOTHING",
                                        "command=70000",
                                        "region=x",
                                        "region=1,",
                                        "offset=",
                                        "offset=5..",
                                        "offset=5..4",
                                        "bytes=-1",
                                        "bytes=0x",
                                        "colour=1",
                                        "command",
                                        "offset=1 .. 2",
                                        "offset=99999999999999999999",
                                        "region=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"};

START_TEST(masks_that_are_none)
{
    struct replay_masks m = {.n = 0};
    char why[320] = "";

    ck_assert(!replay_mask_add(&m, bad_masks[_i], why, sizeof why));
    ck_assert_uint_eq(m.n, 0);
    ck_assert_ptr_nonnull(strstr(why, "a mask is made of command=NAME"));
}
END_TEST

START_TEST(as_many_masks_as_there_may_be)
{
    struct replay_masks m = {.n = 0};
    char why[320] = "";

    for (unsigned i = 0; i < REPLAY_MASKS_MAX; i++) {
        ck_assert(replay_mask_add(&m, "bytes=1", why, sizeof why));
    }
    ck_assert(!replay_mask_add(&m, "bytes=1", why, sizeof why));
    ck_assert_str_eq(why, "more than 64 masks");
}
END_TEST

/* What a mask says of a read of 8 bytes of BAR0 at 0x10: all of it, byte 16 (0x10), byte 23. */
static const struct {
    const char *mask;
    bool all;
    bool first;
    bool last;
} verdicts[] = {
    {"command=REGION_READ", true, true, true},
    {"command=region_read,VERSION", true, true, true},
    {"command=9", true, true, true},
    {"command=REGION_WRITE", false, false, false},
    {"region=0", true, true, true},
    {"region=1,2", false, false, false},
    {"region=1,0", true, true, true},
    {"region=0 command=REGION_WRITE", false, false, false},
    {"offset=0x10", false, true, false},
    {"offset=0x17", false, false, true},
    {"offset=0x11..0x16", false, false, false},
    {"offset=0..0xffff", false, true, true},
    {"region=0 offset=16..23", false, true, true},
    {"region=7 offset=16..23", false, false, false},
    {"bytes=16", false, true, false},
    {"bytes=20..100", false, false, true},
    {"bytes=0..15", false, false, false},
    {" bytes=16  region=0 ", false, true, false},
};

START_TEST(what_a_mask_says)
{
    const struct replay_about about = {.command = WIRE_REGION_READ,
                                       .has_region = true,
                                       .offset = 0x10,
                                       .data_from = 16,
                                       .has_data = true};
    struct replay_masks m = {.n = 0};
    char why[320];

    ck_assert(!replay_mask_all(&m, &about) && !replay_mask_byte(&m, &about, 16));
    ck_assert(replay_mask_add(&m, verdicts[_i].mask, why, sizeof why));
    ck_assert_int_eq(replay_mask_all(&m, &about), verdicts[_i].all);
    ck_assert_int_eq(replay_mask_byte(&m, &about, 16), verdicts[_i].first);
    ck_assert_int_eq(replay_mask_byte(&m, &about, 23), verdicts[_i].last);
}
END_TEST

START_TEST(registers_are_masked_where_data_is)
{
    const struct replay_about about = {.command = WIRE_DEVICE_GET_INFO};
    struct replay_masks m = {.n = 0};
    char why[320];

    ck_assert(replay_mask_add(&m, "offset=0..100", why, sizeof why));
    ck_assert(replay_mask_add(&m, "region=0", why, sizeof why));
    ck_assert(!replay_mask_all(&m, &about) && !replay_mask_byte(&m, &about, 0));
}
END_TEST

/* ---- differences ---- */

struct compared {
    struct replay_message request;
    struct replay_message recorded;
    struct trace_fd fd;
    uint8_t asked[WIRE_HDR_SIZE + sizeof(struct wire_region_access)];
    uint8_t replied[WIRE_HDR_SIZE + sizeof(struct wire_region_access) + 4];
    uint8_t payload[sizeof(struct wire_region_access) + 4];
    uint8_t kind;
    struct replay_got got;
};

/* A read of BAR0 +0x8, answered as it was recorded. */
static void compared_init(struct compared *c)
{
    const struct wire_region_access a = {0x8, WIRE_PCI_BAR0, 4};

    *c = (struct compared){.fd = {.kind = TRACE_FD_MEMFD}, .kind = TRACE_FD_MEMFD};
    c->request.hdr = (struct wire_hdr){3, WIRE_REGION_READ, sizeof c->asked, 0, 0};
    c->recorded.hdr = (struct wire_hdr){3, WIRE_REGION_READ, sizeof c->replied, WIRE_TYPE_REPLY, 0};
    c->recorded.sender = SIDE_BACKEND;
    c->recorded.reply = true;
    memcpy(c->asked + WIRE_HDR_SIZE, &a, sizeof a);
    memcpy(c->replied + WIRE_HDR_SIZE, &a, sizeof a);
    memcpy(c->payload, &a, sizeof a);
    memcpy(c->replied + WIRE_HDR_SIZE + sizeof a, "\1\2\3\4", 4);
    memcpy(c->payload + sizeof a, "\1\2\3\4", 4);
    wire_put_hdr(c->asked, &c->request.hdr);
    wire_put_hdr(c->replied, &c->recorded.hdr);
    c->request.data = c->asked;
    c->request.kept = sizeof c->asked;
    c->recorded.data = c->replied;
    c->recorded.kept = sizeof c->replied;
    c->recorded.fds = &c->fd;
    c->recorded.n_fds = 1;
    c->got = (struct replay_got){
        .hdr = c->recorded.hdr, .payload = c->payload, .n_fds = 1, .fd_kinds = &c->kind};
}

static void check(struct compared *c, const char *mask, enum replay_what want, const char *text)
{
    struct replay_masks m = {.n = 0};
    struct replay_difference d;
    char why[320];
    char out[256];

    ck_assert(mask[0] == '\0' || replay_mask_add(&m, mask, why, sizeof why));
    ck_assert_int_eq(replay_compare(&c->recorded, &c->request, &c->got, &m, &d), want);
    ck_assert_int_eq(d.what, want);
    ck_assert_str_eq(replay_difference_text(&d, out, sizeof out), text);
}

START_TEST(what_is_the_same)
{
    struct compared c;

    compared_init(&c);
    check(&c, "", REPLAY_EQUAL, "equal");
    check(&c, "command=REGION_READ", REPLAY_EQUAL, "equal");
}
END_TEST

START_TEST(bytes_that_differ)
{
    struct compared c;

    compared_init(&c);
    c.payload[17] = 9;
    c.payload[19] = 9;
    check(&c, "", REPLAY_BYTES, "byte 17 of the payload is 0x09, recorded 0x02 (2 differ)");
    check(&c, "offset=0x9", REPLAY_BYTES,
          "byte 19 of the payload is 0x09, recorded 0x04 (1 differ)");
    check(&c, "offset=0x9..0xb", REPLAY_MASKED, "masked");
    check(&c, "region=0", REPLAY_MASKED, "masked");
    check(&c, "region=1", REPLAY_BYTES, "byte 17 of the payload is 0x09, recorded 0x02 (2 differ)");
    /* What the trace did not keep is not compared. */
    c.recorded.kept -= 3;
    check(&c, "", REPLAY_EQUAL, "equal");
}
END_TEST

START_TEST(heads_that_differ)
{
    struct compared c;

    compared_init(&c);
    c.got.hdr.id = 99;
    check(&c, "", REPLAY_EQUAL, "equal");
    c.got.hdr.command = WIRE_REGION_WRITE;
    check(&c, "", REPLAY_COMMAND, "the command is REGION_WRITE, recorded REGION_READ");
    compared_init(&c);
    c.got.hdr = (struct wire_hdr){3, WIRE_REGION_READ, 16, WIRE_TYPE_REPLY | WIRE_ERROR, EINVAL};
    check(&c, "", REPLAY_ERROR, "the error is EINVAL, recorded none");
    check(&c, "command=REGION_READ", REPLAY_MASKED, "masked");
    check(&c, "bytes=0..99", REPLAY_ERROR, "the error is EINVAL, recorded none");
    compared_init(&c);
    c.got.hdr.flags = WIRE_TYPE_REPLY | WIRE_NO_REPLY;
    check(&c, "", REPLAY_TYPE, "the flags are 0x11, recorded 0x1");
    compared_init(&c);
    c.got.hdr.size = 35;
    check(&c, "", REPLAY_SIZE, "the size is 35, recorded 36");
}
END_TEST

START_TEST(fds_that_differ)
{
    struct compared c;

    compared_init(&c);
    c.kind = TRACE_FD_EVENTFD;
    check(&c, "", REPLAY_FDS, "fd 0 is a eventfd, recorded a memfd");
    c.fd.kind = TRACE_FD_UNKNOWN;
    check(&c, "", REPLAY_EQUAL, "equal");
    c.got.n_fds = 0;
    check(&c, "", REPLAY_FDS, "0 fds came, recorded 1");
    check(&c, "region=0", REPLAY_MASKED, "masked");
}
END_TEST

START_TEST(places_by_name)
{
    struct compared c;
    char out[96];

    compared_init(&c);
    ck_assert_str_eq(replay_place(&c.request, out, sizeof out), " BAR0 +0x8, 4 bytes");
    c.request.kept = WIRE_HDR_SIZE + 4;
    ck_assert_str_eq(replay_place(&c.request, out, sizeof out), "");
}
END_TEST

/* ---- which request this is ---- */

static size_t find(struct replay_index *x, uint16_t command, const void *p, size_t n, bool repeated)
{
    const struct wire_hdr hdr = {.command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n)};
    bool again;
    const size_t place = replay_index_find(x, &hdr, p, n, &again);

    ck_assert(place == REPLAY_NONE || again == repeated);
    return place;
}

START_TEST(requests_are_found_in_their_order)
{
    const struct wire_region_access a = {0x8, 0, 4};
    const struct wire_region_access other = {0xc, 0, 4};
    struct {
        struct wire_region_access a;
        uint8_t data[4];
    } write = {a, {1, 0, 0, 0}};
    struct replay_index *x;
    struct tale t;

    tale_init(&t);
    version(&t);                                         /* 0 1 */
    ask(&t, 1, WIRE_REGION_READ, &a, sizeof a);          /* 2 */
    ask(&t, 1, WIRE_REGION_WRITE, &write, sizeof write); /* 3 */
    write.data[0] = 2;
    ask(&t, 1, WIRE_REGION_WRITE, &write, sizeof write); /* 4 */
    ask(&t, 1, WIRE_REGION_READ, &a, sizeof a);          /* 5 */
    ask(&t, 1, 200, "abc", 3);                           /* 6 */
    finish(&t);
    x = replay_index_new(&t.script);
    ck_assert_ptr_nonnull(x);
    ck_assert_uint_eq(find(x, WIRE_REGION_READ, &other, sizeof other, false), REPLAY_NONE);
    ck_assert_uint_eq(find(x, WIRE_REGION_READ, &a, sizeof a, false), 2);
    ck_assert_uint_eq(find(x, WIRE_REGION_READ, &a, sizeof a, false), 5);
    ck_assert_uint_eq(find(x, WIRE_REGION_READ, &a, sizeof a, true), 5);
    /* The same bytes go before the order; other bytes are as good where none are left. */
    ck_assert_uint_eq(find(x, WIRE_REGION_WRITE, &write, sizeof write, false), 4);
    ck_assert_uint_eq(find(x, WIRE_REGION_WRITE, &write, sizeof write, false), 3);
    ck_assert_uint_eq(find(x, WIRE_REGION_WRITE, &write, sizeof write, true), 3);
    ck_assert_uint_eq(find(x, 200, "xyzzy", 5, false), 6);
    ck_assert_uint_eq(find(x, 201, "abc", 3, false), REPLAY_NONE);
    ck_assert_uint_eq(find(x, WIRE_VERSION, "", 0, false), 0);
    /* A request too short to say what it is about is like others that are. */
    ck_assert_uint_eq(find(x, WIRE_REGION_READ, &a, 3, false), REPLAY_NONE);
    replay_index_free(x);
    replay_script_deinit(&t.script);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof *(table))

int main(void)
{
    Suite *s = suite_create("trace_replay");
    TCase *c = unit_case(s, "replay");

    tcase_add_test(c, who_answers_whom_and_who_waits);
    tcase_add_test(c, messages_come_in_the_order_of_their_numbers);
    tcase_add_test(c, what_is_missing_is_counted);
    tcase_add_loop_test(c, what_cannot_be_played, 0, COUNT(refusals));
    tcase_add_loop_test(c, each_leg_is_a_script, 0, 2);
    tcase_add_test(c, a_script_has_an_end);
    tcase_add_loop_test(c, masks_that_are_none, 0, COUNT(bad_masks));
    tcase_add_test(c, as_many_masks_as_there_may_be);
    tcase_add_loop_test(c, what_a_mask_says, 0, COUNT(verdicts));
    tcase_add_test(c, registers_are_masked_where_data_is);
    tcase_add_test(c, what_is_the_same);
    tcase_add_test(c, bytes_that_differ);
    tcase_add_test(c, heads_that_differ);
    tcase_add_test(c, fds_that_differ);
    tcase_add_test(c, places_by_name);
    tcase_add_test(c, requests_are_found_in_their_order);
    return unit_run(s);
}
