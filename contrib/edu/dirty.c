/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Dirty pages as a sorted list of page numbers: a device that moves at most a page at a time
 * dirties few, anywhere in the address space. Uses no fd and no log.
 */
#define _DEFAULT_SOURCE
#include "contrib/edu/dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void dirty_init(struct dirty *d)
{
    *d = (struct dirty){.on = false};
}

void dirty_deinit(struct dirty *d)
{
    free(d->pages);
    dirty_init(d);
}

void dirty_stop(struct dirty *d)
{
    dirty_deinit(d);
}

int dirty_start(struct dirty *d, const struct wire_dma_logging_range *ranges, uint32_t n)
{
    if (d->on) {
        return -EBUSY;
    }
    if (n > DIRTY_RANGES) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (ranges[i].length == 0 || ranges[i].iova > UINT64_MAX - (ranges[i].length - 1)) {
            return -EINVAL;
        }
        d->range[i] = ranges[i];
    }
    d->ranges = n;
    d->on = true;
    return 0;
}

static bool edu_dirty_logged(const struct dirty *d, uint64_t page)
{
    const uint64_t first = page * DIRTY_PAGE;
    const uint64_t last = first + (DIRTY_PAGE - 1);

    for (uint32_t i = 0; i < d->ranges; i++) {
        const struct wire_dma_logging_range *r = &d->range[i];

        if (first <= r->iova + (r->length - 1) && r->iova <= last) {
            return true;
        }
    }
    return d->ranges == 0;
}

/* Index of the first logged page that is not below page, or n. */
static size_t edu_dirty_position(const struct dirty *d, uint64_t page)
{
    size_t low = 0;
    size_t high = d->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (d->pages[mid] < page) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void edu_dirty_keep(struct dirty *d, uint64_t page)
{
    const size_t at = edu_dirty_position(d, page);

    if (at < d->n && d->pages[at] == page) {
        return;
    }
    if (d->n == d->room) {
        const size_t room = d->room ? 2 * d->room : 64;
        uint64_t *pages = room <= DIRTY_PAGES ? reallocarray(d->pages, room, sizeof *pages) : NULL;

        if (!pages) {
            /* Reporting too many pages is safe, forgetting one is not. */
            d->overflow = true;
            return;
        }
        d->pages = pages;
        d->room = room;
    }
    memmove(&d->pages[at + 1], &d->pages[at], (d->n - at) * sizeof *d->pages);
    d->pages[at] = page;
    d->n++;
}

void dirty_mark(struct dirty *d, uint64_t address, uint64_t n)
{
    const uint64_t last = (address + (n - 1)) / DIRTY_PAGE;

    if (!d->on) {
        return;
    }
    for (uint64_t page = address / DIRTY_PAGE; page <= last; page++) {
        if (edu_dirty_logged(d, page)) {
            edu_dirty_keep(d, page);
        }
    }
}

uint64_t dirty_bitmap_size(const struct wire_dma_report *r)
{
    uint64_t bits;

    if (r->page_size == 0 || (r->page_size & (r->page_size - 1)) || r->length == 0 ||
        r->iova % r->page_size != 0 || r->iova > UINT64_MAX - (r->length - 1)) {
        return 0;
    }
    bits = (r->length - 1) / r->page_size + 1;
    return ((bits - 1) / 64 + 1) * 8;
}

/* Sets the bits of r's units that overlap [first, last]. */
static void edu_dirty_set_bits(const struct wire_dma_report *r, uint8_t *bitmap, uint64_t first,
                               uint64_t last)
{
    const uint64_t end = r->iova + (r->length - 1);
    uint64_t bit;

    if (last < r->iova || first > end) {
        return;
    }
    first = first < r->iova ? r->iova : first;
    last = last > end ? end : last;
    for (bit = (first - r->iova) / r->page_size; bit <= (last - r->iova) / r->page_size; bit++) {
        uint64_t word;

        memcpy(&word, bitmap + bit / 64 * 8, sizeof word);
        word |= UINT64_C(1) << bit % 64;
        memcpy(bitmap + bit / 64 * 8, &word, sizeof word);
    }
}

static void edu_dirty_set_all(const struct dirty *d, const struct wire_dma_report *r,
                              uint8_t *bitmap)
{
    if (d->ranges == 0) {
        edu_dirty_set_bits(r, bitmap, 0, UINT64_MAX);
    }
    for (uint32_t i = 0; i < d->ranges; i++) {
        edu_dirty_set_bits(r, bitmap, d->range[i].iova,
                           d->range[i].iova + (d->range[i].length - 1));
    }
}

void dirty_report(struct dirty *d, const struct wire_dma_report *r, uint8_t *bitmap)
{
    const uint64_t end = r->iova + (r->length - 1);
    const size_t from = edu_dirty_position(d, r->iova / DIRTY_PAGE);
    size_t kept = from;

    memset(bitmap, 0, dirty_bitmap_size(r));
    if (d->overflow) {
        /* overflow stays set: the dirty pages outside of this report are unknown, too. */
        edu_dirty_set_all(d, r, bitmap);
        return;
    }
    for (size_t i = from; i < d->n; i++) {
        const uint64_t first = d->pages[i] * DIRTY_PAGE;
        const uint64_t last = first + (DIRTY_PAGE - 1);

        edu_dirty_set_bits(r, bitmap, first, last);
        /* A page only partly within this report must be in the report of the rest as well. */
        if (first < r->iova || last > end) {
            d->pages[kept++] = d->pages[i];
        }
    }
    d->n = kept;
}
