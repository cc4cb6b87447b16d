/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One socket of a replayed session: whole messages in and out, each with its fds, without blocking.
 * The other side is not trusted.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_LINK_H
#define POEMD_CTL_REPLAY_REPLAY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

enum link_outcome {
    LINK_OK,
    LINK_AGAIN,     /* no more for now: poll */
    LINK_CLOSED,    /* the other side has closed, between two messages */
    LINK_MALFORMED, /* link->why explains how the framing was broken */
    LINK_FAILED,    /* link->error, an errno */
};

struct replay_link {
    int fd; /* -1: not connected, or ended */
    uint32_t max_size;
    int error;
    const char *why; /* static */
    /* The message being received: complete once got == hdr.size. */
    uint8_t head[WIRE_HDR_SIZE];
    struct wire_hdr hdr;
    uint8_t *in; /* its payload; owned */
    size_t in_room;
    size_t got;
    struct fdset in_fds;
    /* The message being sent: out[sent … out_n - 1] remain. */
    uint8_t *out;
    size_t out_room;
    size_t out_n;
    size_t sent;
    struct fdset out_fds;
};

/* Takes fd, or -1. max_size bounds each received message. */
void replay_link_init_take(struct replay_link *l, int fd, uint32_t max_size);
void replay_link_deinit(struct replay_link *l);

/*
 * Reads on. LINK_OK: a message is complete, with l->hdr, its payload at l->in and its fds in
 * l->in_fds, which the caller may use until replay_link_done.
 */
enum link_outcome replay_link_read(struct replay_link *l) __attribute__((warn_unused_result));
void replay_link_done(struct replay_link *l);

/* Returns true if the last message has been sent, so that another may be queued. */
static inline bool replay_link_idle(const struct replay_link *l)
{
    return l->sent == l->out_n;
}

/*
 * Makes room for a message of n bytes on an idle link: the caller fills it, adds fds to out_fds,
 * and calls replay_link_write. Returns NULL if memory runs out.
 */
uint8_t *replay_link_put(struct replay_link *l, size_t n) __attribute__((warn_unused_result));

/* Sends on. LINK_OK: the message has been sent. */
enum link_outcome replay_link_write(struct replay_link *l) __attribute__((warn_unused_result));

/* Formats an outcome: "the backend closed the connection"; returns out. */
const char *replay_link_text(const struct replay_link *l, enum link_outcome o, const char *who,
                             char *out, size_t size);

#endif
