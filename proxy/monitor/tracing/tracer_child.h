/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts the tracer's process: our own program once more, with its channel and its settings. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACER_CHILD_H
#define POEMD_PROXY_MONITOR_TRACING_TRACER_CHILD_H

#include <sys/types.h>

#include "trace/capture/tracer.h"

/*
 * Starts a tracer, as a sibling if pidfd is not NULL (helper_child.h). Returns its pid, and its
 * channel (non-blocking, the caller's), or -errno.
 */
pid_t tracer_child_start(const struct tracer_start *start, int *pidfd, int *channel_fd)
    __attribute__((warn_unused_result));

#endif
