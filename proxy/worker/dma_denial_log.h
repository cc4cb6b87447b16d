/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Tells in the log of accesses to memory that a gate denied: at most one line a second for each
 * session, which says how many there were that had none.
 */
#ifndef POEMD_PROXY_WORKER_DMA_DENIAL_LOG_H
#define POEMD_PROXY_WORKER_DMA_DENIAL_LOG_H

#include <stdint.h>

#include "base/log.h"
#include "proxy/relay/dma_gate.h"
#include "proxy/ipc/session_state.h"

/* All zero: none as yet. */
struct dma_denial_log {
    uint64_t untold;
    uint64_t told_ms; /* when a line was written last */
};

void dma_denial_log_add(struct dma_denial_log *all, const struct log_subject *about,
                        const struct dma_denial *d);

/*
 * A session ends with this reason: if its backend has left after memory was withheld from it, which
 * it may have had to map, that is logged, unless it has been.
 */
void dma_denial_log_missing(const struct dma_gate *g, const struct log_subject *about,
                            enum session_reason reason);

/* The session is over: tells of those that no line has told of, if there are any. */
void dma_denial_log_rest(struct dma_denial_log *all, const struct log_subject *about);

#endif
