/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Inspections kept. So few that a list is looked through faster than anything else. */
#include "policy/inspector_cache.h"

#include <stdlib.h>
#include <string.h>

void inspector_cache_init(struct inspector_cache *c)
{
    TAILQ_INIT(&c->entries);
    c->n = 0;
}

static void drop(struct inspector_cache *c, struct inspector_entry *e)
{
    TAILQ_REMOVE(&c->entries, e, link);
    c->n--;
    free(e->path);
    free(e);
}

void inspector_cache_deinit(struct inspector_cache *c)
{
    while (!TAILQ_EMPTY(&c->entries)) {
        drop(c, TAILQ_FIRST(&c->entries));
    }
}

static struct inspector_entry *find(struct inspector_cache *c, const struct peer_file_id *id,
                                    const char *path)
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
    struct inspector_entry *e = find(c, id, path);

    if (!e) {
        return NULL;
    }
    TAILQ_REMOVE(&c->entries, e, link);
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    return &e->inspection;
}

void inspector_cache_put(struct inspector_cache *c, const struct peer_file_id *id, const char *path,
                         const struct inspection *r, int64_t now)
{
    struct inspector_entry *e;

    if (r->outcome != INSPECTION_OK || id->ctime > now - INSPECTOR_CACHE_AGE) {
        return;
    }
    e = find(c, id, path);
    if (e) {
        drop(c, e);
    }
    e = malloc(sizeof *e);
    if (!e) {
        return;
    }
    e->id = *id;
    e->path = strdup(path);
    e->inspection = *r;
    if (!e->path) {
        free(e);
        return;
    }
    TAILQ_INSERT_HEAD(&c->entries, e, link);
    if (++c->n > INSPECTOR_CACHE) {
        drop(c, TAILQ_LAST(&c->entries, inspector_entries));
    }
}
