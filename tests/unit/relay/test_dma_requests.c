/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Requests that wait: each id is a queue, ids do not stand in each other's way, and there are as
 * many as may be.
 */
#include "proxy/relay/dma_requests.h"

#include "tests/support/unit.h"

static struct dma_requests waiting;

static void requests_open(void)
{
    dma_requests_init(&waiting);
}

static void requests_close(void)
{
    dma_requests_clear(&waiting);
}

/* The command is what requests of one id are known by here. */
static bool requests_add(unsigned id, unsigned command)
{
    const struct dma_request r = {.id = (uint16_t)id, .command = (uint16_t)command};

    return dma_requests_add(&waiting, &r);
}

static void requests_expect(unsigned id, unsigned command)
{
    const struct dma_request *const r = dma_requests_oldest(&waiting, (uint16_t)id);

    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->id, id);
    ck_assert_uint_eq(r->command, command);
    dma_requests_drop(&waiting, (uint16_t)id);
}

START_TEST(none_waits)
{
    ck_assert_ptr_null(dma_requests_oldest(&waiting, 0));
    ck_assert(requests_add(7, 1));
    ck_assert_ptr_null(dma_requests_oldest(&waiting, 0));
    requests_expect(7, 1);
    ck_assert_ptr_null(dma_requests_oldest(&waiting, 7));
}
END_TEST

START_TEST(an_id_is_a_queue)
{
    ck_assert(requests_add(7, 1));
    ck_assert(requests_add(7 + 16, 2));
    ck_assert(requests_add(7, 3));
    ck_assert(requests_add(7 + 4096, 4));
    ck_assert(requests_add(7, 5));
    ck_assert(requests_add(7 + 16, 6));
    requests_expect(7, 1);
    requests_expect(7, 3);
    ck_assert(requests_add(7, 7));
    requests_expect(7 + 16, 2);
    requests_expect(7, 5);
    requests_expect(7, 7);
    ck_assert_ptr_null(dma_requests_oldest(&waiting, 7));
    requests_expect(7 + 4096, 4);
    requests_expect(7 + 16, 6);
    ck_assert_uint_eq(waiting.n, 0);
}
END_TEST

/* ids: how far they are apart, so that 0 is one id, and 4096 those of one bucket. */
START_TEST(as_many_as_may_wait)
{
    static const unsigned steps[] = {0, 1, 16, 4096, 40503};
    const unsigned step = steps[_i];

    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMIT_DMA_REQUESTS; i++) {
            ck_assert(requests_add((uint16_t)(i * step), i));
        }
        ck_assert(!requests_add(1, 1));
        for (unsigned i = 0; i < LIMIT_DMA_REQUESTS; i++) {
            requests_expect((uint16_t)(i * step), i);
        }
        /* A burst leaves nothing behind. */
        ck_assert_uint_eq(waiting.room, 0);
    }
}
END_TEST

START_TEST(the_refused_ones_are_counted)
{
    struct dma_request r = {.id = 3, .refused = 22};

    ck_assert(requests_add(3, 0));
    ck_assert(dma_requests_add(&waiting, &r));
    ck_assert_uint_eq(waiting.refused, 1);
    dma_requests_drop(&waiting, 3);
    ck_assert_int_eq(dma_requests_oldest(&waiting, 3)->refused, 22);
    dma_requests_drop(&waiting, 3);
    ck_assert_uint_eq(waiting.refused, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dma_requests");
    TCase *tc = unit_case(s, "requests");

    tcase_add_checked_fixture(tc, requests_open, requests_close);
    tcase_add_test(tc, none_waits);
    tcase_add_test(tc, an_id_is_a_queue);
    tcase_add_loop_test(tc, as_many_as_may_wait, 0, 5);
    tcase_add_test(tc, the_refused_ones_are_counted);
    return unit_run(s);
}
