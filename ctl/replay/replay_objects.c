/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes files like those that a trace describes. */
#define _GNU_SOURCE
#include "ctl/replay/replay_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"

void replay_objects_init(struct replay_objects *o)
{
    *o = (struct replay_objects){.n = 0};
}

void replay_objects_deinit(struct replay_objects *o)
{
    for (size_t i = 0; i < o->n; i++) {
        sock_close(&o->objects[i].fd);
        sock_close(&o->objects[i].peer_fd);
    }
    free(o->objects);
    replay_objects_init(o);
}

/* ---- making ---- */

/* F_SEAL_SEAL alone is the initial state of memory without MFD_ALLOW_SEALING. */
static int replay_objects_make_memory(const struct trace_fd *fd)
{
    const bool sealing = (fd->seals & ~(uint32_t)F_SEAL_SEAL) != 0;
    const int made =
        memfd_create("poemctl-replay", MFD_CLOEXEC | (sealing ? MFD_ALLOW_SEALING : 0u));
    int err;

    if (made < 0) {
        return -errno;
    }
    if (fd->size > INT64_MAX || ftruncate(made, (off_t)fd->size) < 0 ||
        (sealing && fcntl(made, F_ADD_SEALS, (int)fd->seals) < 0)) {
        err = fd->size > INT64_MAX ? -EFBIG : -errno;
        close(made);
        return err;
    }
    return made;
}

static int replay_objects_make_socket(struct replay_object *o)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    o->peer_fd = ends[1];
    return ends[0];
}

static int replay_objects_make_pipe(struct replay_object *o)
{
    const bool writes = o->access == O_WRONLY;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    o->peer_fd = ends[!writes];
    return ends[writes];
}

static int replay_objects_make(struct replay_object *o, const struct trace_fd *fd)
{
    int made;

    switch ((enum trace_fd_kind)fd->kind) {
    case TRACE_FD_MEMFD:
    case TRACE_FD_FILE:
        return replay_objects_make_memory(fd);
    case TRACE_FD_EVENTFD:
        made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return made < 0 ? -errno : made;
    case TRACE_FD_SOCKET:
        return replay_objects_make_socket(o);
    case TRACE_FD_PIPE:
        return replay_objects_make_pipe(o);
    default:
        return -EOPNOTSUPP;
    }
}

static struct replay_object *replay_objects_find(const struct replay_objects *o,
                                                 const struct trace_fd *fd)
{
    for (size_t i = 0; i < o->n && fd->ino != 0; i++) {
        struct replay_object *const object = &o->objects[i];

        if (object->ino == fd->ino && object->dev == fd->dev && object->kind == fd->kind &&
            (object->kind != TRACE_FD_PIPE || object->access == fd->access)) {
            return object;
        }
    }
    return NULL;
}

static int replay_objects_reserve(struct replay_objects *o)
{
    struct replay_object *more;
    const size_t room = o->room ? 2 * o->room : 16;

    if (o->n < o->room) {
        return 0;
    }
    more = realloc(o->objects, room * sizeof *more);
    if (!more) {
        return -ENOMEM;
    }
    o->objects = more;
    o->room = room;
    return 0;
}

int replay_objects_get(struct replay_objects *o, const struct trace_fd *fd,
                       struct replay_object **out)
{
    struct replay_object *object = replay_objects_find(o, fd);
    int made;

    if (!object) {
        if (replay_objects_reserve(o)) {
            return -ENOMEM;
        }
        object = &o->objects[o->n];
        *object = (struct replay_object){.dev = fd->dev,
                                         .ino = fd->ino,
                                         .kind = fd->kind,
                                         .access = fd->access,
                                         .fd = -1,
                                         .peer_fd = -1};
        made = replay_objects_make(object, fd);
        if (made < 0) {
            return made;
        }
        object->fd = made;
        o->n++;
    }
    *out = object;
    return 0;
}

/* ---- handing out ---- */

/* Memory that was passed read-only is passed read-only again. */
static int replay_objects_duplicate(const struct replay_object *o, uint8_t access)
{
    char path[32];
    int fd;

    if ((o->kind == TRACE_FD_MEMFD || o->kind == TRACE_FD_FILE) && access == O_RDONLY) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", o->fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } else {
        fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
    }
    return fd < 0 ? -errno : fd;
}

int replay_objects_add(struct replay_objects *o, const struct trace_fd *fds, unsigned n,
                       uint16_t without, struct fdset *set, unsigned *bad)
{
    for (*bad = 0; *bad < n; ++*bad) {
        struct replay_object *object;
        int r;

        if (fds[*bad].flags & without) {
            continue;
        }
        r = replay_objects_get(o, &fds[*bad], &object);
        if (r == 0) {
            r = replay_objects_duplicate(object, fds[*bad].access);
            r = r < 0 ? r : fdset_add_take(set, r);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

uint64_t replay_objects_fired(const struct replay_object *o)
{
    uint64_t count;

    return read(o->fd, &count, sizeof count) == (ssize_t)sizeof count ? count : 0;
}
