/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Measures the length of turns at epoll_wait, which begins and ends them: libevent calls it by this
 * name, and has no hook around it.
 */
#define _GNU_SOURCE
#include "proxy/ipc/turn.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

#define TURN_NS_PER_US 1000

/* The process's only loop. */
static struct {
    bool runs;       /* within turn_dispatch */
    int64_t begun;   /* in ns; 0: no turn under way */
    int64_t longest; /* in ns */
    int64_t awake;   /* in ns: it does not sleep before; 0: it may */
    int timer_fd;    /* -1: none */
    int loop_fd;     /* the loop that timer_fd is in; -1: none */
    int64_t timer;   /* in ns: when timer_fd is due; 0: it is not set */
} turn = {.timer_fd = -1, .loop_fd = -1};

/* Shorter waits have a time limit of their own; longer ones may be late by TURN_LATE_NS. */
#define TURN_LONG_MS 100
#define TURN_LATE_NS (10 * CLOCK_MS_NS)

static int turn_kernel_wait(int fd, struct epoll_event *events, int maxevents, int timeout)
{
#ifdef SYS_epoll_wait
    return (int)syscall(SYS_epoll_wait, fd, events, maxevents, timeout);
#else
    return epoll_pwait(fd, events, maxevents, timeout, NULL);
#endif
}

/* Sets the timer unless it will be due in time. Returns false if there is none. */
static bool turn_set_timer(int fd, int64_t end)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data = {.fd = turn.timer_fd}};
    const struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(end / CLOCK_S_NS), .tv_nsec = (long)(end % CLOCK_S_NS)}};

    if (turn.timer_fd < 0 || (turn.loop_fd >= 0 && turn.loop_fd != fd)) {
        return false;
    }
    if (turn.loop_fd < 0) {
        if (epoll_ctl(fd, EPOLL_CTL_ADD, turn.timer_fd, &e) < 0) {
            return false;
        }
        turn.loop_fd = fd;
    }
    if (turn.timer == 0 || turn.timer > end + (int64_t)TURN_LATE_NS) {
        if (timerfd_settime(turn.timer_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0) {
            return false;
        }
        turn.timer = end;
    }
    return true;
}

/*
 * Sleeps with a timer that stays set from one sleep to the next. The kernel would set and cancel
 * another one for each sleep with a time limit, which cost a round trip 6 % of its time.
 */
static int turn_sleep(int fd, struct epoll_event *events, int maxevents, int timeout)
{
    if (timeout < TURN_LONG_MS ||
        !turn_set_timer(fd, (int64_t)clock_ns() + (int64_t)timeout * (int64_t)CLOCK_MS_NS)) {
        return turn_kernel_wait(fd, events, maxevents, timeout);
    }
    return turn_kernel_wait(fd, events, maxevents, -1);
}

/*
 * Takes the timer's event out, whatever wait has returned it: it is reported once. Returns the
 * number of the others.
 */
static int turn_take_timer(struct epoll_event *events, int n)
{
    for (int i = 0; i < n && turn.loop_fd >= 0; i++) {
        if (events[i].data.fd == turn.timer_fd) {
            turn.timer = 0;
            events[i] = events[n - 1];
            return n - 1;
        }
    }
    return n;
}

/* Looks again and again until the loop may sleep. */
static int turn_wait(int fd, struct epoll_event *events, int maxevents, int timeout)
{
    while (turn.awake && timeout != 0) {
        const int n = turn_kernel_wait(fd, events, maxevents, 0);

        if (n != 0) {
            return n;
        }
        if ((int64_t)clock_ns() >= turn.awake) {
            turn.awake = 0;
        }
    }
    return turn_sleep(fd, events, maxevents, timeout);
}

void turn_stay_awake(uint32_t us)
{
    const uint32_t most = us < LIMIT_BUSY_POLL_MOST_US ? us : LIMIT_BUSY_POLL_MOST_US;
    const int64_t until = (int64_t)clock_ns() + (int64_t)most * TURN_NS_PER_US;

    turn.awake = until > turn.awake ? until : turn.awake;
}

/* Replaces the C library's function in the whole program. */
int epoll_wait(int fd, struct epoll_event *events, int maxevents, int timeout)
{
    int n;

    if (turn.runs && turn.begun) {
        const int64_t took = (int64_t)clock_ns() - turn.begun;

        turn.longest = took > turn.longest ? took : turn.longest;
    }
    n = turn_take_timer(events, turn_wait(fd, events, maxevents, timeout));
    turn.begun = (int64_t)clock_ns();
    return n;
}

struct event_base *turn_base_new(bool precise)
{
    const int flags = EVENT_BASE_FLAG_NOLOCK | (precise ? EVENT_BASE_FLAG_PRECISE_TIMER : 0);
    const struct timeval most = clock_timeval(LIMIT_TURN_MS);
    const struct timeval *const interval = precise ? &most : NULL;
    const int callbacks = precise ? -1 : LIMIT_TURN_CALLBACKS;
    struct event_config *const c = event_config_new();
    struct event_base *base = NULL;

    if (c && event_config_set_flag(c, flags) == 0 &&
        event_config_set_max_dispatch_interval(c, interval, callbacks, 0) == 0) {
        base = event_base_new_with_config(c);
    }
    if (c) {
        event_config_free(c);
    }
    /* Without one each wait has a time limit of its own. */
    if (!precise && turn.timer_fd < 0) {
        turn.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    }
    return base;
}

int turn_dispatch(struct event_base *base)
{
    int r;

    turn.runs = true;
    turn.begun = 0;
    r = event_base_dispatch(base);
    turn.runs = false;
    return r;
}

bool turn_is_long(void)
{
    return turn.runs && turn.begun &&
           (int64_t)clock_ns() - turn.begun >= (int64_t)LIMIT_TURN_MS * CLOCK_MS_NS;
}

uint32_t turn_longest_us(void)
{
    const int64_t us = turn.longest / TURN_NS_PER_US;

    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}
