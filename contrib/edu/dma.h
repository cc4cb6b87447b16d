/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's DMA engine: moves bytes between its buffer and the client's memory.
 *
 * It uses the file that the client passed with the range; without one, or if the file cannot serve
 * the bytes, it sends DMA_READ and DMA_WRITE. It never waits: a transfer by messages goes on when
 * the reply comes, and can be given up at any time; the reply to the pending request is then
 * dropped.
 */
#ifndef POEMD_EDU_DMA_H
#define POEMD_EDU_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "contrib/edu/dirty.h"
#include "contrib/edu/dma_table.h"
#include "contrib/edu/regs.h"

/*
 * Sends a DMA_READ or, with data, a DMA_WRITE to the client. Returns 0 with the message's id, or
 * -errno, which fails the transfer.
 */
typedef int dma_send_fn(void *arg, const struct wire_dma_access *access, const void *data,
                        uint16_t *id);

enum dma_progress {
    DMA_IDLE,    /* no transfer */
    DMA_WAITING, /* for a reply */
    DMA_DONE,    /* all bytes moved; the engine is idle again */
    DMA_FAILED,  /* some memory was unreachable; the engine is idle again */
};

struct dma {
    struct dma_table table;
    struct dirty dirty;
    uint8_t buffer[EDU_BUFFER_SIZE];

    /* Sends requests to the client; NULL without a client. */
    dma_send_fn *send;
    void *send_arg;
    uint32_t send_max; /* bytes of data per message */
    /* a fault, on request: also asks for memory that no range permits */
    bool stray;

    /* The transfer. */
    bool active;
    bool to_ram;
    uint64_t address; /* in the client's memory */
    uint32_t at;      /* in the buffer; at + count is within it */
    uint32_t count;
    uint32_t done;  /* bytes moved */
    uint32_t asked; /* bytes in the pending request; 0 if none */
    uint16_t asked_id;
    bool refused; /* the client sent an error reply */
};

void dma_init(struct dma *d, size_t max_ranges);
void dma_deinit(struct dma *d);

/* Sets up a transfer on an idle engine; `done` of its bytes have been moved already. */
void dma_start(struct dma *d, bool to_ram, uint64_t address, uint32_t at, uint32_t count,
               uint32_t done);

/* Moves as many bytes as possible now. */
enum dma_progress dma_run(struct dma *d) __attribute__((warn_unused_result));

/*
 * Handles the reply to the pending request, with n payload bytes at p. Returns false if it is
 * malformed; true if it fits the request or is an error reply, which fails the transfer at the next
 * dma_run.
 */
bool dma_reply(struct dma *d, const struct wire_hdr *hdr, const void *p, size_t n)
    __attribute__((warn_unused_result));

/* Returns true if the request with this id is pending. */
static inline bool dma_awaits(const struct dma *d, uint16_t id)
{
    return d->asked != 0 && d->asked_id == id;
}

/*
 * Gives up the pending request, but not the transfer: dma_run will request the same bytes again if
 * they are still reachable. For a device that stops, and a range that is unmapped.
 */
void dma_pause(struct dma *d);

/* Returns true if the pending request is for memory within [address, address + size). */
bool dma_touches(const struct dma *d, uint64_t address, uint64_t size);

/* Gives up the transfer. d->done keeps its progress. */
void dma_abort(struct dma *d);

#endif
