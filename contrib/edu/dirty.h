/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The log of client pages that the device has written ("VFIO_DEVICE_FEATURE_DMA_LOGGING_*"). */
#ifndef POEMD_EDU_DIRTY_H
#define POEMD_EDU_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"

/* Pages are logged at this size; reports may ask for another. */
#define DIRTY_PAGE 4096u

/* Ranges that a client may give at most. */
#define DIRTY_RANGES 64u

/* Pages logged one by one; beyond that, every logged page counts as written. */
#define DIRTY_PAGES 65536u

struct dirty {
    bool on;
    bool overflow;   /* too many pages: report all */
    uint32_t ranges; /* 0: all of memory is logged */
    struct wire_dma_logging_range range[DIRTY_RANGES];
    uint64_t *pages; /* owned, ordered; page numbers */
    size_t n;
    size_t room;
};

void dirty_init(struct dirty *d);
void dirty_deinit(struct dirty *d);

/*
 * Starts an empty log. n ranges; 0 means all memory. Returns 0; -EINVAL if there are too many, or
 * one is empty or reaches beyond the address space; -EBUSY if logging is on already.
 */
int dirty_start(struct dirty *d, const struct wire_dma_logging_range *ranges, uint32_t n)
    __attribute__((warn_unused_result));

/* Stops logging and forgets all pages. */
void dirty_stop(struct dirty *d);

/* Logs a write of n > 0 bytes at address. */
void dirty_mark(struct dirty *d, uint64_t address, uint64_t n);

/*
 * Returns the bytes of a report's bitmap, in whole 64-bit words, or 0 if the report is not valid.
 */
uint64_t dirty_bitmap_size(const struct wire_dma_report *r);

/*
 * "VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT": fills bitmap, dirty_bitmap_size(r) bytes, with one bit
 * per r->page_size from r->iova on, and forgets the reported pages.
 */
void dirty_report(struct dirty *d, const struct wire_dma_report *r, uint8_t *bitmap);

#endif
