/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks whether an audit log is as its writer left it, before and after each batch: a few system
 * calls, cheap beside an fdatasync. If the file is cut between the first check and the write, the
 * write leaves a hole before the batch while length and end are as expected; the second check finds
 * that. Changes in the middle of the file are left to verification.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_file.h"

bool audit_touch_same_end(const struct audit_file *f, const struct audit_end *end, uint64_t length)
{
    char prev[AUDIT_PREV_SIZE + 1];
    const size_t n = end->last_n;
    char line[AUDIT_LINE_MAX + 1];
    struct audit_hash leaf;

    if (n == 0 || length < n + 1) {
        return length == 0;
    }
    if (pread(f->fd, line, n + 1, (off_t)(length - n - 1)) != (ssize_t)n + 1 || line[n] != '\n' ||
        audit_hash_leaf(line, n, &leaf) < 0) {
        return false;
    }
    audit_line_prev(&leaf, prev);
    return strcmp(prev, end->prev) == 0;
}

const char *audit_touch_find(const struct audit_file *f, int *error)
{
    struct stat ours;
    struct stat there;

    if (fstat(f->fd, &ours) < 0) {
        *error = errno;
        return "it cannot be examined";
    }
    *error = ESTALE;
    if (lstat(f->path, &there) < 0) {
        *error = errno;
        return errno == ENOENT ? "it was removed or renamed" : "its path cannot be examined";
    }
    if (there.st_dev != ours.st_dev || there.st_ino != ours.st_ino) {
        return "another file is in its place";
    }
    if ((uint64_t)ours.st_size < f->length) {
        return "its end was cut off";
    }
    if ((uint64_t)ours.st_size > f->length) {
        return "another process wrote to it";
    }
    if (!audit_touch_same_end(f, &f->on_disk, f->length)) {
        return "its last record was altered";
    }
    *error = 0;
    return NULL;
}
