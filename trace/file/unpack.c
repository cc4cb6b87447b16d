/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Unpacks what gzip and zstd have packed, by zlib and libzstd. */
#include "trace/file/unpack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/limits.h"
#include "trace/file/swapped.h"

/* Bytes of the file that are read at once if it is packed. */
#define UNPACK_IN 65536u

/* Bytes from which the form is known, and the first one of gzip. */
#define UNPACK_MAGIC 4u
#define UNPACK_GZIP_FIRST 0x1f

/* Between two blocks of a frame, libzstd asks for this many bytes: the next one's header. */
#define UNPACK_ZSTD_BLOCK_HEADER 3u

/* For inflateInit2: a header of gzip, and the largest window. */
#define UNPACK_GZIP_WINDOW (15 + 16)

enum unpack_form { UNPACK_UNKNOWN, UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD };

struct unpack {
    int fd;
    enum unpack_form form;
    unpack_ready_fn *ready; /* NULL: reads may block */
    void *ready_arg;
    bool open; /* inside a member or frame */
    z_stream gzip;
    ZSTD_DStream *zstd;
    size_t zstd_wants; /* bytes that libzstd asks for next */
    int error;         /* -errno, after what was unpacked before it */
    size_t at;         /* in[at … have - 1] is not used yet */
    size_t have;
    uint8_t in[UNPACK_IN];
};

struct unpack *unpack_new_take(int fd)
{
    struct unpack *const u = malloc(sizeof *u);

    if (!u) {
        close(fd);
        return NULL;
    }
    /* Not the buffer, which a plain file does not use. */
    memset(u, 0, offsetof(struct unpack, in));
    u->fd = fd;
    return u;
}

void unpack_free(struct unpack *u)
{
    if (!u) {
        return;
    }
    if (u->form == UNPACK_GZIP) {
        (void)inflateEnd(&u->gzip);
    }
    ZSTD_freeDStream(u->zstd);
    close(u->fd);
    free(u);
}

void unpack_ask(struct unpack *u, unpack_ready_fn *ready, void *arg)
{
    u->ready = ready;
    u->ready_arg = arg;
}

/* Reads from the file, as unpack_read does. */
static ssize_t unpack_read_file(struct unpack *u, void *out, size_t n)
{
    ssize_t got;

    do {
        if (u->ready && !u->ready(u->ready_arg)) {
            return 0;
        }
        got = read(u->fd, out, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? 0 : -errno;
    }
    return got;
}

/* Reads packed bytes, behind those that are there. Returns as unpack_read does. */
static ssize_t unpack_fill(struct unpack *u)
{
    ssize_t got;

    if (u->at == u->have) {
        u->at = 0;
        u->have = 0;
    }
    got = unpack_read_file(u, u->in + u->have, sizeof u->in - u->have);
    u->have += got > 0 ? (size_t)got : 0;
    return got;
}

/* ---- which form ---- */

static bool unpack_is_zstd(const uint8_t *p)
{
    const uint32_t magic = swapped_get32(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, p);

    return magic == ZSTD_MAGICNUMBER ||
           (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* Returns true if a file that begins with this byte may be packed; pcapng's is 0x0a. */
static bool unpack_may_be_packed(uint8_t first)
{
    return first == UNPACK_GZIP_FIRST || first == (ZSTD_MAGICNUMBER & 0xff) ||
           (first & 0xf0) == (ZSTD_MAGIC_SKIPPABLE_START & 0xf0);
}

static int unpack_begin_zstd(struct unpack *u)
{
    u->zstd = ZSTD_createDStream();
    if (!u->zstd) {
        return -ENOMEM;
    }
    u->form = UNPACK_ZSTD;
    u->zstd_wants = ZSTD_initDStream(u->zstd);
    return ZSTD_isError(
               ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, LIMIT_TRACE_WINDOW_LOG))
               ? -EINVAL
               : 0;
}

/* Finds the form. Returns 1 if it is known, else as unpack_read does. */
static ssize_t unpack_find_form(struct unpack *u)
{
    ssize_t got;

    while (u->have == 0 || (u->have < UNPACK_MAGIC && unpack_may_be_packed(u->in[0]))) {
        got = unpack_fill(u);
        if (got <= 0) {
            return got;
        }
    }
    if (!unpack_may_be_packed(u->in[0])) {
        u->form = UNPACK_PLAIN;
        return 1;
    }
    if (unpack_is_zstd(u->in)) {
        const int err = unpack_begin_zstd(u);

        return err ? err : 1;
    }
    if (u->in[0] == UNPACK_GZIP_FIRST && u->in[1] == 0x8b) {
        if (inflateInit2(&u->gzip, UNPACK_GZIP_WINDOW) != Z_OK) {
            return -ENOMEM;
        }
        u->form = UNPACK_GZIP;
        return 1;
    }
    u->form = UNPACK_PLAIN;
    return 1;
}

/* ---- each form: these return bytes, or 0 and perhaps set error ---- */

static ssize_t unpack_step_gzip(struct unpack *u, uint8_t *out, size_t n)
{
    z_stream *const z = &u->gzip;
    const size_t before = u->have - u->at;
    int r;

    z->next_in = u->in + u->at;
    z->avail_in = (uInt)before;
    z->next_out = out;
    z->avail_out = n < UINT32_MAX ? (uInt)n : UINT32_MAX;
    r = inflate(z, Z_NO_FLUSH);
    u->at = u->have - z->avail_in;
    if (z->avail_in < before) {
        u->open = true;
    }
    if (r == Z_STREAM_END) {
        u->open = false;
        r = inflateReset(z);
    }
    if (r != Z_OK && r != Z_BUF_ERROR) {
        u->error = r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
    }
    return z->next_out - out;
}

/*
 * After an error, libzstd does not have what it has unpacked in the same call: so it gets one
 * header or block at a time. What it asks for has the next block's header in it.
 */
static size_t unpack_zstd_next(const struct unpack *u)
{
    const size_t wants = u->zstd_wants > UNPACK_ZSTD_BLOCK_HEADER
                             ? u->zstd_wants - UNPACK_ZSTD_BLOCK_HEADER
                             : u->zstd_wants;

    return wants < u->have - u->at ? wants : u->have - u->at;
}

static ssize_t unpack_step_zstd(struct unpack *u, void *out, size_t n)
{
    ZSTD_inBuffer in = {.src = u->in, .size = u->at + unpack_zstd_next(u), .pos = u->at};
    ZSTD_outBuffer o = {.dst = out, .size = n};
    const size_t wants = ZSTD_decompressStream(u->zstd, &o, &in);

    if (ZSTD_isError(wants)) {
        u->error = ZSTD_getErrorCode(wants) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
        return 0;
    }
    if (in.pos > u->at || o.pos > 0) {
        u->open = wants != 0 && wants != UNPACK_ZSTD_BLOCK_HEADER;
        u->zstd_wants = wants > 0 ? wants : UNPACK_ZSTD_BLOCK_HEADER;
    }
    u->at = in.pos;
    return (ssize_t)o.pos;
}

static ssize_t unpack_step_plain(struct unpack *u, uint8_t *out, size_t n)
{
    const size_t left = u->have - u->at;

    n = n < left ? n : left;
    memcpy(out, u->in + u->at, n);
    u->at += n;
    return (ssize_t)n;
}

static ssize_t unpack_step(struct unpack *u, uint8_t *out, size_t n)
{
    switch (u->form) {
    case UNPACK_GZIP:
        return unpack_step_gzip(u, out, n);
    case UNPACK_ZSTD:
        return unpack_step_zstd(u, out, n);
    case UNPACK_UNKNOWN:
    case UNPACK_PLAIN:
        break;
    }
    return unpack_step_plain(u, out, n);
}

ssize_t unpack_read(struct unpack *u, void *out, size_t n)
{
    ssize_t got = u->form == UNPACK_UNKNOWN ? unpack_find_form(u) : 1;

    if (got <= 0) {
        return got;
    }
    for (;;) {
        got = u->error ? 0 : unpack_step(u, out, n);
        if (got > 0 || u->error) {
            return got > 0 ? got : u->error;
        }
        if (u->at < u->have) {
            /* It used some, and needs more of what is there. */
            continue;
        }
        if (u->form == UNPACK_PLAIN) {
            return unpack_read_file(u, out, n);
        }
        got = unpack_fill(u);
        if (got <= 0) {
            return got;
        }
    }
}

bool unpack_is_whole(const struct unpack *u)
{
    return !u->open;
}
