/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A table of the digests that IMA has measured: open addressing, at most half full. Any user can
 * choose digests by executing files, but not the factor by which they are spread.
 */
#include "policy/inspector/inspector_ima.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/evidence/evidence_ima.h"

#define CELLS_LEAST 1024u

struct inspector_ima_cell {
    uint32_t entry; /* 0: free */
    uint32_t pcr;
    uint8_t sha256[EVIDENCE_SHA256_SIZE];
};

struct inspector_ima {
    int fd;
    off_t at;         /* bytes of the list that have been read */
    bool more;        /* the last read did not reach its end */
    bool failed;      /* it cannot be read */
    bool cut;         /* there are more digests than are kept */
    uint32_t entries; /* that have been read, with and without a digest */
    uint64_t factor;  /* odd */
    uint32_t digests;
    uint32_t room; /* cells, a power of two */
    struct inspector_ima_cell *cells;
    struct evidence_ima_reader reader;
};

struct inspector_ima *inspector_ima_new(int list_fd)
{
    struct inspector_ima *const i = calloc(1, sizeof *i);

    if (!i) {
        return NULL;
    }
    i->fd = list_fd;
    i->more = list_fd >= 0;
    i->room = CELLS_LEAST;
    i->cells = calloc(i->room, sizeof *i->cells);
    if (!i->cells || getrandom(&i->factor, sizeof i->factor, 0) != sizeof i->factor) {
        free(i->cells);
        free(i);
        return NULL;
    }
    i->factor |= 1;
    return i;
}

/* Returns the digest's cell: its own, or the free one where it belongs. */
static struct inspector_ima_cell *inspector_ima_find(const struct inspector_ima *i,
                                                     const uint8_t sha256[EVIDENCE_SHA256_SIZE])
{
    uint64_t first;
    uint32_t k;

    memcpy(&first, sha256, sizeof first);
    k = (uint32_t)((first * i->factor) >> 32) & (i->room - 1);
    while (i->cells[k].entry && memcmp(i->cells[k].sha256, sha256, EVIDENCE_SHA256_SIZE) != 0) {
        k = (k + 1) & (i->room - 1);
    }
    return &i->cells[k];
}

/* Doubles the table if it is half full. Returns false if it cannot grow. */
static bool inspector_ima_grow(struct inspector_ima *i)
{
    struct inspector_ima_cell *const old = i->cells;
    const uint32_t n = i->room;

    if (i->digests < i->room / 2) {
        return true;
    }
    if (i->digests >= INSPECTOR_IMA_DIGESTS) {
        return false;
    }
    i->cells = calloc(2 * (size_t)n, sizeof *i->cells);
    if (!i->cells) {
        i->cells = old;
        return false;
    }
    i->room = 2 * n;
    for (uint32_t k = 0; k < n; k++) {
        if (old[k].entry) {
            *inspector_ima_find(i, old[k].sha256) = old[k];
        }
    }
    free(old);
    return true;
}

static void inspector_ima_on_entry(const struct evidence_ima_entry *e, void *arg)
{
    struct inspector_ima *const i = arg;
    struct inspector_ima_cell *cell;

    i->entries++;
    if (!e->has_sha256 || inspector_ima_find(i, e->sha256)->entry) {
        return;
    }
    if (!inspector_ima_grow(i)) {
        i->cut = true;
        return;
    }
    cell = inspector_ima_find(i, e->sha256);
    cell->entry = i->entries;
    cell->pcr = e->pcr;
    memcpy(cell->sha256, e->sha256, sizeof cell->sha256);
    i->digests++;
}

bool inspector_ima_read(struct inspector_ima *i)
{
    static char buf[64u << 10];

    if (i->fd < 0 || i->failed) {
        return false;
    }
    for (size_t n = 0; n < INSPECTOR_IMA_SLICE;) {
        const ssize_t r = pread(i->fd, buf, sizeof buf, i->at);

        i->failed = r < 0;
        i->more = r > 0;
        if (r <= 0) {
            return false;
        }
        evidence_ima_feed(&i->reader, buf, (size_t)r, inspector_ima_on_entry, i);
        i->at += r;
        n += (size_t)r;
    }
    return true;
}

void inspector_ima_look(const struct inspector_ima *i, struct inspection *r)
{
    const struct inspector_ima_cell *const cell = inspector_ima_find(i, r->sha256);

    if (cell->entry) {
        r->ima = INSPECTION_IMA_LISTED;
        r->ima_entry = cell->entry;
        r->ima_pcr = cell->pcr;
    } else if (i->fd < 0) {
        r->ima = INSPECTION_IMA_NO_LIST;
    } else if (i->failed) {
        r->ima = INSPECTION_IMA_UNREAD;
    } else if (i->more) {
        r->ima = INSPECTION_IMA_BEHIND;
    } else if (i->cut) {
        r->ima = INSPECTION_IMA_CUT;
    } else if (i->digests == 0) {
        r->ima = INSPECTION_IMA_NO_SHA256;
    } else {
        r->ima = INSPECTION_IMA_ABSENT;
    }
}
