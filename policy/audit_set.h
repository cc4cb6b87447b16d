/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The files that a log consists of, opened for reading and put in the order of their records.
 */
#ifndef POEMD_POLICY_AUDIT_SET_H
#define POEMD_POLICY_AUDIT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct audit_member {
    const char *path; /* borrowed */
    int fd;
    dev_t dev;
    ino_t ino;
    bool empty;     /* not even one whole line */
    uint64_t first; /* seq of its first record; UINT64_MAX: empty, or its first line is none */
};

struct audit_set {
    struct audit_member *members;
    size_t n;
};

/*
 * Opens the files, each once whatever names it has, sorted by their first records. 0, or -errno
 * with *bad the path that failed. To be deinit'ed in either case.
 */
int audit_set_init(struct audit_set *s, const char *const *paths, size_t n, const char **bad)
    __attribute__((warn_unused_result));
void audit_set_deinit(struct audit_set *s);

/* Whether a writer holds the file at the moment. */
bool audit_set_written(const struct audit_member *m);

#endif
