/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Whose reply is whose: order, ids that repeat, legs, sockets, and the bound. */
#include "trace/decode/pair.h"

#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"

static struct trace_pairs *pairs;
static struct trace_request request;

static void setup(void)
{
    said_reset();
    pairs = trace_pairs_new();
    ck_assert_ptr_nonnull(pairs);
}

static void teardown(void)
{
    trace_pairs_free(pairs);
}

static enum trace_pairing feed(const struct said *s, uint64_t tag)
{
    return trace_pairs_feed(pairs, &said_session[s->m.session - 1], &s->m, tag, &request);
}

/* A request of the client's, or of whom it is, with the tag. */
static void ask(enum side who, uint16_t id, uint64_t tag)
{
    ck_assert_int_eq(feed(said(who, 0, id, WIRE_DEVICE_RESET, NULL, 0), tag), TRACE_PAIR_REQUEST);
}

/* The other's reply finds the request with the tag; 0: none. */
static void answers(enum side who, uint16_t id, uint64_t tag)
{
    const enum trace_pairing p =
        feed(said(who, WIRE_TYPE_REPLY, id, WIRE_DEVICE_RESET, NULL, 0), 0);

    ck_assert_int_eq(p, tag ? TRACE_PAIR_REPLY : TRACE_PAIR_UNASKED);
    ck_assert(tag == 0 || request.tag == tag);
}

START_TEST(ids_repeat_and_the_oldest_is_answered_first)
{
    ask(SIDE_CLIENT, 7, 1);
    ask(SIDE_CLIENT, 7, 2);
    ask(SIDE_CLIENT, 8, 3);
    ask(SIDE_CLIENT, 7, 4);
    answers(SIDE_BACKEND, 8, 3);
    answers(SIDE_BACKEND, 7, 1);
    answers(SIDE_BACKEND, 7, 2);
    ask(SIDE_CLIENT, 7, 5);
    answers(SIDE_BACKEND, 7, 4);
    answers(SIDE_BACKEND, 7, 5);
    answers(SIDE_BACKEND, 7, 0);
    answers(SIDE_BACKEND, 8, 0);
}
END_TEST

START_TEST(ids_belong_to_their_sender)
{
    ask(SIDE_CLIENT, 7, 1);
    ask(SIDE_BACKEND, 7, 2);
    answers(SIDE_CLIENT, 7, 2);
    answers(SIDE_CLIENT, 7, 0);
    answers(SIDE_BACKEND, 7, 1);
}
END_TEST

START_TEST(what_is_remembered)
{
    const struct wire_region_access a = {0x10, 3, 100};
    uint8_t payload[116];
    struct said *s;

    memset(payload, 0x5a, sizeof payload);
    memcpy(payload, &a, sizeof a);
    s = said(SIDE_CLIENT, 0, 9, WIRE_REGION_WRITE, payload, sizeof payload);
    said_fds(s, 2, TRACE_FD_MEMFD);
    ck_assert_int_eq(feed(s, 77), TRACE_PAIR_REQUEST);
    said_wait(2500);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 9, WIRE_REGION_WRITE, &a, sizeof a);
    ck_assert_int_eq(feed(s, 0), TRACE_PAIR_REPLY);
    ck_assert_ptr_eq(request.session, &said_session[0]);
    ck_assert_uint_eq(request.hdr.command, WIRE_REGION_WRITE);
    ck_assert_uint_eq(request.hdr.size, 132);
    ck_assert_uint_eq(request.number, 1);
    ck_assert_uint_eq(request.n_fds, 2);
    ck_assert_uint_eq(request.sender, SIDE_CLIENT);
    ck_assert_uint_eq(request.legs, TRACE_LEGS);
    ck_assert_uint_eq(request.passed_ns, 1500);
    ck_assert_uint_eq(request.kept, TRACE_REMEMBERED);
    ck_assert_mem_eq(request.head + WIRE_HDR_SIZE, payload, TRACE_REMEMBERED - WIRE_HDR_SIZE);
    ck_assert_uint_eq(trace_latency(&request, &s->m), 2500);
    /* A clock that was set back. */
    s->m.read_ns = request.read_ns - 1;
    ck_assert_uint_eq(trace_latency(&request, &s->m), 0);
}
END_TEST

START_TEST(posted_requests_are_not_remembered)
{
    ck_assert_int_eq(feed(said(SIDE_CLIENT, WIRE_NO_REPLY, 3, WIRE_REGION_WRITE, NULL, 0), 1),
                     TRACE_PAIR_REQUEST);
    answers(SIDE_BACKEND, 3, 0);
}
END_TEST

START_TEST(what_is_neither)
{
    struct said *s = said(SIDE_CLIENT, 0, 1, WIRE_DEVICE_RESET, NULL, 0);

    s->m.kept = WIRE_HDR_SIZE - 1;
    ck_assert_int_eq(feed(s, 1), TRACE_PAIR_NEITHER);
    for (uint32_t type = 2; type <= WIRE_TYPE_MASK; type++) {
        ck_assert_int_eq(feed(said(SIDE_CLIENT, type, 1, WIRE_DEVICE_RESET, NULL, 0), 1),
                         TRACE_PAIR_NEITHER);
    }
    answers(SIDE_BACKEND, 1, 0);
}
END_TEST

START_TEST(an_error_without_the_type_is_a_reply)
{
    ask(SIDE_CLIENT, 4, 1);
    /* Another command: a request with a flag that is not its own. */
    ck_assert_int_eq(feed(said(SIDE_BACKEND, WIRE_ERROR, 4, WIRE_DMA_READ, NULL, 0), 2),
                     TRACE_PAIR_REQUEST);
    ck_assert_int_eq(feed(said(SIDE_BACKEND, WIRE_ERROR, 4, WIRE_DEVICE_RESET, NULL, 0), 3),
                     TRACE_PAIR_REPLY);
    ck_assert_uint_eq(request.tag, 1);
    answers(SIDE_CLIENT, 4, 2);
}
END_TEST

/* What the broker writes anew is one message on each leg, with one id. */
START_TEST(each_leg_has_its_own)
{
    static const uint8_t legs[] = {TRACE_LEG_CLIENT, TRACE_LEG_BACKEND};
    struct said *s;

    for (unsigned i = 0; i < 2; i++) {
        s = said(SIDE_CLIENT, 0, 0, WIRE_VERSION, NULL, 0);
        s->m.legs = legs[i];
        ck_assert_int_eq(feed(s, i + 1), TRACE_PAIR_REQUEST);
    }
    for (unsigned i = 2; i-- > 0;) {
        s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 0, WIRE_VERSION, NULL, 0);
        s->m.legs = legs[i];
        ck_assert_int_eq(feed(s, 0), TRACE_PAIR_REPLY);
        ck_assert_uint_eq(request.tag, i + 1);
    }
    /* A relayed request, whose reply did not get through: seen on one leg. */
    ask(SIDE_CLIENT, 1, 9);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_DEVICE_RESET, NULL, 0);
    s->m.legs = TRACE_LEG_BACKEND;
    ck_assert_int_eq(feed(s, 0), TRACE_PAIR_REPLY);
}
END_TEST

/* A device that was too late: the broker's reply is on one leg, its own on the other. */
START_TEST(an_overdue_request_has_two_replies)
{
    const struct said *const s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_DEVICE_RESET, NULL, 0);
    struct said made = *s;
    struct said late = *s;

    made.m.legs = TRACE_LEG_CLIENT;
    made.m.flags = TRACE_BROKER;
    late.m.legs = TRACE_LEG_BACKEND;
    ask(SIDE_CLIENT, 1, 9);
    ck_assert_int_eq(feed(&made, 0), TRACE_PAIR_REPLY);
    ck_assert(trace_in_stead(&request, &made.m));
    ck_assert_int_eq(feed(&made, 0), TRACE_PAIR_UNASKED);
    ck_assert_int_eq(feed(&late, 0), TRACE_PAIR_REPLY);
    ck_assert_uint_eq(request.tag, 9);
    ck_assert(!trace_in_stead(&request, &late.m));
    ck_assert_int_eq(feed(&late, 0), TRACE_PAIR_UNASKED);
}
END_TEST

START_TEST(each_socket_and_session_has_its_own)
{
    struct said *s = said(SIDE_BACKEND, 0, 5, WIRE_DMA_READ, NULL, 0);

    s->m.flags = TRACE_TWIN;
    ck_assert_int_eq(feed(s, 1), TRACE_PAIR_REQUEST);
    answers(SIDE_CLIENT, 5, 0);
    ask(SIDE_CLIENT, 6, 2);
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 6, WIRE_DEVICE_RESET, NULL, 0);
    s->m.session = 2;
    ck_assert_int_eq(feed(s, 0), TRACE_PAIR_UNASKED);
    answers(SIDE_BACKEND, 6, 2);
    s = said(SIDE_CLIENT, WIRE_TYPE_REPLY, 5, WIRE_DMA_READ, NULL, 0);
    s->m.flags = TRACE_TWIN;
    ck_assert_int_eq(feed(s, 0), TRACE_PAIR_REPLY);
}
END_TEST

START_TEST(the_other_byte_order)
{
    struct said *s = said(SIDE_CLIENT, 0, 0x0102, WIRE_DEVICE_RESET, NULL, 0);

    said_turn_hdr(s);
    ck_assert_int_eq(feed(s, 1), TRACE_PAIR_REQUEST);
    answers(SIDE_BACKEND, 0x0102, 1);
    ck_assert_uint_eq(request.hdr.size, WIRE_HDR_SIZE);
}
END_TEST

struct order {
    uint64_t tags[8];
    unsigned n;
};

static void note(const struct trace_request *r, void *arg)
{
    struct order *o = arg;

    ck_assert_uint_lt(o->n, 8);
    o->tags[o->n++] = r->tag;
}

START_TEST(who_still_waits)
{
    struct order o = {.n = 0};

    for (uint16_t id = 1; id <= 6; id++) {
        ask(SIDE_CLIENT, id, id);
    }
    answers(SIDE_BACKEND, 1, 1);
    answers(SIDE_BACKEND, 4, 4);
    answers(SIDE_BACKEND, 6, 6);
    ask(SIDE_CLIENT, 1, 11);
    trace_pairs_waiting(pairs, note, &o);
    ck_assert_uint_eq(o.n, 4);
    ck_assert_mem_eq(o.tags, ((uint64_t[]){2, 3, 5, 11}), 4 * sizeof *o.tags);
}
END_TEST

START_TEST(the_oldest_is_given_up)
{
    for (uint32_t i = 0; i < TRACE_PENDING; i++) {
        ask(SIDE_CLIENT, (uint16_t)i, i + 1);
    }
    ck_assert_uint_eq(trace_pairs_given_up(pairs), 0);
    ask(SIDE_CLIENT, 0, 100000);
    ck_assert_uint_eq(trace_pairs_given_up(pairs), 1);
    ask(SIDE_BACKEND, 0, 100001);
    ck_assert_uint_eq(trace_pairs_given_up(pairs), 2);
    answers(SIDE_BACKEND, 0, 100000);
    answers(SIDE_BACKEND, 0, 0);
    answers(SIDE_BACKEND, 1, 0);
    for (uint32_t i = 2; i < TRACE_PENDING; i++) {
        answers(SIDE_BACKEND, (uint16_t)i, i + 1);
    }
    answers(SIDE_CLIENT, 0, 100001);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace pair");
    TCase *tc = unit_case(s, "pairs");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, ids_repeat_and_the_oldest_is_answered_first);
    tcase_add_test(tc, ids_belong_to_their_sender);
    tcase_add_test(tc, what_is_remembered);
    tcase_add_test(tc, posted_requests_are_not_remembered);
    tcase_add_test(tc, what_is_neither);
    tcase_add_test(tc, an_error_without_the_type_is_a_reply);
    tcase_add_test(tc, each_leg_has_its_own);
    tcase_add_test(tc, an_overdue_request_has_two_replies);
    tcase_add_test(tc, each_socket_and_session_has_its_own);
    tcase_add_test(tc, the_other_byte_order);
    tcase_add_test(tc, who_still_waits);
    tcase_add_test(tc, the_oldest_is_given_up);
    return unit_run(s);
}
