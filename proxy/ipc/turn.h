/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Turns of a process's event loop: from when the kernel has reported events until it is asked for
 * the next ones. While one lasts nobody is served, so that turns are kept short, and the longest
 * one is measured, always.
 *
 * libevent asks the kernel again once LIMIT_TURN_MS have passed, between two callbacks. A callback
 * that may have more to do than fits goes by turn_is_long, and comes again: it does one thing at
 * least each time, so that everything is done in the end.
 */
#ifndef POEMD_PROXY_IPC_TURN_H
#define POEMD_PROXY_IPC_TURN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * An event loop with short turns, for one thread; NULL: no memory. libevent's own clock has a
 * resolution of some 4 ms, so that turns are as long; if precise, it has one of less than a
 * microsecond, at the price of a system call each turn.
 */
struct event_base *turn_base_new(bool precise) __attribute__((warn_unused_result));

/* event_base_dispatch, with its turns measured: for the process's only loop. */
int turn_dispatch(struct event_base *base) __attribute__((warn_unused_result));

/*
 * Whether the turn has taken LIMIT_TURN_MS. False outside of turn_dispatch. Read from the clock: to
 * be asked once for each thing that takes some microseconds.
 */
bool turn_is_long(void);

/* Microseconds that the longest turn has taken since the process began; of those that are over. */
uint32_t turn_longest_us(void);

#endif
