/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Lists the code that a process has mapped. May block on the process. */
#define _GNU_SOURCE
#include "policy/peer/peer_code.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/peer/peer_proc.h"

/* Bytes of the list that are read at once; the longest name, escaped, takes a quarter of it. */
#define PEER_CODE_BUFFER 65536u

static const char peer_code_no_right[] =
    "opening the files that it has mapped needs CAP_CHECKPOINT_RESTORE";

/* How often a list is begun anew because the process has mapped other files meanwhile. */
#define PEER_CODE_TRIES 3

const char *peer_code_kind_text(enum peer_code_kind kind)
{
    static const char *const texts[PEER_CODE_KINDS] = {
        [PEER_CODE_NONE] = "data",
        [PEER_CODE_FILE] = "a file",
        [PEER_CODE_DELETED] = "a file that has been removed or replaced",
        [PEER_CODE_WRITABLE] = "a file that is mapped writable",
        [PEER_CODE_MEMFD] = "memory of memfd_create",
        [PEER_CODE_MEMORY] = "memory without a file",
        [PEER_CODE_OTHER] = "neither a file nor plain memory",
    };

    return (unsigned)kind < PEER_CODE_KINDS ? texts[kind] : "?";
}

void peer_code_deinit(struct peer_code *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].path);
    }
    free(c->items);
    *c = (struct peer_code){.n = 0};
}

bool peer_code_same_file(const struct peer_code_item *a, const struct peer_code_item *b)
{
    return a->kind == PEER_CODE_FILE && b->kind == PEER_CODE_FILE && !a->unknown.why &&
           !b->unknown.why && peer_file_id_same(&a->id, &b->id) && strcmp(a->path, b->path) == 0;
}

static void peer_code_fail(struct peer_code *c, int error, const char *why)
{
    c->unknown = (struct peer_unknown){.error = error, .why = why};
}

/* ---- the list ---- */

static struct peer_code_item *peer_code_find(const struct peer_code *c, enum peer_code_kind kind,
                                             const struct peer_maps_line *l)
{
    const bool by_file = kind == PEER_CODE_FILE || kind == PEER_CODE_WRITABLE;

    /* Mappings of one file are neighbours: the last item is the likely one. */
    for (size_t i = c->n; i > 0; i--) {
        struct peer_code_item *const have = &c->items[i - 1];

        if (have->kind == kind &&
            (!by_file || (have->maps_inode == l->inode && have->maps_major == l->dev_major &&
                          have->maps_minor == l->dev_minor))) {
            return have;
        }
    }
    return NULL;
}

/* Appends an item with a copy of the path. Returns false if it does not fit, with the reason. */
static bool peer_code_set_path(struct peer_code *c, struct peer_code_item *item, const char *path,
                               size_t n)
{
    if (c->path_bytes + n > LIMIT_CODE_PATHS) {
        peer_code_fail(c, 0, "the names of the files that it has mapped exceed the limit");
        return false;
    }
    free(item->path);
    item->path = strndup(path, n);
    if (!item->path) {
        peer_code_fail(c, ENOMEM, "out of memory");
        return false;
    }
    c->path_bytes += n;
    return true;
}

static bool peer_code_add(struct peer_code *c, enum peer_code_kind kind,
                          const struct peer_maps_line *l)
{
    struct peer_code_item *item = peer_code_find(c, kind, l);

    if (item) {
        item->mappings++;
        return true;
    }
    if (c->n == LIMIT_CODE_FILES) {
        peer_code_fail(c, 0, "it has mapped code of more files than the limit");
        return false;
    }
    /* Grows only at powers of two. */
    if ((c->n & (c->n - 1)) == 0) {
        item = reallocarray(c->items, c->n > 0 ? 2 * c->n : 1, sizeof *item);
        if (!item) {
            peer_code_fail(c, ENOMEM, "out of memory");
            return false;
        }
        c->items = item;
    }
    item = &c->items[c->n];
    *item = (struct peer_code_item){.kind = kind,
                                    .start = l->start,
                                    .end = l->end,
                                    .mappings = 1,
                                    .maps_major = l->dev_major,
                                    .maps_minor = l->dev_minor,
                                    .maps_inode = l->inode};
    /* The file itself will be asked for its name, which is exact. */
    if (!peer_code_set_path(c, item, l->name, kind == PEER_CODE_FILE ? 0 : l->n_name)) {
        free(item->path);
        return false;
    }
    c->n++;
    return true;
}

static bool peer_code_add_line(struct peer_code *c, const char *p, size_t n)
{
    struct peer_maps_line l;
    enum peer_code_kind kind;

    if (!peer_maps_read(p, n, &l)) {
        peer_code_fail(c, EPROTO, "the kernel's list of its mappings is malformed");
        return false;
    }
    kind = peer_maps_kind(&l);
    return kind == PEER_CODE_NONE || peer_code_add(c, kind, &l);
}

/* Adds all lines that are whole, and moves the rest to the front. Returns false on error. */
static bool peer_code_add_lines(struct peer_code *c, char *buf, size_t *have)
{
    char *p = buf;
    char *const end = buf + *have;
    char *nl;

    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        if (!peer_code_add_line(c, p, (size_t)(nl - p))) {
            return false;
        }
        p = nl + 1;
    }
    *have = (size_t)(end - p);
    memmove(buf, p, *have);
    if (*have == PEER_CODE_BUFFER) {
        peer_code_fail(c, EPROTO, "the kernel's list of its mappings is malformed");
        return false;
    }
    return true;
}

void peer_code_read(struct peer_code *c, int maps_fd)
{
    char *const buf = malloc(PEER_CODE_BUFFER);
    size_t have = 0;
    size_t all = 0;
    ssize_t r = -1;

    if (!buf) {
        peer_code_fail(c, ENOMEM, "out of memory");
        return;
    }
    while ((r = read(maps_fd, buf + have, PEER_CODE_BUFFER - have)) > 0) {
        have += (size_t)r;
        all += (size_t)r;
        if (all > LIMIT_CODE_MAPS) {
            peer_code_fail(c, 0, "its list of mappings exceeds the limit");
        }
        if (c->unknown.why || !peer_code_add_lines(c, buf, &have)) {
            break;
        }
    }
    if (r < 0) {
        peer_code_fail(c, errno, "its list of mappings cannot be read");
    } else if (r == 0 && all == 0) {
        peer_code_fail(c, ESRCH, "the process is gone");
    } else if (r == 0 && have > 0) {
        peer_code_fail(c, EPROTO, "the kernel's list of its mappings is malformed");
    }
    free(buf);
}

/* ---- the files ---- */

static void peer_code_item_fail(struct peer_code_item *item, int error, const char *why)
{
    item->unknown = (struct peer_unknown){.error = error, .why = why};
}

/* Returns true if the item's file is the one that the list shows. */
static bool peer_code_is_listed(const struct peer_code_item *item, const struct peer_exe *e,
                                const struct peer_exe_faults *f)
{
    return e->id.inode == item->maps_inode &&
           ((e->id.dev_major == item->maps_major && e->id.dev_minor == item->maps_minor) ||
            (f->mount_major == item->maps_major && f->mount_minor == item->maps_minor));
}

/* Opens the item's file in the process's folder. Returns false with the reason in the item. */
static bool peer_code_reach(struct peer_code_item *item, int dir_fd, struct peer_exe *out)
{
    struct peer_exe_faults f;
    char link[64];

    snprintf(link, sizeof link, "map_files/%" PRIx64 "-%" PRIx64, item->start, item->end);
    *out = (struct peer_exe){.fd = -1};
    peer_exe_open(out, dir_fd, link, &f);
    item->unknown = (struct peer_unknown){.error = 0};
    if (f.id.why && f.id.error == EINVAL) {
        item->kind = PEER_CODE_OTHER;
    } else if (f.id.why && (f.id.error == EPERM || f.id.error == EACCES)) {
        peer_code_item_fail(item, f.id.error, peer_code_no_right);
    } else if (f.id.why || f.path.why) {
        item->unknown = f.id.why ? f.id : f.path;
    } else if (!peer_code_is_listed(item, out, &f)) {
        peer_code_item_fail(item, ESTALE, "another file is mapped there by now");
    } else if (out->deleted) {
        item->kind = PEER_CODE_DELETED;
    } else {
        item->unknown = f.file;
    }
    if (item->kind != PEER_CODE_FILE || item->unknown.why) {
        if (out->fd >= 0) {
            close(out->fd);
            out->fd = -1;
        }
        return false;
    }
    return true;
}

/*
 * Identifies the file of each item. Returns false if the process has mapped others meanwhile, so
 * that the list is to be read again.
 */
static bool peer_code_identify(struct peer_code *c, int dir_fd)
{
    struct peer_exe e;

    for (size_t i = 0; i < c->n; i++) {
        struct peer_code_item *const item = &c->items[i];

        if (item->kind != PEER_CODE_FILE) {
            continue;
        }
        if (peer_code_reach(item, dir_fd, &e)) {
            close(e.fd);
        } else if (item->unknown.why == peer_code_no_right) {
            /* One reason for all files, rather than one for each. */
            c->unknown = item->unknown;
            return true;
        } else if (item->unknown.error == ENOENT || item->unknown.error == ESTALE) {
            return false;
        }
        item->id = e.id;
        item->path_ours = e.path_ours;
        if (!peer_code_set_path(c, item, e.path, strlen(e.path))) {
            return true;
        }
    }
    return true;
}

/* Returns false if the list is to be read again. */
static bool peer_code_look(struct peer_code *c, pid_t pid)
{
    const int dir_fd = peer_open_folder(pid);
    bool settled = true;
    int maps_fd;

    if (dir_fd < 0) {
        peer_code_fail(c, -dir_fd, "the process is gone, or hidden from us");
        return true;
    }
    maps_fd = openat(dir_fd, "maps", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (maps_fd < 0) {
        peer_code_fail(c, errno, "its list of mappings cannot be opened");
    } else {
        peer_code_read(c, maps_fd);
        close(maps_fd);
        if (!c->unknown.why) {
            settled = peer_code_identify(c, dir_fd);
        }
    }
    close(dir_fd);
    return settled;
}

/* Returns whether the process of the pidfd still exists, so that its number has been its own. */
static bool peer_code_is_alive(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    return pidfd >= 0 && poll(&ended, 1, 0) == 0;
}

void peer_code_list(struct peer_code *out, pid_t pid, int pidfd)
{
    bool settled = false;

    *out = (struct peer_code){.n = 0};
    for (int i = 0; i < PEER_CODE_TRIES && !settled; i++) {
        peer_code_deinit(out);
        settled = peer_code_look(out, pid);
    }
    if (!settled) {
        peer_code_fail(out, 0, "it maps other files again and again");
    }
    if (!peer_code_is_alive(pidfd)) {
        peer_code_fail(out, ESRCH, "the process is gone");
    }
}

bool peer_code_open(struct peer_code_item *item, pid_t pid, int pidfd, struct peer_exe *out)
{
    const int dir_fd = peer_open_folder(pid);
    const struct peer_file_id listed = item->id;
    bool reached;

    *out = (struct peer_exe){.fd = -1};
    if (dir_fd < 0) {
        peer_code_item_fail(item, -dir_fd, "the process is gone, or hidden from us");
        return false;
    }
    reached = peer_code_reach(item, dir_fd, out);
    close(dir_fd);
    if (reached && (!peer_code_is_alive(pidfd) || !peer_file_id_same(&listed, &out->id))) {
        peer_code_item_fail(item, ESTALE, "another file is mapped there by now");
        close(out->fd);
        out->fd = -1;
        reached = false;
    }
    return reached;
}
