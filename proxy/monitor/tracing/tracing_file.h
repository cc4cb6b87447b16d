/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A capture's files: FILE is the newest, FILE.1, FILE.2 … are older ones, the greater number the
 * later. Nothing is ever overwritten: a file that is there is given the next number first.
 *
 * Its folder may hold any number of files, and names made by other users: it is looked through in
 * steps, between which the monitor's loop goes on, and what another user owns, or is no file, has
 * no number and is not removed.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_FILE_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_FILE_H

#include <stddef.h>

struct tracing_file;

/* An opening of FILE, which has not begun. NULL: no memory. */
struct tracing_file *tracing_file_new(const char *path, unsigned keep)
    __attribute__((warn_unused_result));
void tracing_file_free(struct tracing_file *f);

/*
 * A step of it: at most LIMIT_TRACING_NAMES names. -EINPROGRESS: it goes on; or it is over, with
 * what tracing_file_open returns.
 */
int tracing_file_step(struct tracing_file *f) __attribute__((warn_unused_result));

/*
 * Opens FILE anew, mode 0600, and never by a symbolic link. Of the old ones the newest keep are
 * left, 0: all. A FIFO, a socket of nobody's or a device is opened as it is. Returns the fd, or
 * -errno: -ENXIO (a FIFO that nobody reads), -ELOOP (a symbolic link), -EISDIR, -EOVERFLOW (there
 * is no greater number), or of the step that failed. All steps at once: for the start.
 */
int tracing_file_open(const char *path, unsigned keep) __attribute__((warn_unused_result));

#endif
