/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One socket of a session that is played again: whole messages in, whole messages out, each with
 * its fds, and never a call that blocks. The other side is not trusted.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_LINK_H
#define POEMD_CTL_REPLAY_REPLAY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire.h"

enum link_outcome {
    LINK_OK,
    LINK_AGAIN,     /* nothing more for now: poll */
    LINK_CLOSED,    /* the other side has closed, between two messages */
    LINK_MALFORMED, /* link->why says what broke the framing */
    LINK_FAILED,    /* link->error, an errno */
};

struct replay_link {
    int fd; /* -1: there is none, or it has ended */
    uint32_t max_size;
    int error;
    const char *why; /* static */
    /* The message that comes: whole once got == hdr.size. */
    uint8_t head[WIRE_HDR_SIZE];
    struct wire_hdr hdr;
    uint8_t *in; /* its payload; owned */
    size_t in_room;
    size_t got;
    struct fdset in_fds;
    /* What goes: out[sent … out_n - 1]. */
    uint8_t *out;
    size_t out_room;
    size_t out_n;
    size_t sent;
    struct fdset out_fds;
};

/* Takes fd, -1 for none. max_size bounds each message that comes. */
void replay_link_init_take(struct replay_link *l, int fd, uint32_t max_size);
void replay_link_deinit(struct replay_link *l);

/*
 * Reads on. LINK_OK: a message is whole: l->hdr, its payload at l->in, its fds in l->in_fds; all of
 * it is the caller's to use until replay_link_done.
 */
enum link_outcome replay_link_read(struct replay_link *l) __attribute__((warn_unused_result));
void replay_link_done(struct replay_link *l);

/* Whether the last message has all gone, so that another may be put. */
static inline bool replay_link_idle(const struct replay_link *l)
{
    return l->sent == l->out_n;
}

/*
 * Room for a message of n bytes, where the link is idle: the caller fills it, adds fds to out_fds,
 * and calls replay_link_write. NULL: no memory.
 */
uint8_t *replay_link_put(struct replay_link *l, size_t n) __attribute__((warn_unused_result));

/* Sends on. LINK_OK: all has gone. */
enum link_outcome replay_link_write(struct replay_link *l) __attribute__((warn_unused_result));

/* "the backend closed the connection", for messages; returns out. */
const char *replay_link_text(const struct replay_link *l, enum link_outcome o, const char *who,
                             char *out, size_t size);

#endif
