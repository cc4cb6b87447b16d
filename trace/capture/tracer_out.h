/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Where a capture's blocks go: a file or a pipe behind a large buffer. Blocks are added whole; a
 * file is written by large writes and ends between two blocks, whatever goes wrong; a pipe is never
 * waited for.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_OUT_H
#define POEMD_TRACE_CAPTURE_TRACER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracer_out {
    int fd;       /* owned; -1: nothing to write to */
    bool pipe;    /* or a device: what cannot be cut */
    bool flagged; /* … O_NONBLOCK is all that keeps it from waiting */
    uint8_t *buffer;
    size_t start; /* buffer[start … end-1] is not written yet */
    size_t end;
    uint64_t bytes; /* added since it was opened */
};

/* Takes fd. 0, or -errno: it is closed. */
int tracer_out_init_take(struct tracer_out *o, int fd) __attribute__((warn_unused_result));

/* Closes it. What has not been written is lost. */
void tracer_out_deinit(struct tracer_out *o);

/*
 * Room for a block of at most n bytes. NULL: there is none, a pipe being full or the disk; *err is
 * 0 or the -errno of the writing that failed.
 */
void *tracer_out_room(struct tracer_out *o, size_t n, int *err) __attribute__((warn_unused_result));

/* n bytes have been put there, one block or several. */
void tracer_out_add(struct tracer_out *o, size_t n);

/*
 * Writes what has been added. 0, -EAGAIN (the pipe is full: later again), or another -errno: the
 * file has been cut behind its last whole block, and what was not written is dropped.
 */
int tracer_out_flush(struct tracer_out *o) __attribute__((warn_unused_result));

#endif
