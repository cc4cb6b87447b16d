/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What shows that a message has arrived which was being sent; answers that are not passed on. */
#include "proxy/relay/settle.h"

#include <string.h>

#include "tests/support/unit.h"

static struct settle settle;
static uint8_t due[SIDES];
static int known; /* -1: nothing; otherwise whether it had arrived */

static void on_known(void *arg, enum side receiver, bool arrived)
{
    ck_assert_ptr_eq(arg, &settle);
    ck_assert_int_eq(receiver, SIDE_CLIENT);
    ck_assert_int_eq(known, -1);
    known = arrived;
}

/* In doubt is a message to the client; it has been asked. */
static void begin(bool request, uint16_t id, uint16_t command)
{
    known = -1;
    memset(due, 0, sizeof due);
    due[SIDE_CLIENT] = 1;
    settle = (struct settle){.fn = on_known, .arg = &settle};
    settle.sides[SIDE_BACKEND].due = &due[SIDE_BACKEND];
    settle.sides[SIDE_CLIENT] = (struct settle_side){.open = true,
                                                     .by_request = request,
                                                     .id = id,
                                                     .command = command,
                                                     .due = &due[SIDE_CLIENT]};
}

/* The client's answer to the question. */
static struct wire_hdr answer(void)
{
    uint8_t question[SETTLE_QUESTION_SIZE];
    struct wire_hdr hdr;

    settle_question(SIDE_CLIENT, question);
    ck_assert_int_eq(wire_get_hdr(question, sizeof question, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.size, sizeof question);
    ck_assert(!wire_is_reply(&hdr));
    hdr.flags = WIRE_TYPE_REPLY;
    return hdr;
}

static bool from_client(struct wire_hdr hdr)
{
    return settle_swallow(&settle, SIDE_CLIENT, &hdr);
}

START_TEST(who_answers_has_its_reply)
{
    begin(false, 7, WIRE_REGION_READ);
    ck_assert(from_client(answer()));
    ck_assert_int_eq(known, 1);
    ck_assert(settle_over(&settle));
}
END_TEST

START_TEST(the_next_request_shows_it_too)
{
    begin(false, 7, WIRE_REGION_READ);
    ck_assert(!from_client(
        (struct wire_hdr){.id = 8, .command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY}));
    ck_assert_int_eq(known, -1);
    ck_assert(!from_client((struct wire_hdr){.id = 9, .command = WIRE_REGION_READ}));
    ck_assert_int_eq(known, 1);
    /* The answer still comes, and is not the device's. */
    ck_assert(!settle_over(&settle));
    ck_assert(from_client(answer()));
    ck_assert(settle_over(&settle));
}
END_TEST

/* QEMU does not wait for the reply to one before it sends the next. */
START_TEST(requests_behind_a_mapping_show_nothing)
{
    begin(false, 7, WIRE_DMA_MAP);
    ck_assert(!from_client((struct wire_hdr){.id = 8, .command = WIRE_DMA_MAP}));
    ck_assert_int_eq(known, -1);
    ck_assert(from_client(answer()));
    ck_assert_int_eq(known, 1);
}
END_TEST

START_TEST(a_request_is_answered_in_its_order)
{
    const struct wire_hdr reply = {.id = 7, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY};

    begin(true, 7, WIRE_DMA_READ);
    ck_assert(!from_client(reply));
    ck_assert_int_eq(known, 1);
    begin(true, 7, WIRE_DMA_READ);
    ck_assert(from_client(answer()));
    ck_assert_int_eq(known, 0);
    ck_assert(!from_client(reply));
}
END_TEST

START_TEST(an_answer_that_is_not_due_goes_on)
{
    begin(false, 7, WIRE_REGION_READ);
    ck_assert(from_client(answer()));
    ck_assert(!from_client(answer()));
    ck_assert(!settle_swallow(&settle, SIDE_BACKEND, &(struct wire_hdr){.flags = WIRE_TYPE_REPLY}));
}
END_TEST

/* Of messages that were sent together, one that decides. */
START_TEST(a_request_decides_before_a_reply)
{
    static const struct wire_hdr hdrs[] = {
        {.id = 1, .command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY, .size = WIRE_HDR_SIZE},
        {.id = 2, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY, .size = WIRE_HDR_SIZE},
        {.id = 3, .command = WIRE_REGION_READ, .size = WIRE_HDR_SIZE}};
    uint8_t bytes[3 * WIRE_HDR_SIZE];
    struct settle_side side = {.open = true};
    struct wire_hdr hdr;

    for (size_t i = 0; i < 3; i++) {
        wire_put_hdr(bytes + i * WIRE_HDR_SIZE, &hdrs[i]);
    }
    ck_assert(!settle_find(&side, bytes, WIRE_HDR_SIZE, &hdr));
    ck_assert(settle_find(&side, bytes, 2 * WIRE_HDR_SIZE, &hdr));
    ck_assert(!side.by_request);
    ck_assert_uint_eq(hdr.id, 2);
    ck_assert(settle_find(&side, bytes, sizeof bytes, &hdr));
    ck_assert(side.by_request);
    ck_assert_uint_eq(side.id, 3);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("settle");
    TCase *const tc = unit_case(suite, "settle");

    tcase_add_test(tc, who_answers_has_its_reply);
    tcase_add_test(tc, the_next_request_shows_it_too);
    tcase_add_test(tc, requests_behind_a_mapping_show_nothing);
    tcase_add_test(tc, a_request_is_answered_in_its_order);
    tcase_add_test(tc, an_answer_that_is_not_due_goes_on);
    tcase_add_test(tc, a_request_decides_before_a_reply);
    return unit_run(suite);
}
