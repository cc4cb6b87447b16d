/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Recreates the files of a recorded session: one object for each device and inode of the trace,
 * shared by all messages that shared it. Memory has its recorded size and is zero; eventfds begin
 * at zero.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_OBJECTS_H
#define POEMD_CTL_REPLAY_REPLAY_OBJECTS_H

#include "base/fdset.h"
#include "trace/file/message.h"

struct replay_object {
    uint64_t dev;
    uint64_t ino;
    uint8_t kind;
    uint8_t access;
    int fd;      /* owned */
    int peer_fd; /* the other end of a socket or pipe, or -1 */
    bool interrupt;
    uint32_t irq; /* SET_IRQS assigned it to this index … */
    uint32_t vector;
};

struct replay_objects {
    size_t n;
    size_t room;
    struct replay_object *objects;
};

void replay_objects_init(struct replay_objects *o);
void replay_objects_deinit(struct replay_objects *o);

/*
 * Returns the object of a recorded fd in *out, making it first if needed; valid until the next one
 * is made. Returns 0 or -errno (-EOPNOTSUPP: a kind that cannot be made).
 */
int replay_objects_get(struct replay_objects *o, const struct trace_fd *fd,
                       struct replay_object **out) __attribute__((warn_unused_result));

/*
 * Adds duplicates of the objects of n fds to set, except for fds with a flag in without
 * (TRACE_FD_*). Returns 0 or -errno, with *bad the index of the fd that could not be made.
 */
int replay_objects_add(struct replay_objects *o, const struct trace_fd *fds, unsigned n,
                       uint16_t without, struct fdset *set, unsigned *bad)
    __attribute__((warn_unused_result));

/* Returns how often an interrupt's eventfd was signalled since the last call. */
uint64_t replay_objects_fired(const struct replay_object *o);

#endif
