/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inspections kept by the file's identity and path, the least used forgotten first. Allocates an
 * entry for each; does no I/O.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_CACHE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_CACHE_H

#include <bsd/sys/queue.h>

#include "base/limits.h"
#include "policy/inspector/inspector.h"

struct inspector_entry {
    TAILQ_ENTRY(inspector_entry) link;
    struct peer_file_id id;
    char *path;
    struct inspection inspection;
};

TAILQ_HEAD(inspector_entries, inspector_entry);

/* A file whose inspection took too long. What it takes depends on nothing that touching it changes.
 */
struct inspector_slow {
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t inode;
    uint64_t size;
    int64_t until_ms; /* 0: the place is free */
};

struct inspector_cache {
    struct inspector_slow slow[LIMIT_INSPECT_SLOW];
    unsigned next_slow;               /* the place that is used next */
    struct inspector_entries entries; /* the last used first */
    unsigned n;
};

void inspector_cache_init(struct inspector_cache *c);
void inspector_cache_deinit(struct inspector_cache *c);

/* What is kept of this file, or NULL. Valid until the next inspector_cache_put. */
const struct inspection *inspector_cache_get(struct inspector_cache *c,
                                             const struct peer_file_id *id, const char *path)
    __attribute__((warn_unused_result));

/*
 * Keeps a good inspection. now: nanoseconds since 1970. A file that was changed just then is not
 * kept: within the clock's tick it could change again and look the same. Without memory nothing is
 * kept.
 */
void inspector_cache_put(struct inspector_cache *c, const struct peer_file_id *id, const char *path,
                         const struct inspection *r, int64_t now);

/* Remembers for LIMIT_INSPECT_SLOW_MS that inspecting a file takes too long. The oldest gives way.
 */
void inspector_cache_put_slow(struct inspector_cache *c, const struct peer_file_id *id,
                              int64_t now_ms);
bool inspector_cache_is_slow(const struct inspector_cache *c, const struct peer_file_id *id,
                             int64_t now_ms) __attribute__((warn_unused_result));

/* How old a file's last change has to be: ten ticks of the coarsest clock (100 Hz), in ns. */
#define INSPECTOR_CACHE_AGE 100000000

#endif
