/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A capture's files: FILE is the newest; FILE.1, FILE.2 … are older ones, the greater number the
 * later. Nothing is ever overwritten: an existing file first gets the next number.
 *
 * The folder may hold any number of files, and names made by other users. It is read in steps,
 * between which the monitor's loop goes on; files of other users, and anything but regular files,
 * have no number and are not removed.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_FILE_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_FILE_H

#include <stddef.h>

struct tracing_file;

/* Prepares to open FILE. Returns NULL if out of memory. */
struct tracing_file *tracing_file_new(const char *path, unsigned keep)
    __attribute__((warn_unused_result));
void tracing_file_free(struct tracing_file *f);

/*
 * Does a step, at most LIMIT_TRACING_NAMES names. Returns -EINPROGRESS if there is more to do;
 * otherwise what tracing_file_open returns.
 */
int tracing_file_step(struct tracing_file *f) __attribute__((warn_unused_result));

/*
 * Creates FILE, mode 0600, never through a symbolic link, and keeps only the newest "keep" old
 * files (0: all). Opens a FIFO, a socket or a device as it is. Returns the fd, or -errno: -ENXIO (a
 * FIFO without a reader), -ELOOP (a symbolic link), -EISDIR, -EOVERFLOW (there is no greater
 * number), or an error of the step that failed. Does all steps at once: for startup.
 */
int tracing_file_open(const char *path, unsigned keep) __attribute__((warn_unused_result));

#endif
