/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose in one direction, from a device to its client: what goes on instead of a
 * message, before the next one, and what the page tells the next worker.
 */
#include "proxy/relay/injector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "proxy/relay/relay_direction.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/relay_rig.h"

#define PAYLOAD 24u

static struct relay_rig rig;
static struct session_page_injections page;
static struct injector *injector;
static struct injector_way way;
static struct asked_kept kept[SIDES];
static struct asked asked[SIDES];
static unsigned reported;
static enum injection_action last;

static void on_injected(void *arg, enum side from, const struct wire_hdr *hdr,
                        const struct injection *rule)
{
    (void)arg;
    ck_assert_int_eq(from, SIDE_BACKEND);
    ck_assert_uint_ge(hdr->size, WIRE_HDR_SIZE);
    reported++;
    last = rule->action;
}

/* Two rules at most. */
static void begin(const char *rule, const char *second)
{
    struct ipc_inject rules = {.n = second ? 2 : 1};
    char why[256] = "";

    snprintf(rules.rules[0], sizeof rules.rules[0], "%s", rule);
    snprintf(rules.rules[1], sizeof rules.rules[1], "%s", second ? second : "");
    page = (struct session_page_injections){.n = (uint8_t)rules.n};
    reported = 0;
    rig_init(&rig, 4, 1 << 20);
    injector = injector_new(&rules, 7, "nvme0", &page, on_injected, NULL, why, sizeof why);
    ck_assert_msg(injector, "%s", why);
    injector_way_init(&way, &page, SESSION_PAGE_TO_CLIENT, 0);
    injector_way_set(&way, injector);
    relay_inject(&rig.direction, &way);
    for (enum side side = SIDE_CLIENT; side <= SIDE_BACKEND; side++) {
        kept[side].n = 0;
        asked_init(&asked[side], &rig.direction.takes, &kept[side]);
    }
    relay_ask(&rig.direction, &asked[SIDE_BACKEND], &asked[SIDE_CLIENT]);
}

static void finish(void)
{
    rig_deinit(&rig);
    ck_assert(!injector_holds(&way));
    ck_assert_uint_eq(page.held, 0);
    injector_free(injector);
}

/* The replies of a test have the ids 0, 1, 2 ... */
static void send_reply(void)
{
    const struct wire_hdr hdr = {.command = WIRE_MIG_DATA_READ, .flags = WIRE_TYPE_REPLY};

    rig_message(&rig, hdr, WIRE_HDR_SIZE + PAYLOAD);
    rig_write(&rig, WIRE_HDR_SIZE + PAYLOAD, 0);
}

/* Receives what is there: one message of this id, with so many bytes of the one sent last. */
static void expect(uint16_t id, size_t payload)
{
    uint8_t got[512];
    struct wire_hdr hdr;
    const ssize_t n = recv(rig.sink_fd, got, WIRE_HDR_SIZE + payload, 0);

    ck_assert_int_eq(n, (ssize_t)(WIRE_HDR_SIZE + payload));
    ck_assert_int_eq(wire_get_hdr(got, (size_t)n, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.id, id);
    ck_assert_uint_eq(hdr.size, WIRE_HDR_SIZE + payload);
    ck_assert_mem_eq(got + WIRE_HDR_SIZE,
                     rig.bytes + rig.messages[rig.count - 1].start + WIRE_HDR_SIZE, payload);
}

static void expect_nothing(void)
{
    uint8_t got;

    ck_assert(recv(rig.sink_fd, &got, 1, 0) < 0 && errno == EAGAIN);
}

START_TEST(drop_as_often_as_the_rule_has_it)
{
    begin("drop count=2", NULL);
    for (unsigned i = 0; i < 2; i++) {
        send_reply();
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        expect_nothing();
    }
    ck_assert_uint_eq(reported, 2);
    ck_assert_uint_eq(page.times[0], 2);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(2, PAYLOAD);
    finish();
}
END_TEST

START_TEST(counts_of_an_earlier_worker_go_on)
{
    begin("drop count=2", NULL);
    page.times[0] = 2;
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(0, PAYLOAD);
    ck_assert_uint_eq(reported, 0);
    finish();
}
END_TEST

START_TEST(an_error_instead_of_the_reply)
{
    struct wire_hdr hdr;

    begin("error=EIO", NULL);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_int_eq(recv(rig.sink_fd, &hdr, sizeof hdr, 0), (int)WIRE_HDR_SIZE);
    ck_assert_uint_eq(hdr.id, 0);
    ck_assert_uint_eq(hdr.flags & WIRE_ERROR, WIRE_ERROR);
    ck_assert_uint_eq(hdr.error, EIO);
    expect_nothing();
    finish();
}
END_TEST

START_TEST(twice_and_shorter)
{
    begin("duplicate id=0", "short=8 id=1");
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(0, PAYLOAD);
    expect(0, PAYLOAD);
    ck_assert_int_eq(last, INJECTION_DUPLICATE);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(1, 8);
    expect_nothing();
    ck_assert_int_eq(last, INJECTION_SHORT);
    ck_assert_uint_eq(page.times[0], 1);
    ck_assert_uint_eq(page.times[1], 1);
    finish();
}
END_TEST

START_TEST(other_bytes)
{
    uint8_t got[WIRE_HDR_SIZE + PAYLOAD];

    begin("change=4:c0ffee", NULL);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_int_eq(recv(rig.sink_fd, got, sizeof got, 0), (int)sizeof got);
    ck_assert_mem_eq(got + WIRE_HDR_SIZE + 4, "\xc0\xff\xee", 3);
    ck_assert_mem_eq(got, rig.bytes, WIRE_HDR_SIZE + 4);
    ck_assert_mem_eq(got + WIRE_HDR_SIZE + 7, rig.bytes + WIRE_HDR_SIZE + 7, PAYLOAD - 7);
    finish();
}
END_TEST

/* The page says that the worker alone has it: with its death, it is lost. */
START_TEST(later_and_before_what_follows)
{
    begin("delay=2ms count=1", NULL);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_DELAYED);
    ck_assert_uint_gt(rig.detail.count, 0);
    ck_assert_uint_le(rig.detail.count, 2000);
    ck_assert_uint_eq(page.held, 1u << SESSION_PAGE_TO_CLIENT);
    expect_nothing();
    while (injector_wait_us(&way) > 0) {
    }
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(0, PAYLOAD);
    ck_assert_uint_eq(page.held, 0);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(1, PAYLOAD);
    finish();
}
END_TEST

START_TEST(the_session_ends_before_it)
{
    begin("close id=1", NULL);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(0, PAYLOAD);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_INJECTED);
    ck_assert_uint_eq(rig.detail.hdr.id, 1);
    expect_nothing();
    finish();
}
END_TEST

START_TEST(rules_that_are_withdrawn)
{
    begin("delay=60s", NULL);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_DELAYED);
    injector_way_set(&way, NULL);
    ck_assert(injector_holds(&way));
    ck_assert_uint_eq(page.held, 1u << SESSION_PAGE_TO_CLIENT);
    /* The other end is another one now: nothing has been sent to it. */
    injector_way_redirect(&way, rig.mark.total.taken);
    ck_assert(injector_holds(&way));
    injector_way_drop(&way);
    send_reply();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    expect(1, PAYLOAD);
    finish();
}
END_TEST

START_TEST(a_rule_that_is_wrong)
{
    const struct ipc_inject rules = {.n = 2, .rules = {"drop", "drops"}};
    char why[256] = "";

    ck_assert_ptr_null(injector_new(&rules, 7, "nvme0", &page, on_injected, NULL, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "a rule begins with"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("injector");
    TCase *tc = unit_case(s, "faults on purpose");

    tcase_add_test(tc, drop_as_often_as_the_rule_has_it);
    tcase_add_test(tc, counts_of_an_earlier_worker_go_on);
    tcase_add_test(tc, an_error_instead_of_the_reply);
    tcase_add_test(tc, twice_and_shorter);
    tcase_add_test(tc, other_bytes);
    tcase_add_test(tc, later_and_before_what_follows);
    tcase_add_test(tc, the_session_ends_before_it);
    tcase_add_test(tc, rules_that_are_withdrawn);
    tcase_add_test(tc, a_rule_that_is_wrong);
    return unit_run(s);
}
