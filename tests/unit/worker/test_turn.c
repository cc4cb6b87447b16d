/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A loop that is to stay awake for a while looks for events without sleeping, then it sleeps. */
#define _GNU_SOURCE
#include "proxy/ipc/turn.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

#define NS_PER_US 1000
#define LONG_MS 120

static int loop_fd;
static int event_fd;

static void open_loop(void)
{
    struct epoll_event e = {.events = EPOLLIN};

    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    event_fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_ge(loop_fd, 0);
    ck_assert_int_ge(event_fd, 0);
    e.data.fd = event_fd;
    ck_assert_int_eq(epoll_ctl(loop_fd, EPOLL_CTL_ADD, event_fd, &e), 0);
}

static void close_loop(void)
{
    close(event_fd);
    close(loop_fd);
}

/* How often this process has slept. */
static long sleeps(void)
{
    struct rusage u;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_nvcsw;
}

START_TEST(it_sleeps_unless_it_is_to_stay_awake)
{
    const long before = sleeps();
    struct epoll_event e;

    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, 1), 0);
    ck_assert_int_gt(sleeps(), before);
}
END_TEST

START_TEST(an_event_is_found_while_it_stays_awake)
{
    struct epoll_event e;

    turn_stay_awake(LIMIT_BUSY_POLL_MOST_US);
    ck_assert_int_eq(eventfd_write(event_fd, 1), 0);
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, -1), 1);
}
END_TEST

/* Not before its time is over, and not for longer than the limit. */
START_TEST(it_sleeps_when_its_time_is_over)
{
    const long before = sleeps();
    const uint64_t begun = clock_ns();
    struct epoll_event e;

    turn_stay_awake(_i ? LIMIT_BUSY_POLL_MOST_US : UINT32_MAX);
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, 1), 0);
    ck_assert_uint_ge(clock_ns() - begun, (uint64_t)LIMIT_BUSY_POLL_MOST_US * NS_PER_US);
    ck_assert_int_gt(sleeps(), before);
}
END_TEST

/* Longer waits have a timer that stays set: an earlier event does not end them for good. */
START_TEST(a_long_wait_ends_in_time_and_is_no_event)
{
    const uint64_t begun = clock_ns();
    struct epoll_event e = {.events = 0};
    eventfd_t value;

    ck_assert_int_eq(eventfd_write(event_fd, 1), 0);
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS), 1);
    ck_assert_uint_eq(e.events, EPOLLIN);
    ck_assert_int_eq(e.data.fd, event_fd);
    ck_assert_int_eq(eventfd_read(event_fd, &value), 0);
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS), 0);
    ck_assert_uint_ge(clock_ns() - begun, (uint64_t)LONG_MS * CLOCK_MS_NS);
    /* Set again, it is due again. */
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS), 0);
    ck_assert_uint_ge(clock_ns() - begun, 2ull * LONG_MS * CLOCK_MS_NS);
}
END_TEST

/* The timer of a long wait that an event has ended is due in a short one. */
START_TEST(a_short_wait_leaves_the_timer_to_later_ones)
{
    const uint64_t begun = clock_ns();
    struct epoll_event e = {.events = 0};
    eventfd_t value;

    ck_assert_int_eq(eventfd_write(event_fd, 1), 0);
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS), 1);
    ck_assert_int_eq(eventfd_read(event_fd, &value), 0);
    while (clock_ns() - begun < 2ull * LONG_MS * CLOCK_MS_NS) {
        ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS / 4), 0);
    }
    ck_assert_int_eq(epoll_wait(loop_fd, &e, 1, LONG_MS), 0);
    ck_assert_uint_ge(clock_ns() - begun, 3ull * LONG_MS * CLOCK_MS_NS);
}
END_TEST

int main(void)
{
    /* Its timer stays open. */
    struct event_base *const base = turn_base_new(false);
    Suite *s = suite_create("turn");
    TCase *tc = unit_case(s, "busy-poll");
    int failed;

    tcase_add_checked_fixture(tc, open_loop, close_loop);
    tcase_add_test(tc, it_sleeps_unless_it_is_to_stay_awake);
    tcase_add_test(tc, an_event_is_found_while_it_stays_awake);
    tcase_add_loop_test(tc, it_sleeps_when_its_time_is_over, 0, 2);
    tc = unit_case(s, "timer");
    tcase_add_checked_fixture(tc, open_loop, close_loop);
    tcase_add_test(tc, a_long_wait_ends_in_time_and_is_no_event);
    tcase_add_test(tc, a_short_wait_leaves_the_timer_to_later_ones);
    failed = unit_run(s);
    event_base_free(base);
    return failed;
}
