/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A capture's files: FILE is the newest, FILE.1, FILE.2 … are older ones, the greater number the
 * later. Nothing is ever overwritten: a file that is there is given the next number first. Blocks
 * as long as a file system takes for that; it is the monitor that calls this.
 */
#ifndef POEMD_PROXY_TRACING_FILE_H
#define POEMD_PROXY_TRACING_FILE_H

#include <stddef.h>

/*
 * Opens FILE anew, mode 0600, and never by a symbolic link. Of the old ones the newest keep are
 * left, 0: all. A FIFO, a socket of nobody's or a device is opened as it is. Returns the fd, or
 * -errno: -ENXIO (a FIFO that nobody reads), -ELOOP (a symbolic link), -EISDIR, or of the step that
 * failed.
 */
int tracing_file_open(const char *path, unsigned keep) __attribute__((warn_unused_result));

#endif
