/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's signals: each that may be sent to it has a handler, and none ends it unasked. */
#ifndef POEMD_PROXY_SIGNALS_H
#define POEMD_PROXY_SIGNALS_H

#include <event2/event.h>

/* Signals with a meaning. */
#define SIGNALS 6u

struct signals {
    struct event *events[SIGNALS];
};

/*
 * Calls fn from the loop for SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2. The others that
 * would end the process without a fault of its own do nothing from now on; programs that it
 * executes get their default action back. Unblocks all signals. Returns 0 or -errno; call
 * signals_forget in either case.
 */
int signals_watch(struct signals *s, struct event_base *base, event_callback_fn fn, void *arg)
    __attribute__((warn_unused_result));

/* Frees the events. */
void signals_forget(struct signals *s);

#endif
