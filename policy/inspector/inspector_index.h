/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * An index of dpkg's lists of files: which lists may contain a path. Reading all lists takes some
 * 30 ms on a small machine, and the index is kept until a package is installed or removed. It is
 * built in slices, as files are read (inspector_channel.h). Runs in the inspector.
 *
 *     wanted = inspector_index_want(x)
 *     while (!(r = inspector_index_step(x, wanted)))
 *         do something else
 *     inspector_index_find(x, path, fn, arg)
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_INDEX_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_INDEX_H

#include <stdint.h>

/*
 * Lists, and paths in all of them without folders, of 12 bytes each: a server with 900 packages has
 * some 100,000. A larger database is not indexed (-E2BIG).
 */
#define INSPECTOR_INDEX_LISTS 65536u
#define INSPECTOR_INDEX_PATHS (2u << 20)

/* Lists that are read in one slice: well below a second even if a disk has to look for each. */
#define INSPECTOR_INDEX_SLICE 128u

/* Slices that a caller of inspector_index_step may have to wait for: of two builds. */
#define INSPECTOR_INDEX_STEPS (2u * (INSPECTOR_INDEX_LISTS / INSPECTOR_INDEX_SLICE + 1u))

struct inspector_index;

/*
 * Returns an empty index of the database below dpkg_fd, which is borrowed as long as it exists and
 * may be -1 for none; NULL if out of memory. The caller calls inspector_index_free.
 */
struct inspector_index *inspector_index_new(int dpkg_fd) __attribute__((warn_unused_result));

/* NULL is allowed. */
void inspector_index_free(struct inspector_index *x);

/*
 * Returns the number of the build that shows the database as it is now: one that was completed or
 * begun, if the database is known not to have changed since, otherwise the next.
 */
uint64_t inspector_index_want(const struct inspector_index *x) __attribute__((warn_unused_result));

/*
 * Reads a slice of the lists, unless that build or a later one is complete. Returns 1 if it is, 0
 * if there is more to read, or -errno: the build was given up, and the next step begins another.
 */
int inspector_index_step(struct inspector_index *x, uint64_t wanted)
    __attribute__((warn_unused_result));

/*
 * Called for a list of the database by its file's name. Returns 0 or -errno, which ends the search.
 */
typedef int inspector_index_list(void *arg, const char *list);

/*
 * Calls fn for each list that may contain the path, according to the latest complete build. A list
 * with another path of the same hash is among them: the caller reads it. Returns 0 or fn's -errno.
 */
int inspector_index_find(const struct inspector_index *x, const char *path,
                         inspector_index_list *fn, void *arg) __attribute__((warn_unused_result));

#endif
