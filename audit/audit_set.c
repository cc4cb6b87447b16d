/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Opens and sorts the files of a log. Reads only their first lines. */
#define _GNU_SOURCE
#include "audit/audit_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "audit/audit_line.h"

/* Reads the name and machine of the host in a record. */
static void set_read_host(struct audit_member *m, const struct audit_head *head)
{
    json_t *const o = audit_line_members(head);
    const json_t *const host = json_object_get(o, "host");
    const char *const name = json_string_value(json_object_get(host, "name"));
    const char *const machine = json_string_value(json_object_get(host, "machine"));

    snprintf(m->name, sizeof m->name, "%s", name ? name : "");
    snprintf(m->host, sizeof m->host, "%s", machine ? machine : m->name);
    json_decref(o);
}

/* Logs written before records contained their host match any host. */
static bool set_same_host(const char *a, const char *b)
{
    return !*a || !*b || strcmp(a, b) == 0;
}

static int audit_set_read_first(struct audit_member *m)
{
    enum audit_scan_outcome o;
    struct audit_head head;
    const char *line;
    size_t n;

    m->first = UINT64_MAX;
    if (audit_scan_init(&m->scan, m->fd) < 0) {
        return -ENOMEM;
    }
    o = audit_scan_peek(&m->scan, &line, &n);
    if (o == AUDIT_SCAN_LINE && audit_line_read(&head, line, n)) {
        m->first = head.seq;
        set_read_host(m, &head);
        m->has_before = strcmp(head.event->name, AUDIT_ROTATED) == 0 &&
                        audit_line_rotated(&head, &m->before, NULL);
    }
    if (!m->scan.stream) {
        /* A file is reopened for reading in its turn: there may be many. */
        audit_scan_deinit(&m->scan);
    }
    return o == AUDIT_SCAN_ERROR ? -m->scan.error : 0;
}

static int set_open(const char *path)
{
    if (strcmp(path, AUDIT_STDIN) == 0) {
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    /* O_NONBLOCK: opening never waits, whatever the type of the file. */
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Opens one more file, unless it is open already under another name. */
static int audit_set_add(struct audit_set *s, const char *path)
{
    struct audit_member *const m = &s->members[s->n];
    struct stat st;

    *m = (struct audit_member){.path = path, .fd = set_open(path)};
    if (m->fd < 0) {
        return -errno;
    }
    s->n++;
    if (fstat(m->fd, &st) < 0) {
        return -errno;
    }
    if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode)) {
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    }
    m->dev = st.st_dev;
    m->ino = st.st_ino;
    for (size_t i = 0; i + 1 < s->n; i++) {
        if (s->members[i].dev == m->dev && s->members[i].ino == m->ino) {
            sock_close(&m->fd);
            s->n--;
            return 0;
        }
    }
    return audit_set_read_first(m);
}

static int audit_set_compare(const void *a, const void *b)
{
    const struct audit_member *const x = a;
    const struct audit_member *const y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

int audit_set_init(struct audit_set *s, const char *const *paths, size_t n, const char **bad)
{
    s->n = 0;
    s->members = calloc(n, sizeof *s->members);
    *bad = paths[0];
    if (!s->members) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const int err = audit_set_add(s, paths[i]);

        if (err < 0) {
            *bad = paths[i];
            return err;
        }
    }
    qsort(s->members, s->n, sizeof *s->members, audit_set_compare);
    return 0;
}

void audit_set_deinit(struct audit_set *s)
{
    for (size_t i = 0; s->members && i < s->n; i++) {
        sock_close(&s->members[i].fd);
        audit_scan_deinit(&s->members[i].scan);
    }
    free(s->members);
    s->members = NULL;
    s->n = 0;
}

struct audit_member *audit_set_first(const struct audit_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!s->members[i].taken) {
            return &s->members[i];
        }
    }
    return NULL;
}

/* Returns whether the member's first line continues the tree. */
static bool set_goes_on(const struct audit_member *m, const struct audit_tree *tree)
{
    struct audit_hash a;
    struct audit_hash b;

    return m->has_before && m->before.size == tree->size && audit_tree_root(&m->before, &a) == 0 &&
           audit_tree_root(tree, &b) == 0 && audit_hash_same(&a, &b);
}

/* Returns whether a log begins in one of the members not taken yet. */
static bool set_begins_another(const struct audit_set *s, const char *host)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct audit_member *const m = &s->members[i];

        if (!m->taken && m->first == 0 && set_same_host(m->host, host)) {
            return true;
        }
    }
    return false;
}

struct audit_member *audit_set_next(const struct audit_set *s, const struct audit_tree *tree,
                                    const char *host)
{
    const bool other = set_begins_another(s, host);
    struct audit_member *guess = NULL;

    for (size_t i = 0; i < s->n; i++) {
        struct audit_member *const m = &s->members[i];
        /* A file without records belongs to whichever log comes last. */
        const bool same = m->first == UINT64_MAX || set_same_host(m->host, host);

        if (!m->taken && set_goes_on(m, tree)) {
            return m;
        }
        if (!m->taken && !guess && m->first > 0 && same && !other) {
            guess = m;
        }
    }
    return guess;
}

bool audit_set_streams(const struct audit_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->members[i].scan.stream) {
            return true;
        }
    }
    return false;
}

bool audit_set_written(const struct audit_member *m)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fcntl(m->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}
