/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Opens the files of captures step by step, while the monitor's loop goes on. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_OPEN_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_OPEN_H

#include "proxy/monitor/tracing/tracing_capture.h"

/*
 * Creates the capture's file while the loop goes on; then calls opened with the fd, or -errno. That
 * call comes from the loop, or from within if opening cannot even begin.
 */
void tracing_open(struct capture *c, bool first, tracing_opened_fn *opened);

/* Stops opening: the tracer that wanted the file, or the capture, is gone. */
void tracing_open_cancel(struct capture *c);

#endif
