/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A hash table of the paths in dpkg's lists, and the next one while it is built. */
#define _GNU_SOURCE
#include "policy/inspector/inspector_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/evidence/debian/evidence_dpkg.h"
#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_channel.h"

#define BUCKETS 65536u

/* The last entry of a chain. */
#define NONE UINT32_MAX

struct index_entry {
    uint32_t hash; /* of the path */
    uint32_t next; /* the entry before it in the same bucket, or NONE */
    uint32_t list; /* index of the list's name */
};

struct index_table {
    uint64_t number;        /* of the build; 0 for an empty table */
    struct peer_file_id id; /* of the folder, before it was read */
    bool settled;           /* if the folder changes after it was read, its identity does too */
    uint32_t buckets[BUCKETS];
    struct index_entry *entries;
    size_t n_entries;
    size_t entries_size; /* entries that there is room for */
    char **lists;        /* names of files, in the order in which they were read */
    size_t n_lists;
    size_t lists_size;
};

struct inspector_index {
    int dpkg_fd;
    struct index_table *built; /* the latest complete build */
    struct index_table *next;  /* the build in progress, or NULL */
    DIR *dir;                  /* of next */
    uint64_t begun;            /* number of builds that were begun */
};

static struct index_table *inspector_index_table_new(void)
{
    struct index_table *const t = calloc(1, sizeof *t);

    if (t) {
        memset(t->buckets, 0xff, sizeof t->buckets);
    }
    return t;
}

static void inspector_index_table_free(struct index_table *t)
{
    for (size_t i = 0; t && i < t->n_lists; i++) {
        free(t->lists[i]);
    }
    if (t) {
        free(t->lists);
        free(t->entries);
    }
    free(t);
}

struct inspector_index *inspector_index_new(int dpkg_fd)
{
    struct inspector_index *const x = calloc(1, sizeof *x);

    if (!x) {
        return NULL;
    }
    x->dpkg_fd = dpkg_fd;
    x->built = inspector_index_table_new();
    if (!x->built) {
        free(x);
        return NULL;
    }
    return x;
}

/* Ends the build in progress; next is kept if it has become the built one. */
static void inspector_index_end(struct inspector_index *x)
{
    if (x->dir) {
        closedir(x->dir);
        x->dir = NULL;
    }
    inspector_index_table_free(x->next);
    x->next = NULL;
}

void inspector_index_free(struct inspector_index *x)
{
    if (x) {
        inspector_index_end(x);
        inspector_index_table_free(x->built);
        free(x);
    }
}

/* ---- entries ---- */

/* FNV-1a. */
static uint32_t inspector_index_hash(struct evidence_span path)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < path.n; i++) {
        hash = (hash ^ (unsigned char)path.p[i]) * 16777619u;
    }
    return hash;
}

/*
 * Makes room for one more element in an array that has n and room for *size. Returns the array,
 * which may have moved, or NULL if out of memory.
 */
static void *inspector_index_grow(void *array, size_t n, size_t *size, size_t element)
{
    const size_t more = *size > 0 ? 2 * *size : 1024;
    void *p;

    if (n < *size) {
        return array;
    }
    p = reallocarray(array, more, element);
    *size = p ? more : *size;
    return p;
}

static int inspector_index_add(struct index_table *t, struct evidence_span path)
{
    const uint32_t hash = inspector_index_hash(path);
    uint32_t *const bucket = &t->buckets[hash % BUCKETS];
    struct index_entry *p;

    if (t->n_entries == INSPECTOR_INDEX_PATHS) {
        return -E2BIG;
    }
    p = inspector_index_grow(t->entries, t->n_entries, &t->entries_size, sizeof *p);
    if (!p) {
        return -ENOMEM;
    }
    t->entries = p;
    p[t->n_entries] = (struct index_entry){hash, *bucket, (uint32_t)(t->n_lists - 1)};
    *bucket = (uint32_t)t->n_entries++;
    return 0;
}

static int inspector_index_add_name(struct index_table *t, const char *list)
{
    char **p;

    if (t->n_lists == INSPECTOR_INDEX_LISTS) {
        return -E2BIG;
    }
    p = inspector_index_grow(t->lists, t->n_lists, &t->lists_size, sizeof *p);
    if (!p) {
        return -ENOMEM;
    }
    t->lists = p;
    p[t->n_lists] = strdup(list);
    if (!p[t->n_lists]) {
        return -ENOMEM;
    }
    t->n_lists++;
    return 0;
}

/* ---- reading ---- */

static int inspector_index_open_folder(const struct inspector_index *x)
{
    const int fd = openat(x->dpkg_fd, "info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Adds the paths of a list. One that has been removed is not there. */
static int inspector_index_read_list(struct index_table *t, int folder_fd, const char *list)
{
    const int fd = inspector_open_below(folder_fd, list);
    struct evidence_span path;
    struct evidence_span rest;
    char *text = NULL;
    ssize_t n = fd;
    int err;

    if (fd >= 0) {
        n = inspector_read(fd, INSPECTOR_DPKG_MAX, &text);
        close(fd);
    }
    if (n < 0) {
        return n == -ENOENT ? 0 : (int)n;
    }
    err = inspector_index_add_name(t, list);
    rest = (struct evidence_span){text, (size_t)n};
    while (!err && evidence_dpkg_next_file(&rest, &path)) {
        err = inspector_index_add(t, path);
    }
    free(text);
    return err;
}

static int inspector_index_begin(struct inspector_index *x)
{
    struct index_table *const t = inspector_index_table_new();
    const int fd = t ? inspector_index_open_folder(x) : -ENOMEM;
    int err = fd < 0 ? fd : peer_file_id_get(fd, &t->id);

    if (!err) {
        x->dir = fdopendir(fd);
        err = x->dir ? 0 : -errno;
    }
    if (err) {
        inspector_index_table_free(t);
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    t->settled = t->id.ctime <= clock_time_ns() - INSPECTOR_CACHE_AGE;
    t->number = ++x->begun;
    x->next = t;
    return 0;
}

/* Reads a slice of the folder. Returns 1 at its end, 0 if there is more, or -errno. */
static int inspector_index_read_slice(struct inspector_index *x)
{
    struct evidence_dpkg_name package;

    for (unsigned n = 0; n < INSPECTOR_INDEX_SLICE;) {
        const struct dirent *d;
        int err = 0;

        errno = 0;
        d = readdir(x->dir);
        if (!d) {
            return errno ? -errno : 1;
        }
        if (evidence_dpkg_list_name(d->d_name, &package)) {
            err = inspector_index_read_list(x->next, dirfd(x->dir), d->d_name);
            n++;
        }
        if (err) {
            return err;
        }
    }
    return 0;
}

/* ---- builds ---- */

static bool inspector_index_shows(const struct index_table *t, const struct peer_file_id *now)
{
    return t && t->settled && peer_file_id_same(&t->id, now);
}

uint64_t inspector_index_want(const struct inspector_index *x)
{
    const int fd = inspector_index_open_folder(x);
    struct peer_file_id now;
    int err = fd;

    if (fd >= 0) {
        err = peer_file_id_get(fd, &now);
        close(fd);
    }
    if (!err && inspector_index_shows(x->built, &now)) {
        return x->built->number;
    }
    if (!err && inspector_index_shows(x->next, &now)) {
        return x->next->number;
    }
    return x->begun + 1;
}

int inspector_index_step(struct inspector_index *x, uint64_t wanted)
{
    int r;

    if (x->built->number >= wanted) {
        return 1;
    }
    r = x->next ? 0 : inspector_index_begin(x);
    if (!r) {
        r = inspector_index_read_slice(x);
    }
    if (r == 1 && x->next) {
        struct index_table *const old = x->built;

        x->built = x->next;
        x->next = old;
        r = x->built->number >= wanted ? 1 : 0;
        inspector_index_end(x);
    } else if (r < 0) {
        inspector_index_end(x);
    }
    return r;
}

int inspector_index_find(const struct inspector_index *x, const char *path,
                         inspector_index_list *fn, void *arg)
{
    const struct index_table *const t = x->built;
    const uint32_t hash = inspector_index_hash((struct evidence_span){path, strlen(path)});
    int err = 0;

    for (uint32_t i = t->buckets[hash % BUCKETS]; i != NONE && !err; i = t->entries[i].next) {
        if (t->entries[i].hash == hash) {
            err = fn(arg, t->lists[t->entries[i].list]);
        }
    }
    return err;
}
