/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The last checkpoint of a log, in a file of its own beside it. If a log is missing or shorter than
 * its mark, sealed records are lost. The mark is not synced: it is written after the records it
 * seals are on disk, so that after a crash it is older than the log, never newer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_file.h"

/* Writes the path of a log's mark to out (PATH_MAX). Returns false if it is too long. */
static bool audit_mark_path(const char *path, char *out)
{
    const char *const slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash + 1 - path) : 0;

    /* Hidden, so that LOG and LOG.* match only the files of a log. */
    return (size_t)snprintf(out, PATH_MAX, "%.*s.%s.sealed", folder, path, path + folder) <
           PATH_MAX;
}

int audit_mark_open(struct audit_file *f)
{
    struct audit_checkpoint c;
    char path[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (!audit_mark_path(f->path, path)) {
        return -ENAMETOOLONG;
    }
    f->mark_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (f->mark_fd < 0 && (errno == EACCES || errno == EROFS)) {
        /* The folder is not writable: continues without a mark, like logs of older versions. */
        return 0;
    }
    if (f->mark_fd < 0 || fstat(f->mark_fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -EINVAL;
    }
    n = pread(f->mark_fd, f->mark_note, sizeof f->mark_note - 1, 0);
    if (n < 0) {
        return -errno;
    }
    f->mark_note[n] = '\0';
    if (audit_checkpoint_read(&c, f->mark_note, (size_t)n, &f->key.vkey) == AUDIT_NOTE_OK) {
        f->mark = c;
    }
    return 0;
}

void audit_mark_write(const struct audit_file *f, const char *note)
{
    const size_t n = strlen(note);

    if (f->mark_fd >= 0 && pwrite(f->mark_fd, note, n, 0) == (ssize_t)n &&
        ftruncate(f->mark_fd, (off_t)n) < 0) {
        /*
         * Trailing bytes make the note invalid, which counts as no mark, as before the first one.
         */
        return;
    }
}
