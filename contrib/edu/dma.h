/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's DMA engine: moves bytes between its buffer and the client's memory.
 *
 * Through the file that the client passed with the range; by DMA_READ and DMA_WRITE where it passed
 * none, or where the file cannot serve the bytes. Never waits: a transfer by messages goes on when
 * the reply comes, and can be given up at any moment, which only means that the reply of the
 * request under way is dropped when it comes.
 */
#ifndef POEMD_EDU_DMA_H
#define POEMD_EDU_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "contrib/edu/dirty.h"
#include "contrib/edu/dma_table.h"
#include "contrib/edu/regs.h"

/*
 * Sends a DMA_READ or, with data, a DMA_WRITE to the client. 0 with the message's id, or -errno:
 * the transfer fails.
 */
typedef int dma_send_fn(void *arg, const struct wire_dma_access *access, const void *data,
                        uint16_t *id);

enum dma_progress {
    DMA_IDLE,    /* no transfer */
    DMA_WAITING, /* for a reply */
    DMA_DONE,    /* all bytes moved; the engine is idle again */
    DMA_FAILED,  /* some memory could not be reached; the engine is idle again */
};

struct dma {
    struct dma_table table;
    struct dirty dirty;
    uint8_t buffer[EDU_BUFFER_SIZE];

    /* How the client is asked; NULL while there is none. */
    dma_send_fn *send;
    void *send_arg;
    uint32_t send_max; /* bytes of data in a message */
    bool stray;        /* what no range permits is asked for all the same: a fault, on request */

    /* The transfer. */
    bool active;
    bool to_ram;
    uint64_t address; /* of the client's memory */
    uint32_t at;      /* in the buffer; at + count is within it */
    uint32_t count;
    uint32_t done;  /* bytes moved */
    uint32_t asked; /* bytes in the request under way; 0 is none */
    uint16_t asked_id;
    bool refused; /* the client answered with an error */
};

void dma_init(struct dma *d, size_t max_ranges);
void dma_deinit(struct dma *d);

/* Sets up a transfer, of which done bytes have been moved already. The engine is idle. */
void dma_start(struct dma *d, bool to_ram, uint64_t address, uint32_t at, uint32_t count,
               uint32_t done);

/* Moves what can be moved now. */
enum dma_progress dma_run(struct dma *d) __attribute__((warn_unused_result));

/*
 * The reply to the request under way: n payload bytes at p. True where it fits the request or is an
 * error reply, which fails the transfer at its next dma_run; false where it is malformed.
 */
bool dma_reply(struct dma *d, const struct wire_hdr *hdr, const void *p, size_t n)
    __attribute__((warn_unused_result));

/* Whether a request with this id is under way. */
static inline bool dma_awaits(const struct dma *d, uint16_t id)
{
    return d->asked != 0 && d->asked_id == id;
}

/*
 * Gives up the request under way, not the transfer: dma_run will ask for the same bytes again, if
 * they can still be reached. For a device that is stopped, and a range that goes away.
 */
void dma_pause(struct dma *d);

/* Whether the request under way is for memory of [address, address + size). */
bool dma_touches(const struct dma *d, uint64_t address, uint64_t size);

/* Gives up the transfer. d->done still says how far it was. */
void dma_abort(struct dma *d);

#endif
