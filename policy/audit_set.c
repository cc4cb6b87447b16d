/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files of a log, opened and sorted. Reads their first lines only. */
#define _GNU_SOURCE
#include "policy/audit_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "policy/audit_line.h"
#include "policy/audit_scan.h"

static int read_first(struct audit_member *m)
{
    struct audit_head head;
    struct audit_scan scan;
    const char *line;
    size_t n;
    int err = audit_scan_init(&scan, m->fd);

    m->first = UINT64_MAX;
    if (err == 0) {
        const enum audit_scan_outcome o = audit_scan_next(&scan, &line, &n);

        m->empty = o == AUDIT_SCAN_END || o == AUDIT_SCAN_TORN;
        if (o == AUDIT_SCAN_LINE && audit_line_read(&head, line, n)) {
            m->first = head.seq;
        }
        err = o == AUDIT_SCAN_ERROR ? -scan.error : 0;
    }
    audit_scan_deinit(&scan);
    return err;
}

/* Opens one more, unless it is there under another name. */
static int add(struct audit_set *s, const char *path)
{
    struct audit_member *const m = &s->members[s->n];
    struct stat st;

    *m = (struct audit_member){.path = path};
    /* Whatever lies there, opening it waits for nobody. */
    m->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (m->fd < 0) {
        return -errno;
    }
    s->n++;
    if (fstat(m->fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
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
    return read_first(m);
}

static int compare(const void *a, const void *b)
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
        const int err = add(s, paths[i]);

        if (err < 0) {
            *bad = paths[i];
            return err;
        }
    }
    qsort(s->members, s->n, sizeof *s->members, compare);
    return 0;
}

void audit_set_deinit(struct audit_set *s)
{
    for (size_t i = 0; s->members && i < s->n; i++) {
        sock_close(&s->members[i].fd);
    }
    free(s->members);
    s->members = NULL;
    s->n = 0;
}

bool audit_set_written(const struct audit_member *m)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fcntl(m->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}
