/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Threads beside a loop. */
#ifndef POEMD_BASE_THREAD_H
#define POEMD_BASE_THREAD_H

#include <pthread.h>

/*
 * Starts a thread with all signals blocked: the loop handles them. The caller joins *out. Returns 0
 * or an errno value (positive), with *out undefined then.
 */
int thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
    __attribute__((warn_unused_result));

#endif
