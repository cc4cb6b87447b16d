/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Caches inspections by the file's identity and path and drops the least recently used first.
 * Allocates each entry; does no I/O.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_CACHE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_CACHE_H

#include <bsd/sys/queue.h>

#include "base/limits.h"
#include "policy/inspector/inspector.h"

struct inspector_entry {
    TAILQ_ENTRY(inspector_entry) link;
    LIST_ENTRY(inspector_entry) same_bucket;
    struct peer_file_id id;
    char *path;
    const struct inspection *inspection; /* held */
    uint64_t ima_count;                  /* of entries in the list of IMA when it was searched */
};

TAILQ_HEAD(inspector_entries, inspector_entry);
LIST_HEAD(inspector_bucket, inspector_entry);

/* A power of two: two entries for each bucket, if all are in use. */
#define INSPECTOR_CACHE_BUCKETS (LIMIT_INSPECT_CACHE / 2)
_Static_assert((INSPECTOR_CACHE_BUCKETS & (INSPECTOR_CACHE_BUCKETS - 1)) == 0, "a mask");

/*
 * A file that took too long to inspect. Its timestamps are ignored, since touching a file does not
 * make inspecting it faster.
 */
struct inspector_slow {
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t inode;
    uint64_t size;
    int64_t until_ms; /* 0 if the slot is free */
};

struct inspector_cache {
    struct inspector_slow slow[LIMIT_INSPECT_SLOW];
    unsigned next_slow;               /* the slot to use next */
    struct inspector_entries entries; /* most recently used first */
    unsigned n;
    struct inspector_bucket buckets[INSPECTOR_CACHE_BUCKETS];
};

void inspector_cache_init(struct inspector_cache *c);

/* Drops all inspections, but remembers which files are slow. Also for the end of the cache. */
void inspector_cache_clear(struct inspector_cache *c);

/*
 * Returns the cached inspection of this file, or NULL. Valid until the next inspector_cache_put.
 * ima_count is the number of entries in the list of IMA: if there are new ones, one that was not
 * found in it is not returned.
 */
const struct inspection *inspector_cache_get(struct inspector_cache *c,
                                             const struct peer_file_id *id, const char *path,
                                             uint64_t ima_count)
    __attribute__((warn_unused_result));

/*
 * Caches a successful inspection, which is held. now is in nanoseconds since 1970. A file changed
 * very recently is not cached: within one clock tick it could change again and look the same. Does
 * nothing if out of memory.
 */
void inspector_cache_put(struct inspector_cache *c, const struct peer_file_id *id, const char *path,
                         const struct inspection *r, uint64_t ima_count, int64_t now);

/*
 * Remembers for LIMIT_INSPECT_SLOW_MS that inspecting a file takes too long. Replaces the oldest
 * entry.
 */
void inspector_cache_put_slow(struct inspector_cache *c, const struct peer_file_id *id,
                              int64_t now_ms);
bool inspector_cache_is_slow(const struct inspector_cache *c, const struct peer_file_id *id,
                             int64_t now_ms) __attribute__((warn_unused_result));

/* Minimum age of a file's last change, in nanoseconds: ten ticks of the coarsest clock (100 Hz). */
#define INSPECTOR_CACHE_AGE 100000000

#endif
