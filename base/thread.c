/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts threads. */
#define _GNU_SOURCE
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t before;
    int err;

    sigfillset(&all);
    err = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (err == 0) {
        err = pthread_create(out, NULL, run, arg);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return err;
}
