/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a configuration in a thread. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_JOB_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_JOB_H

#include "proxy/monitor/reload/reload_state.h"

/*
 * Makes a job that follows the configuration in force; done and drop as in offload.h. Returns NULL
 * if out of memory.
 */
struct reload_job *reload_job_new(struct reload *r, void (*done)(struct offload_job *job),
                                  void (*drop)(struct offload_job *job))
    __attribute__((warn_unused_result));

/* Frees it with the results that were not taken, closing new sockets. NULL is allowed. */
void reload_job_free(struct reload_job *j);

#endif
