/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The files that one log or several consist of, opened for reading and put in the order of their
 * records.
 */
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
    struct audit_scan scan; /* at its beginning until it is read */
    bool taken;             /* it has been read */
    bool has_before;        /* its first line is log-rotated, of this tree … */
    struct audit_tree before;
    uint64_t first; /* seq of its first record; UINT64_MAX: empty, or its first line is none */
    char host[AUDIT_SET_HOST]; /* of its first record: machine id, or its name; "": it has none */
    char name[AUDIT_SET_HOST]; /* the host's name; "": it has none */
};

struct audit_set {
    struct audit_member *members;
    size_t n;
};

/*
 * Opens the files, each once whatever names it has, sorted by their first records. A path may be
 * AUDIT_STDIN, and of a pipe or another stream: it is read as far as its first line. 0, or -errno
 * with *bad the path that failed. To be deinit'ed in either case.
 */
int audit_set_init(struct audit_set *s, const char *const *paths, size_t n, const char **bad)
    __attribute__((warn_unused_result));
void audit_set_deinit(struct audit_set *s);

/*
 * The member that goes on from a log that ends with this tree, all of it of this host ("": not
 * known), or NULL. That is one whose first line names the tree; where there is none, and no other
 * log of that host is there for it to belong to, one of the same host, so that a gap is seen.
 */
struct audit_member *audit_set_next(const struct audit_set *s, const struct audit_tree *tree,
                                    const char *host);

/* The first member that has not been taken, or NULL. */
struct audit_member *audit_set_first(const struct audit_set *s);

/* Whether one of them can be read only once. */
bool audit_set_streams(const struct audit_set *s);

/* Whether a writer holds the file at the moment. */
bool audit_set_written(const struct audit_member *m);

#endif
