/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a file as it is, or unpacks it if it begins like one of gzip or zstd; several members or
 * frames in a row are read as one. The file is not trusted: memory is bounded by the window,
 * LIMIT_TRACE_WINDOW_LOG for zstd and 32 KiB for gzip, whatever it unpacks to.
 */
#ifndef POEMD_TRACE_FILE_UNPACK_H
#define POEMD_TRACE_FILE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct unpack;

/* Returns true if a read does not block. */
typedef bool unpack_ready_fn(void *arg);

/* Takes fd. Returns NULL, with fd closed, if memory runs out. */
struct unpack *unpack_new_take(int fd) __attribute__((warn_unused_result));
void unpack_free(struct unpack *u);

/* Asks `ready` before each read of the file; if it returns false, the file ends there for now. */
void unpack_ask(struct unpack *u, unpack_ready_fn *ready, void *arg);

/*
 * Reads up to n > 0 bytes. Returns their number; 0 at the end of the file, or if it has no more for
 * now: it may be called again; or -errno, -EBADMSG if what was packed is damaged.
 */
ssize_t unpack_read(struct unpack *u, void *out, size_t n) __attribute__((warn_unused_result));

/*
 * Returns true if what was read so far can be all: the file is not packed, or not in the middle of
 * what was packed. A zstd file of which its writer has flushed, but not ended, a frame is whole.
 */
bool unpack_is_whole(const struct unpack *u);

#endif
