/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Parses the kernel's text about processes. The bytes do not come from peers, but a peer may choose
 * names in them: each parser accepts only the field it expects.
 */
#define _GNU_SOURCE
#include "policy/peer/peer_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text/numbers.h"

/* ---- reading files ---- */

ssize_t peer_proc_read(int dir_fd, const char *name, char *out, size_t size)
{
    const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t n = 0;
    ssize_t r = -1;

    if (fd < 0) {
        return -errno;
    }
    while (n < size - 1 && (r = read(fd, out + n, size - 1 - n)) > 0) {
        n += (size_t)r;
    }
    if (r < 0) {
        r = -errno;
    }
    close(fd);
    out[n] = '\0';
    return r < 0 ? r : (ssize_t)n;
}

/* ---- numbers ---- */

static bool peer_proc_eat(const char **p, const char *end, char c)
{
    if (*p == end || **p != c) {
        return false;
    }
    (*p)++;
    return true;
}

/* ---- stat, status ---- */

bool peer_proc_start(const char *p, size_t n, uint64_t *ticks)
{
    /* The process chooses its name, which may contain ") 1 2 3": the last parenthesis counts. */
    const char *at = memrchr(p, ')', n);
    const char *end = p + n;

    if (!at) {
        return false;
    }
    /* Field 3 follows ")"; each space leads to the next field. */
    for (int field = 2; field < 22; field++) {
        at = memchr(at, ' ', (size_t)(end - at));
        if (!at) {
            return false;
        }
        at++;
    }
    return numbers_take(&at, end, 10, UINT64_MAX, ticks);
}

/* Returns the text after "NAME:" at the start of a line, up to *line_end. */
static const char *peer_proc_line_of(const char *p, size_t n, const char *name,
                                     const char **line_end)
{
    const char *end = p + n;
    const size_t len = strlen(name);

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        nl = nl ? nl : end;
        if ((size_t)(nl - p) > len && memcmp(p, name, len) == 0) {
            *line_end = nl;
            return p + len;
        }
        p = nl < end ? nl + 1 : end;
    }
    return NULL;
}

static bool peer_proc_next_id(const char **p, const char *end, uint32_t *out)
{
    uint64_t v;

    while (*p < end && (**p == '\t' || **p == ' ')) {
        (*p)++;
    }
    if (!numbers_take(p, end, 10, UINT64_MAX, &v) || v > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

static bool peer_proc_effective_id(const char *p, size_t n, const char *name, uint32_t *out)
{
    const char *end = NULL;
    const char *at = peer_proc_line_of(p, n, name, &end);
    uint32_t real;

    return at && peer_proc_next_id(&at, end, &real) && peer_proc_next_id(&at, end, out);
}

int peer_proc_ids(const char *p, size_t n, struct peer *out)
{
    const char *end = NULL;
    const char *at = peer_proc_line_of(p, n, "Groups:", &end);
    uint32_t id;

    if (!at || !peer_proc_effective_id(p, n, "Uid:", &out->uid) ||
        !peer_proc_effective_id(p, n, "Gid:", &out->gid)) {
        return -EPROTO;
    }
    out->n_groups = 0;
    while (peer_proc_next_id(&at, end, &id)) {
        if (out->n_groups == PEER_GROUPS_MAX) {
            return -ERANGE;
        }
        out->groups[out->n_groups++] = id;
    }
    return 0;
}

/* ---- namespaces ---- */

/* The number of ids that a map can contain: (uid_t)-1 is not an id. */
#define IDS_ALL 4294967295u

bool peer_proc_maps_all(const char *p, size_t n)
{
    const char *end = p + n;
    uint64_t all = 0;

    /* Lines of three numbers: first inside, first outside, count. Ranges never overlap. */
    while (p < end) {
        uint32_t inside;
        uint32_t outside;
        uint32_t count;

        if (!peer_proc_next_id(&p, end, &inside) || !peer_proc_next_id(&p, end, &outside) ||
            !peer_proc_next_id(&p, end, &count)) {
            return false;
        }
        all += count;
        while (p < end && *p != '\n') {
            p++;
        }
        p += p < end;
    }
    return all == IDS_ALL;
}

bool peer_proc_pidns(const char *p, size_t n, pid_t *pid, unsigned *levels)
{
    const char *end = NULL;
    const char *at = peer_proc_line_of(p, n, "Pid:", &end);
    uint32_t v;

    if (!at) {
        return false;
    }
    *levels = 0;
    if (!peer_proc_next_id(&at, end, &v)) {
        /* Only "-1" is not a valid number. */
        *pid = -1;
        return true;
    }
    if (v > INT32_MAX) {
        return false;
    }
    *pid = (pid_t)v;
    at = peer_proc_line_of(p, n, "NSpid:", &end);
    if (!at) {
        /* The kernel has no pid namespaces. */
        *levels = 1;
        return true;
    }
    while (peer_proc_next_id(&at, end, &v)) {
        (*levels)++;
    }
    return true;
}

/* ---- cgroup ---- */

static bool peer_proc_copy_cgroup(const char *at, const char *end, char out[PEER_CGROUP_MAX])
{
    const size_t n = (size_t)(end - at);

    if (n == 0 || n >= PEER_CGROUP_MAX || *at != '/' || memchr(at, '\0', n)) {
        return false;
    }
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

/* Finds the line of systemd's version 1 hierarchy, which may begin with any number. */
static const char *peer_proc_systemd_line(const char *p, size_t n, const char **line_end)
{
    static const char mark[] = ":name=systemd:";
    const char *end = p + n;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *at = p;
        uint64_t hierarchy;

        nl = nl ? nl : end;
        if (numbers_take(&at, nl, 10, UINT64_MAX, &hierarchy) &&
            (size_t)(nl - at) >= sizeof mark - 1 && memcmp(at, mark, sizeof mark - 1) == 0) {
            *line_end = nl;
            return at + sizeof mark - 1;
        }
        p = nl < end ? nl + 1 : end;
    }
    return NULL;
}

bool peer_proc_cgroup(const char *p, size_t n, char out[PEER_CGROUP_MAX])
{
    const char *end = NULL;
    const char *at = peer_proc_line_of(p, n, "0::", &end);
    char other[PEER_CGROUP_MAX];
    bool known = at && peer_proc_copy_cgroup(at, end, out);

    if (known && strcmp(out, "/") != 0) {
        return true;
    }
    at = peer_proc_systemd_line(p, n, &end);
    if (at && peer_proc_copy_cgroup(at, end, other)) {
        memcpy(out, other, sizeof other);
        known = true;
    }
    return known;
}

static bool peer_proc_ends_with(const char *p, size_t n, const char *suffix)
{
    const size_t len = strlen(suffix);

    return n > len && memcmp(p + n - len, suffix, len) == 0;
}

static bool peer_proc_is_unit(const char *p, size_t n)
{
    return peer_proc_ends_with(p, n, ".service") || peer_proc_ends_with(p, n, ".scope") ||
           peer_proc_ends_with(p, n, ".socket") || peer_proc_ends_with(p, n, ".mount") ||
           peer_proc_ends_with(p, n, ".swap");
}

bool peer_proc_unit(const char *cgroup, char out[PEER_UNIT_MAX])
{
    const char *p = cgroup;

    while (*p == '/') {
        const char *name = p + 1;
        const size_t n = strcspn(name, "/");

        p = name + n;
        if (peer_proc_ends_with(name, n, ".slice")) {
            continue;
        }
        if (n >= PEER_UNIT_MAX || !peer_proc_is_unit(name, n)) {
            return false;
        }
        memcpy(out, name, n);
        out[n] = '\0';
        return true;
    }
    return false;
}

/* ---- mountinfo ---- */

/* Copies the file system's type, which follows " - " after the optional fields. */
static void peer_proc_type_of(const char *p, const char *end, char out[32])
{
    const char *at = memmem(p, (size_t)(end - p), " - ", 3);
    size_t n;

    out[0] = '\0';
    if (!at) {
        return;
    }
    at += 3;
    n = (size_t)(end - at);
    if (memchr(at, ' ', n)) {
        n = (size_t)((const char *)memchr(at, ' ', n) - at);
    }
    if (n < 32) {
        memcpy(out, at, n);
        out[n] = '\0';
    }
}

void peer_mount_line(struct peer_mount *m, const char *p, size_t n)
{
    const char *end = p + n;
    uint64_t id;
    uint64_t parent;
    uint64_t dev_major;
    uint64_t dev_minor;

    if (!numbers_take(&p, end, 10, UINT64_MAX, &id) || !peer_proc_eat(&p, end, ' ') ||
        !numbers_take(&p, end, 10, UINT64_MAX, &parent) || !peer_proc_eat(&p, end, ' ') ||
        !numbers_take(&p, end, 10, UINT64_MAX, &dev_major) || !peer_proc_eat(&p, end, ':') ||
        !numbers_take(&p, end, 10, UINT64_MAX, &dev_minor)) {
        return;
    }
    if (id == m->id) {
        m->found_id = true;
        m->id_major = (uint32_t)dev_major;
        m->id_minor = (uint32_t)dev_minor;
        peer_proc_type_of(p, end, m->type);
    } else if (dev_major == m->dev_major && dev_minor == m->dev_minor && !m->found_dev) {
        m->found_dev = true;
        if (!m->found_id) {
            peer_proc_type_of(p, end, m->type);
        }
    }
}

int peer_mount_look(struct peer_mount *m, int dir_fd)
{
    /*
     * The kernel escapes each special byte of a path of at most 4,095 bytes as 4 bytes: two paths
     * and their options fit.
     */
    char buf[40 << 10];
    size_t have = 0;
    const int fd = openat(dir_fd, "mountinfo", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t r;

    if (fd < 0) {
        return -errno;
    }
    while ((r = read(fd, buf + have, sizeof buf - have)) > 0) {
        char *p = buf;
        char *end = buf + have + r;
        char *nl;

        while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
            peer_mount_line(m, p, (size_t)(nl - p));
            p = nl + 1;
        }
        have = (size_t)(end - p);
        if (have == sizeof buf) {
            have = 0; /* no line is that long */
        }
        memmove(buf, p, have);
    }
    r = r < 0 ? -errno : 0;
    close(fd);
    return (int)r;
}
