/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Handlers for all signals that another process may send. */
#define _GNU_SOURCE
#include "proxy/signals.h"

#include <errno.h>
#include <signal.h>

/* Does nothing: unlike an ignored signal, a handled one is not inherited by a program. */
static void signals_nothing(int sig)
{
    (void)sig;
}

static void signals_disarm(void)
{
    /* By default they end the process. A limit on files becomes an error of the call. */
    static const int numbers[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
                                  SIGPWR,  SIGSTKFLT, SIGXFSZ, SIGXCPU};
    struct sigaction nothing = {.sa_handler = signals_nothing, .sa_flags = SA_RESTART};

    sigemptyset(&nothing.sa_mask);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sigaction(numbers[i], &nothing, NULL);
    }
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
        (void)sigaction(sig, &nothing, NULL);
    }
}

int signals_watch(struct signals *s, struct event_base *base, event_callback_fn fn, void *arg)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

    sigset_t none;

    signals_disarm();
    for (size_t i = 0; i < SIGNALS; i++) {
        s->events[i] = evsignal_new(base, numbers[i], fn, arg);
        if (!s->events[i] || event_add(s->events[i], NULL) < 0) {
            return -ENOMEM;
        }
    }
    /* The keeper has blocked them all until now. */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

void signals_forget(struct signals *s)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        if (s->events[i]) {
            event_free(s->events[i]);
            s->events[i] = NULL;
        }
    }
}
