/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Captures of an earlier monitor. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_RESUME_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_RESUME_H

#include <stdbool.h>

struct tracing;

/*
 * Goes on with the captures of an earlier monitor that were requested by clients, or ends these
 * too, if there is no control socket any more. Call it when all sessions have been restored.
 */
void tracing_resume(struct tracing *t, bool requested);

#endif
