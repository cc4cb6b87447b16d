/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The process of an inspector, from its parent's side. */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_PROCESS_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_PROCESS_H

#include "policy/inspector/inspector_state.h"

/* Starts a process. Returns 0 or -errno. */
int inspector_process_start(struct inspector *i) __attribute__((warn_unused_result));

/* Kills the process for a fault, which is the outcome of the current job. why is logged. */
void inspector_process_kill(struct inspector *i, enum inspection_outcome verdict, const char *why);

/* Forgets a process that has been reaped. */
void inspector_process_close(struct inspector *i);

/* Events: the time-out of a start or of a job, and the time to start another process. */
void inspector_process_on_run_out(evutil_socket_t fd, short what, void *arg);
void inspector_process_on_respawn(evutil_socket_t fd, short what, void *arg);

#endif
