/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the lines of /proc/PID/maps. */
#include "policy/peer/peer_maps.h"

#include <string.h>

#include "base/text/numbers.h"

static bool peer_maps_eat(const char **p, const char *end, char c)
{
    if (*p == end || **p != c) {
        return false;
    }
    (*p)++;
    return true;
}

/* Reads "r-xp": each position has its letter or '-', the last one 'p' or 's'. */
static bool peer_maps_rights(const char **p, const char *end, struct peer_maps_line *out)
{
    static const char letters[] = "rwx";

    if (end - *p < 4) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if ((*p)[i] != letters[i] && (*p)[i] != '-') {
            return false;
        }
    }
    out->writable = (*p)[1] == 'w';
    out->executable = (*p)[2] == 'x';
    if ((*p)[3] != 'p' && (*p)[3] != 's') {
        return false;
    }
    *p += 4;
    return true;
}

bool peer_maps_read(const char *p, size_t n, struct peer_maps_line *out)
{
    const char *const end = p + n;
    uint64_t offset;
    uint64_t dev_major;
    uint64_t dev_minor;

    if (!numbers_take(&p, end, 16, UINT64_MAX, &out->start) || !peer_maps_eat(&p, end, '-') ||
        !numbers_take(&p, end, 16, UINT64_MAX, &out->end) || !peer_maps_eat(&p, end, ' ') ||
        !peer_maps_rights(&p, end, out) || !peer_maps_eat(&p, end, ' ') ||
        !numbers_take(&p, end, 16, UINT64_MAX, &offset) || !peer_maps_eat(&p, end, ' ') ||
        !numbers_take(&p, end, 16, UINT32_MAX, &dev_major) || !peer_maps_eat(&p, end, ':') ||
        !numbers_take(&p, end, 16, UINT32_MAX, &dev_minor) || !peer_maps_eat(&p, end, ' ') ||
        !numbers_take(&p, end, 10, UINT64_MAX, &out->inode) || out->start >= out->end ||
        (p < end && *p != ' ')) {
        return false;
    }
    out->dev_major = (uint32_t)dev_major;
    out->dev_minor = (uint32_t)dev_minor;
    /* Names are in a column of their own, after spaces. One that began with a space would not be
     * absolute. */
    while (p < end && *p == ' ') {
        p++;
    }
    out->name = p;
    out->n_name = (size_t)(end - p);
    return true;
}

static bool peer_maps_is_named(const struct peer_maps_line *l, const char *name)
{
    return l->n_name == strlen(name) && memcmp(l->name, name, l->n_name) == 0;
}

/*
 * Returns whether the kernel itself has put the code there. A process can name its own anonymous
 * memory, but the kernel shows such a name as "[anon:NAME]".
 */
static bool peer_maps_is_kernel(const struct peer_maps_line *l)
{
    static const char *const names[] = {"[vdso]",    "[vsyscall]", "[vdso32]",
                                        "[uprobes]", "[vectors]",  "[sigpage]"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (peer_maps_is_named(l, names[i])) {
            return true;
        }
    }
    return false;
}

static bool peer_maps_begins(const struct peer_maps_line *l, const char *prefix)
{
    const size_t n = strlen(prefix);

    return l->n_name >= n && memcmp(l->name, prefix, n) == 0;
}

static bool peer_maps_is_deleted(const struct peer_maps_line *l)
{
    static const char mark[] = " (deleted)";
    const size_t n = sizeof mark - 1;

    return l->n_name >= n && memcmp(l->name + l->n_name - n, mark, n) == 0;
}

enum peer_code_kind peer_maps_kind(const struct peer_maps_line *l)
{
    if (!l->executable || (l->inode == 0 && peer_maps_is_kernel(l))) {
        return PEER_CODE_NONE;
    }
    if (l->inode == 0) {
        return PEER_CODE_MEMORY;
    }
    if (peer_maps_begins(l, "/memfd:")) {
        return PEER_CODE_MEMFD;
    }
    if (!peer_maps_begins(l, "/") || peer_maps_begins(l, "/SYSV")) {
        return PEER_CODE_OTHER;
    }
    if (peer_maps_is_deleted(l)) {
        return PEER_CODE_DELETED;
    }
    return l->writable ? PEER_CODE_WRITABLE : PEER_CODE_FILE;
}
