/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The cache of inspections: a hash table with a list for each of its buckets. The hash has no
 * secret: if all files share a bucket, a search goes through all entries, which are few.
 */
#include "policy/inspector/inspector_cache.h"

#include <stdlib.h>
#include <string.h>

void inspector_cache_init(struct inspector_cache *c)
{
    memset(c, 0, sizeof *c);
    TAILQ_INIT(&c->entries);
    for (unsigned i = 0; i < INSPECTOR_CACHE_BUCKETS; i++) {
        LIST_INIT(&c->buckets[i]);
    }
}

/* Files of one system have inode numbers that differ most in their low bits. */
static struct inspector_bucket *inspector_cache_bucket(struct inspector_cache *c,
                                                       const struct peer_file_id *id)
{
    /* Of Fibonacci hashing: 2^64 divided by the golden ratio. */
    const uint64_t mixed =
        (id->inode ^ (uint64_t)id->dev_minor << 32 ^ (uint64_t)id->dev_major << 48) *
        UINT64_C(0x9e3779b97f4a7c15);

    return &c->buckets[mixed >> 32 & (INSPECTOR_CACHE_BUCKETS - 1)];
}

static void inspector_cache_drop(struct inspector_cache *c, struct inspector_entry *e)
{
    TAILQ_REMOVE(&c->entries, e, link);
    LIST_REMOVE(e, same_bucket);
    c->n--;
    inspection_release(e->inspection);
    free(e->path);
    free(e);
}

void inspector_cache_clear(struct inspector_cache *c)
{
    while (!TAILQ_EMPTY(&c->entries)) {
        inspector_cache_drop(c, TAILQ_FIRST(&c->entries));
    }
}

static struct inspector_entry *inspector_cache_find(struct inspector_cache *c,
                                                    const struct peer_file_id *id, const char *path)
{
    struct inspector_entry *e;

    LIST_FOREACH(e, inspector_cache_bucket(c, id), same_bucket)
    {
        if (peer_file_id_same(&e->id, id) && strcmp(e->path, path) == 0) {
            return e;
        }
    }
    return NULL;
}

const struct inspection *inspector_cache_get(struct inspector_cache *c,
                                             const struct peer_file_id *id, const char *path,
                                             uint64_t ima_count)
{
    struct inspector_entry *e = inspector_cache_find(c, id, path);

    if (!e || (e->ima_count != ima_count && e->inspection->ima != INSPECTION_IMA_LISTED)) {
        return NULL;
    }
    TAILQ_REMOVE(&c->entries, e, link);
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    return e->inspection;
}

void inspector_cache_put(struct inspector_cache *c, const struct peer_file_id *id, const char *path,
                         const struct inspection *r, uint64_t ima_count, int64_t now)
{
    struct inspector_entry *e;

    if (r->outcome != INSPECTION_OK || r->ima == INSPECTION_IMA_BEHIND ||
        id->ctime > now - INSPECTOR_CACHE_AGE) {
        return;
    }
    e = inspector_cache_find(c, id, path);
    if (e) {
        inspector_cache_drop(c, e);
    }
    e = malloc(sizeof *e);
    if (!e) {
        return;
    }
    e->id = *id;
    e->ima_count = ima_count;
    e->path = strdup(path);
    if (!e->path) {
        free(e);
        return;
    }
    e->inspection = inspection_hold(r);
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    LIST_INSERT_HEAD(inspector_cache_bucket(c, id), e, same_bucket);
    if (++c->n > LIMIT_INSPECT_CACHE) {
        inspector_cache_drop(c, TAILQ_LAST(&c->entries, inspector_entries));
    }
}

void inspector_cache_put_slow(struct inspector_cache *c, const struct peer_file_id *id,
                              int64_t now_ms)
{
    c->slow[c->next_slow] = (struct inspector_slow){.dev_major = id->dev_major,
                                                    .dev_minor = id->dev_minor,
                                                    .inode = id->inode,
                                                    .size = id->size,
                                                    .until_ms = now_ms + LIMIT_INSPECT_SLOW_MS};
    c->next_slow = (c->next_slow + 1) % LIMIT_INSPECT_SLOW;
}

bool inspector_cache_is_slow(const struct inspector_cache *c, const struct peer_file_id *id,
                             int64_t now_ms)
{
    for (unsigned i = 0; i < LIMIT_INSPECT_SLOW; i++) {
        const struct inspector_slow *const s = &c->slow[i];

        if (now_ms < s->until_ms && s->inode == id->inode && s->dev_major == id->dev_major &&
            s->dev_minor == id->dev_minor && s->size == id->size) {
            return true;
        }
    }
    return false;
}
