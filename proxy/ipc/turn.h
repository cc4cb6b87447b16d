/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Turns of a process's event loop: from the kernel's report of events until the next request for
 * events. During a turn nothing else is served, so turns are kept short, and the longest one is
 * always measured.
 *
 * libevent asks the kernel again once LIMIT_TURN_MS have passed or, in a worker, after
 * LIMIT_TURN_CALLBACKS. A callback
 * that may have more to do checks turn_is_long, and schedules itself again: it does at least one
 * thing each time, so that everything gets done in the end.
 */
#ifndef POEMD_PROXY_IPC_TURN_H
#define POEMD_PROXY_IPC_TURN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Creates an event loop with short turns, for one thread, or returns NULL if out of memory. If
 * precise, turns end by time, and libevent's clock is one below a microsecond (its usual one has a
 * resolution of about 4 ms). Otherwise they end by their number of callbacks, and waits of 100 ms
 * or more may be 10 ms late; their timer, an fd that stays open, is created here, before the
 * process is confined.
 */
struct event_base *turn_base_new(bool precise) __attribute__((warn_unused_result));

/* Calls event_base_dispatch and measures the turns. For the process's only loop. */
int turn_dispatch(struct event_base *base) __attribute__((warn_unused_result));

/*
 * Has the loop look for events for this many us from now on before it sleeps, at most
 * LIMIT_BUSY_POLL_MOST_US. Timers may be late by as much.
 */
void turn_stay_awake(uint32_t us);

/*
 * Returns true if the turn has taken LIMIT_TURN_MS; false outside of turn_dispatch. Reads the
 * clock: call it once for each thing that takes some microseconds.
 */
bool turn_is_long(void);

/* Returns the microseconds of the longest completed turn since the process began. */
uint32_t turn_longest_us(void);

#endif
