/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whether an audit log is as its writer left it. Looked at before each batch: a few system calls
 * beside an fdatasync. A change in the midst of the file is for those who verify.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/audit_file.h"

/* Whether the last line on disk is the one that was written. */
static bool touch_same_end(const struct audit_file *f)
{
    char prev[AUDIT_PREV_SIZE + 1];
    const size_t n = f->on_disk.last_n;
    char line[AUDIT_LINE_MAX + 1];
    struct audit_hash leaf;

    if (n == 0 || f->length < n + 1) {
        return f->length == 0;
    }
    if (pread(f->fd, line, n + 1, (off_t)(f->length - n - 1)) != (ssize_t)n + 1 ||
        line[n] != '\n' || audit_hash_leaf(line, n, &leaf) < 0) {
        return false;
    }
    audit_line_prev(&leaf, prev);
    return strcmp(prev, f->on_disk.prev) == 0;
}

const char *audit_touch_find(const struct audit_file *f, int *error)
{
    struct stat ours;
    struct stat there;

    if (fstat(f->fd, &ours) < 0) {
        *error = errno;
        return "it cannot be looked at";
    }
    *error = ESTALE;
    if (lstat(f->path, &there) < 0) {
        *error = errno;
        return errno == ENOENT ? "it was removed or renamed" : "its path cannot be looked at";
    }
    if (there.st_dev != ours.st_dev || there.st_ino != ours.st_ino) {
        return "another file is in its place";
    }
    if ((uint64_t)ours.st_size < f->length) {
        return "its end was cut off";
    }
    if ((uint64_t)ours.st_size > f->length) {
        return "somebody else wrote to it";
    }
    return touch_same_end(f) ? NULL : "its last record was altered";
}
