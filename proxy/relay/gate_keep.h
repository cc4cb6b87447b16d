/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keeps what a session's gate to memory (dma_gate.h) knows, so that it outlives the worker: which
 * maps are live, which requests wait, which replies and reports have not been sent.
 *
 * A gate's state follows from the messages that it has judged, in their order, so each of them is
 * entered in a log before its verdict has any consequence. The next worker has a new gate judge
 * them again: it comes to the same state, and can permit neither more nor less. An entry counts if
 * the direction's mark, or the head of its held bytes, has the verdict: otherwise the worker died
 * in between, and the message is judged again. From time to time the log is replaced by the state.
 */
#ifndef POEMD_PROXY_RELAY_GATE_KEEP_H
#define POEMD_PROXY_RELAY_GATE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/ipc/session_page.h"
#include "proxy/relay/dma_gate.h"
#include "proxy/relay/gate_log.h"

struct gate_keep {
    struct gate_log log;
    struct dma_gate *gate;          /* borrowed, … */
    struct dma_gate_side *sides[2]; /* … of the main sockets, and of the twin or NULL */
    struct session_page *page;      /* borrowed */
    uint32_t begun;                 /* entries of the log that were its state */
    bool lost;                      /* there was no room: another worker could not go on */
};

/*
 * Keeps what the gate of a new session judges from now on, or, for one that goes on, after
 * gate_keep_restore. twin may be NULL. All are borrowed for its life.
 */
void gate_keep_init(struct gate_keep *k, struct dma_gate *gate, struct dma_gate_side *main,
                    struct dma_gate_side *twin, struct session_page *page,
                    struct gate_chunks *chunks);

/*
 * Nothing outlives the worker any more: the page has no log, and the chunks are given back. Call
 * it before the monitor is sent the session's end: then that may clear both, and give the page to
 * another session.
 */
void gate_keep_end(struct gate_keep *k);

/* Gives the chunks back, if it has some. The page is not the session's any more. */
void gate_keep_deinit(struct gate_keep *k);

/*
 * Has the gate, which is new, judge all that the page's log has. Call before any direction is
 * recovered, with marks that are settled; places: where held bytes are, by their number from 1 on.
 * Returns false if the session cannot go on; otherwise report->sent counts the ranges that the
 * monitor may have.
 */
bool gate_keep_restore(struct gate_keep *k, const uint8_t *places)
    __attribute__((warn_unused_result));

/* ---- around the calls of dma_gate.h with the same arguments; l->gate->keep may be NULL ---- */

/* Call before the gate judges anything: all before has been judged, and its verdict stored. */
void gate_keep_before(struct dma_gate_side *l);

/* A message has been judged, at that position of its direction. */
void gate_keep_seen(struct dma_gate_side *l, bool from_client, uint64_t position,
                    const struct wire_hdr *hdr, const uint8_t *p, size_t n, struct dma_fds fds);

/* A header has been answered with EINVAL. */
void gate_keep_invalid(struct dma_gate_side *l, bool from_client, uint64_t position,
                       const struct wire_hdr *hdr);

void gate_keep_answered(struct dma_gate_side *l, bool to_client, uint16_t id, uint16_t command,
                        int err);
void gate_keep_closed(struct dma_gate_side *l, bool to_client);

/* Call before dma_gate_replace_backend. */
void gate_keep_replace(struct dma_gate_side *l);

/* Replies are about to be sent, by a call that the kernel notes; then so many bytes were. */
void gate_keep_sending(struct dma_gate_side *l, bool to_client);
void gate_keep_sent(struct dma_gate_side *l, bool to_client, size_t n);

/* ---- of the session; k may be NULL ---- */

/* So many ranges of the gate's report are about to be sent to the monitor; it has recorded them. */
void gate_keep_exporting(const struct gate_keep *k, unsigned n);
void gate_keep_recorded(const struct gate_keep *k, unsigned n);

/*
 * Drops the log if the gate is as new. Returns true if another worker could go on with the gate.
 */
bool gate_keep_rest(struct gate_keep *k);

#endif
