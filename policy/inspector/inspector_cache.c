/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The cache of inspections. It is so small that a linear search is the fastest. */
#include "policy/inspector/inspector_cache.h"

#include <stdlib.h>
#include <string.h>

void inspector_cache_init(struct inspector_cache *c)
{
    memset(c, 0, sizeof *c);
    TAILQ_INIT(&c->entries);
}

static void inspector_cache_drop(struct inspector_cache *c, struct inspector_entry *e)
{
    TAILQ_REMOVE(&c->entries, e, link);
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

    TAILQ_FOREACH(e, &c->entries, link)
    {
        if (peer_file_id_same(&e->id, id) && strcmp(e->path, path) == 0) {
            return e;
        }
    }
    return NULL;
}

const struct inspection *inspector_cache_get(struct inspector_cache *c,
                                             const struct peer_file_id *id, const char *path)
{
    struct inspector_entry *e = inspector_cache_find(c, id, path);

    if (!e) {
        return NULL;
    }
    TAILQ_REMOVE(&c->entries, e, link);
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    return e->inspection;
}

void inspector_cache_put(struct inspector_cache *c, const struct peer_file_id *id, const char *path,
                         const struct inspection *r, int64_t now)
{
    struct inspector_entry *e;

    if (r->outcome != INSPECTION_OK || id->ctime > now - INSPECTOR_CACHE_AGE) {
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
    e->path = strdup(path);
    if (!e->path) {
        free(e);
        return;
    }
    e->inspection = inspection_hold(r);
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    if (++c->n > INSPECTOR_CACHE) {
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
