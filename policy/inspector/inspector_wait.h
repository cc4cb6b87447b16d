/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The jobs of an inspector and those that wait for them, from its parent's side. */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_WAIT_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_WAIT_H

#include "policy/inspector/inspector_state.h"

/* Frees a waiter without notifying it. */
void inspector_waiter_free(struct inspector_waiter *w);

/* A waiter's timer: its time is over, or there is something to notify it of. */
void inspector_waiter_on_timer(evutil_socket_t fd, short what, void *arg);

/*
 * Drops one waiter of a job, which may be NULL. A queued job without waiters is cancelled. A
 * running one is finished for the cache when there is nothing else to do: the next request may find
 * the result there.
 */
void inspector_job_unwanted(struct inspector *i, struct inspector_job *j);

/*
 * Ends a job, which frees it, with a result, or with an outcome alone if r is NULL; error is an
 * errno.
 */
void inspector_job_end(struct inspector *i, struct inspector_job *j, const struct inspection *r,
                       enum inspection_outcome outcome, int error);
void inspector_job_fail(struct inspector *i, struct inspector_job *j,
                        enum inspection_outcome outcome, int error);

/* Ends a job with the answer of the process: copied once, for the cache and all waiters. */
void inspector_job_answered(struct inspector *i, struct inspector_job *j,
                            const struct inspection *answer);

#endif
