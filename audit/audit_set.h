/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The files of one log or several, opened for reading and sorted by their records. */
#ifndef POEMD_AUDIT_AUDIT_SET_H
#define POEMD_AUDIT_AUDIT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/audit_scan.h"
#include "audit/audit_tree.h"

/* Room for a host's name or machine id. */
#define AUDIT_SET_HOST 128u

/* Standard input, as a path. */
#define AUDIT_STDIN "-"

struct audit_member {
    const char *path; /* borrowed */
    int fd;
    dev_t dev;
    ino_t ino;
    struct audit_scan scan; /* at its beginning until the file is read */
    bool taken;             /* already read */
    bool has_before;        /* its first line is log-rotated and continues `before` */
    struct audit_tree before;
    uint64_t
        first; /* seq of its first record; UINT64_MAX if empty or its first line is not a record */
    char host[AUDIT_SET_HOST]; /* machine id, or else host name, in its first record; "" if it has
                                  neither */
    char name[AUDIT_SET_HOST]; /* the host's name; "" if unknown */
};

struct audit_set {
    struct audit_member *members;
    size_t n;
};

/*
 * Opens the files, each once even if it has several names, sorted by their first records. A path
 * may be AUDIT_STDIN, or that of a pipe or another stream, which is read up to its first line.
 * Returns 0, or -errno with the failing path in *bad. The caller calls audit_set_deinit in either
 * case.
 */
int audit_set_init(struct audit_set *s, const char *const *paths, size_t n, const char **bad)
    __attribute__((warn_unused_result));
void audit_set_deinit(struct audit_set *s);

/*
 * Returns the member that continues a log of this host ("" if unknown) that ends with this tree, or
 * NULL. That is the member whose first line names the tree. If there is none, and no other log of
 * that host to which it could belong, a member of the same host is returned, so that the gap is
 * reported.
 */
struct audit_member *audit_set_next(const struct audit_set *s, const struct audit_tree *tree,
                                    const char *host);

/* Returns the first member not taken yet, or NULL. */
struct audit_member *audit_set_first(const struct audit_set *s);

/* Returns whether one of them can be read only once. */
bool audit_set_streams(const struct audit_set *s);

/* Returns whether a writer has the file open at the moment. */
bool audit_set_written(const struct audit_member *m);

#endif
