/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Buffers blocks and writes them to an fd, which may block if it is a file. */
#define _GNU_SOURCE
#include "trace/capture/tracer_out.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/sock.h"
#include "base/unconst.h"
#include "trace/file/snap_length.h"
#include "trace/file/message.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"
#include "trace/file/pcapng_blocks.h"

/* Bytes to collect before writing. */
#define BATCH (256u << 10)

/* Until a full disk is tried again. */
#define RETRY_MS 1000u

/* Room for a batch and the largest block. */
#define ROOM (BATCH + SNAP_LENGTH_MOST + LIMIT_FDS_KERNEL * TRACE_CAPTURE_FD_SIZE + (64u << 10))

/* Bytes of packed data to write at once. */
#define PACKED BATCH

/*
 * Fast, and with a window that reaches back over some hundred messages: larger ones save nothing.
 * A packer has 0.5 MiB.
 */
#define PACK_LEVEL 1
#define PACK_WINDOW_LOG 16

/* Ends a frame that has been flushed: an empty last block. */
static const uint8_t tracer_out_last_block[] = {1, 0, 0};

static int tracer_out_init_pack(struct tracer_out *o)
{
    o->packed = malloc(PACKED);
    o->pack = ZSTD_createCCtx();
    if (!o->packed || !o->pack ||
        ZSTD_isError(ZSTD_CCtx_setParameter(o->pack, ZSTD_c_compressionLevel, PACK_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(o->pack, ZSTD_c_windowLog, PACK_WINDOW_LOG))) {
        return -ENOMEM;
    }
    return 0;
}

int tracer_out_init_take(struct tracer_out *o, int fd, bool pack)
{
    struct stat st;
    int err = 0;

    *o = (struct tracer_out){.fd = fd};
    if (fstat(fd, &st) < 0) {
        err = -errno;
    }
    o->pipe = !S_ISREG(st.st_mode);
    if (!err) {
        o->buffer = malloc(ROOM);
        err = o->buffer ? 0 : -ENOMEM;
    }
    if (!err && pack && !o->pipe) {
        err = tracer_out_init_pack(o);
    }
    if (err) {
        tracer_out_deinit(o);
    }
    return err;
}

void tracer_out_deinit(struct tracer_out *o)
{
    if (o->framed) {
        (void)!write(o->fd, tracer_out_last_block, sizeof tracer_out_last_block);
    }
    sock_close(&o->fd);
    free(o->buffer);
    o->buffer = NULL;
    ZSTD_freeCCtx(o->pack);
    o->pack = NULL;
    free(o->packed);
    o->packed = NULL;
    o->framed = false;
}

uint64_t tracer_out_size(const struct tracer_out *o)
{
    return o->pack ? (uint64_t)o->whole : o->bytes;
}

/* Bytes of whole blocks among the first n of the buffer, which starts with a block. */
static size_t tracer_out_whole_blocks(const struct tracer_out *o, size_t n)
{
    size_t at = 0;
    uint32_t size;

    while (n - at >= 8) {
        memcpy(&size, o->buffer + o->start + at + 4, sizeof size);
        if (size > n - at) {
            break;
        }
        at += size;
    }
    return at;
}

uint64_t tracer_out_unwritten(const struct tracer_out *o)
{
    uint64_t packets = 0;
    uint32_t head[2]; /* type and size */

    for (size_t at = o->start; o->end - at >= sizeof head; at += head[1]) {
        memcpy(head, o->buffer + at, sizeof head);
        packets += head[0] == PCAPNG_PACKET;
        if (head[1] < sizeof head || head[1] > o->end - at) {
            break;
        }
    }
    return packets;
}

/* Returns true if the disk is full: what could not be written is kept for later. */
static bool tracer_out_keeps(struct tracer_out *o, int err)
{
    o->full = !o->pipe && (err == -ENOSPC || err == -EDQUOT);
    o->retry_ms = o->full ? clock_ms() + RETRY_MS : 0;
    return o->full;
}

/* Cuts a half-written block off the file, after a write of only n bytes. */
static void tracer_out_cut(struct tracer_out *o, size_t n)
{
    const size_t whole = tracer_out_whole_blocks(o, n);
    const off_t at = lseek(o->fd, 0, SEEK_CUR);

    if (at >= (off_t)(n - whole) && ftruncate(o->fd, at - (off_t)(n - whole)) == 0) {
        (void)lseek(o->fd, at - (off_t)(n - whole), SEEK_SET);
    }
}

/*
 * Writes to a pipe without blocking. O_NONBLOCK belongs to the open file, which is shared: the
 * process that passed the pipe could clear it. RWF_NOWAIT applies to one call only. If the kernel
 * does not support it (pipes before Linux 6.4, terminals), the flag has to do; if permitted, the
 * monitor has reopened the pipe, so that it is not shared (control_trace.c).
 */
static ssize_t tracer_out_write(struct tracer_out *o, const void *p, size_t n)
{
    const struct iovec iov = {.iov_base = unconst_pointer(p), .iov_len = n};
    ssize_t wrote;

    if (!o->pipe) {
        return write(o->fd, p, n);
    }
    if (!o->flagged) {
        wrote = pwritev2(o->fd, &iov, 1, -1, RWF_NOWAIT);
        if (wrote >= 0 || errno != EOPNOTSUPP) {
            return wrote;
        }
        o->flagged = true;
        if (sock_nonblock(o->fd) < 0) {
            return -1;
        }
    }
    return write(o->fd, p, n);
}

/* ---- packed files ---- */

/* Writes n packed bytes. Returns 0 or -errno. */
static int tracer_out_write_packed(struct tracer_out *o, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t wrote = write(o->fd, o->packed + done, n - done);

        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return wrote < 0 ? -errno : -EIO;
        }
        done += (size_t)wrote;
    }
    return 0;
}

/* Cuts the file where it was last flushed, and ends its frame there: another one can follow. */
static void tracer_out_cut_packed(struct tracer_out *o)
{
    const size_t n = o->framed ? sizeof tracer_out_last_block : 0;

    (void)ZSTD_CCtx_reset(o->pack, ZSTD_reset_session_only);
    o->framed = false;
    if (ftruncate(o->fd, o->whole) == 0 && lseek(o->fd, o->whole, SEEK_SET) == o->whole &&
        write(o->fd, tracer_out_last_block, n) == (ssize_t)n) {
        o->whole += (off_t)n;
    }
}

static int tracer_out_flush_packed(struct tracer_out *o)
{
    ZSTD_inBuffer in = {.src = o->buffer, .size = o->end, .pos = o->start};
    size_t left = o->end > o->start;
    off_t size = o->whole;
    int err = 0;

    while (left > 0 && !err) {
        ZSTD_outBuffer out = {.dst = o->packed, .size = PACKED};

        left = ZSTD_compressStream2(o->pack, &out, &in, ZSTD_e_flush);
        err = ZSTD_isError(left) ? -ENOMEM : tracer_out_write_packed(o, out.pos);
        size += (off_t)out.pos;
    }
    if (err) {
        tracer_out_cut_packed(o);
    } else if (size > o->whole) {
        o->whole = size;
        o->framed = true;
    }
    if (!tracer_out_keeps(o, err)) {
        o->start = o->end = 0;
    }
    return err;
}

int tracer_out_flush(struct tracer_out *o)
{
    size_t done = 0;
    const size_t all = o->end - o->start;

    if (o->full && clock_ms() < o->retry_ms) {
        return -ENOSPC;
    }
    if (o->pack) {
        return tracer_out_flush_packed(o);
    }
    while (done < all) {
        const ssize_t n = tracer_out_write(o, o->buffer + o->start + done, all - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            o->start += done;
            return -EAGAIN;
        }
        if (n <= 0) {
            const int err = n < 0 ? -errno : -EIO;

            if (!o->pipe) {
                tracer_out_cut(o, done);
            }
            if (tracer_out_keeps(o, err)) {
                o->start += tracer_out_whole_blocks(o, done);
            } else {
                o->start = o->end = 0;
            }
            return err;
        }
        done += (size_t)n;
    }
    o->start = o->end = 0;
    o->full = false;
    return 0;
}

void *tracer_out_room(struct tracer_out *o, size_t n, int *err)
{
    *err = 0;
    if (o->end - o->start >= BATCH || n > ROOM - o->end) {
        const int r = tracer_out_flush(o);

        if (r < 0 && r != -EAGAIN && !o->full) {
            *err = r;
            return NULL;
        }
    }
    if (n > ROOM - o->end && o->start > 0) {
        memmove(o->buffer, o->buffer + o->start, o->end - o->start);
        o->end -= o->start;
        o->start = 0;
    }
    return n <= ROOM - o->end ? o->buffer + o->end : NULL;
}

void tracer_out_add(struct tracer_out *o, size_t n)
{
    o->end += n;
    o->bytes += n;
}
