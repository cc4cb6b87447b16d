/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Logs accesses to memory that a gate denied: at most one line a second for each session, with the
 * number of denials that had no line.
 */
#ifndef POEMD_PROXY_WORKER_DMA_DENIAL_LOG_H
#define POEMD_PROXY_WORKER_DMA_DENIAL_LOG_H

#include <stdint.h>

#include "base/log.h"
#include "proxy/relay/dma_gate.h"
#include "proxy/ipc/session_state.h"

/* Zeroed at first. */
struct dma_denial_log {
    uint64_t untold;
    uint64_t told_ms; /* time of the last line, or 0 */
};

void dma_denial_log_add(struct dma_denial_log *all, const struct log_subject *about,
                        const struct dma_denial *d);

/*
 * A session ends with this reason. If its backend has left after memory was withheld from it, which
 * it may have needed, logs that, unless it has been logged.
 */
void dma_denial_log_missing(const struct dma_gate *g, const struct log_subject *about,
                            enum session_reason reason);

/* The session is over: logs the number of denials that had no line, if any. */
void dma_denial_log_rest(struct dma_denial_log *all, const struct log_subject *about);

#endif
