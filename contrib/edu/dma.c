/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The DMA engine. Accesses the client's files with pread and pwrite instead of mappings: a client
 * that truncates its file would make a mapping fault, and a 4 KiB device gains nothing from one.
 * The bytes are the same.
 */
#define _DEFAULT_SOURCE
#include "contrib/edu/dma.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/wire/wire_command.h"

void dma_init(struct dma *d, size_t max_ranges)
{
    *d = (struct dma){.active = false};
    dma_table_init(&d->table, max_ranges);
    dirty_init(&d->dirty);
}

void dma_deinit(struct dma *d)
{
    dma_abort(d);
    dma_table_deinit(&d->table);
    dirty_deinit(&d->dirty);
}

void dma_start(struct dma *d, bool to_ram, uint64_t address, uint32_t at, uint32_t count,
               uint32_t done)
{
    d->active = true;
    d->to_ram = to_ram;
    d->address = address;
    d->at = at;
    d->count = count;
    d->done = done;
    d->asked = 0;
    d->refused = false;
}

void dma_pause(struct dma *d)
{
    d->asked = 0;
}

bool dma_touches(const struct dma *d, uint64_t address, uint64_t size)
{
    /* A request is within one range, so its first byte decides. */
    return d->asked != 0 && d->address + d->done - address < size;
}

void dma_abort(struct dma *d)
{
    d->active = false;
    d->asked = 0;
}

/* Moves n bytes through the range's file. Returns false if the file cannot serve all of them. */
static bool edu_dma_move_by_file(struct dma *d, const struct dma_range *r, uint64_t address,
                                 uint32_t n)
{
    uint8_t *local = d->buffer + d->at + d->done;
    const off_t offset = (off_t)(r->offset + (address - r->address));
    ssize_t moved;

    if (r->range_fd < 0) {
        return false;
    }
    moved =
        d->to_ram ? pwrite(r->range_fd, local, n, offset) : pread(r->range_fd, local, n, offset);
    return moved == (ssize_t)n;
}

/* Requests up to n bytes from the client. Returns 0 or -errno. */
static int edu_dma_ask(struct dma *d, uint64_t address, uint32_t n)
{
    struct wire_dma_access access = {.address = address};
    int err;

    if (!d->send) {
        return -ENOTCONN;
    }
    access.count = n < d->send_max ? n : d->send_max;
    err =
        d->send(d->send_arg, &access, d->to_ram ? d->buffer + d->at + d->done : NULL, &d->asked_id);
    if (!err) {
        d->asked = (uint32_t)access.count;
    }
    return err;
}

/* Moves or requests the transfer's next piece, or fails it. Returns 0 or -errno. */
static int edu_dma_step(struct dma *d)
{
    const uint32_t need = d->to_ram ? WIRE_DMA_WRITEABLE : WIRE_DMA_READABLE;
    const uint64_t address = d->address + d->done;
    const struct dma_range *r = dma_table_find(&d->table, address);
    uint32_t n = d->count - d->done;

    if (!r || !(r->flags & need)) {
        return d->stray ? edu_dma_ask(d, address, n) : -EFAULT;
    }
    /* The range may end before the transfer does, and another may follow it. */
    if (n - 1 > r->size - 1 - (address - r->address)) {
        n = (uint32_t)(r->size - (address - r->address));
    }
    if (d->to_ram) {
        /* Marked beforehand: the client may still carry out a request that was given up. */
        dirty_mark(&d->dirty, address, n);
    }
    if (edu_dma_move_by_file(d, r, address, n)) {
        d->done += n;
        return 0;
    }
    return edu_dma_ask(d, address, n);
}

enum dma_progress dma_run(struct dma *d)
{
    while (d->active && d->asked == 0 && d->done < d->count) {
        const int err = d->refused ? -EIO : edu_dma_step(d);

        if (err) {
            log_warning("DMA at 0x%" PRIx64 ": errno %d", d->address + d->done, -err);
            d->active = false;
            return DMA_FAILED;
        }
    }
    if (d->active && d->asked == 0) {
        d->active = false;
        return DMA_DONE;
    }
    return d->active ? DMA_WAITING : DMA_IDLE;
}

bool dma_reply(struct dma *d, const struct wire_hdr *hdr, const void *p, size_t n)
{
    struct wire_dma_access access = {.count = 0};

    if (hdr->flags & WIRE_ERROR) {
        log_warning("%s: the client answered errno %" PRIu32, wire_command_name(hdr->command),
                    hdr->error);
        d->refused = true;
        d->asked = 0;
        return true;
    }
    /* A DMA_WRITE's reply may be 4 bytes shorter than the structure: its count has 4 or 8 bytes. */
    memcpy(&access, p, n < sizeof access ? n : sizeof access);
    if (hdr->command != (d->to_ram ? WIRE_DMA_WRITE : WIRE_DMA_READ) ||
        access.address != d->address + d->done || access.count != d->asked) {
        return false;
    }
    if (!d->to_ram) {
        memcpy(d->buffer + d->at + d->done, (const uint8_t *)p + sizeof access, d->asked);
    }
    d->done += d->asked;
    d->asked = 0;
    return true;
}
