/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A capture's output: a file or a pipe behind a large buffer. Blocks are added whole. A file is
 * written in large pieces and ends between two blocks even after errors; writing to a pipe never
 * blocks. A file can be packed by zstd: whatever has been flushed can be unpacked, even if nothing
 * follows it.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_OUT_H
#define POEMD_TRACE_CAPTURE_TRACER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracer_out {
    int fd;       /* owned; -1 if no output is open */
    bool pipe;    /* or a device: cannot be truncated */
    bool flagged; /* … only O_NONBLOCK keeps it from blocking */
    uint8_t *buffer;
    size_t start; /* buffer[start … end-1] remain to be written */
    size_t end;
    uint64_t bytes;           /* added since it was opened */
    bool full;                /* its disk was, at the last try */
    uint64_t retry_ms;        /* … when to try again */
    struct ZSTD_CCtx_s *pack; /* NULL: the file is not packed */
    uint8_t *packed;          /* … what it has made of a part of the buffer */
    bool framed;              /* … its frame is open: flushed, but not ended */
    off_t whole;              /* … the file's size when it was last flushed */
};

/* Takes fd; pack: packs it if it is a file. Returns 0, or -errno after closing it. */
int tracer_out_init_take(struct tracer_out *o, int fd, bool pack)
    __attribute__((warn_unused_result));

/* Returns its size, packed if it is: of what was flushed then, and of what was added otherwise. */
uint64_t tracer_out_size(const struct tracer_out *o);

/* Closes the output. Bytes still in the buffer are lost. */
void tracer_out_deinit(struct tracer_out *o);

/*
 * Returns room for a block of at most n bytes. Returns NULL if a pipe or a disk is full, with *err
 * 0, or if writing failed, with its -errno in *err.
 */
void *tracer_out_room(struct tracer_out *o, size_t n, int *err) __attribute__((warn_unused_result));

/* Returns the number of packets among the added blocks that are not written yet. */
uint64_t tracer_out_unwritten(const struct tracer_out *o);

/* Adds n bytes written there, one block or several. */
void tracer_out_add(struct tracer_out *o, size_t n);

/*
 * Writes the added blocks. Returns 0; -EAGAIN if the pipe is full (call again later); or another
 * -errno: then the file has been cut behind its last whole block, and the rest is dropped, unless
 * the disk is full: then `full` is set, and calls a second later and later try again.
 */
int tracer_out_flush(struct tracer_out *o) __attribute__((warn_unused_result));

#endif
