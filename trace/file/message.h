/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A captured message: what the relay recorded about it, and the kept part of its bytes.
 *
 * The worker that relays fills this structure, the tracer receives it, trace/file/pcapng.h writes
 * it to a file, and trace/file/reader.h reads it back. FORMAT.trace, section 4. Pure.
 */
#ifndef POEMD_TRACE_FILE_MESSAGE_H
#define POEMD_TRACE_FILE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/side.h"
#include "base/wire/wire.h"

/* The session's sockets on which it was seen. A relayed message is seen on both. */
#define TRACE_LEG_CLIENT 0x1u
#define TRACE_LEG_BACKEND 0x2u
#define TRACE_LEGS (TRACE_LEG_CLIENT | TRACE_LEG_BACKEND)

#define TRACE_BIG_ENDIAN 0x1u  /* the message; the capture header is always little-endian */
#define TRACE_BROKER 0x2u      /* made or changed by the broker: seen on one leg only */
#define TRACE_TWIN 0x4u        /* on the twin sockets */
#define TRACE_UNDELIVERED 0x8u /* the session ended before its last byte was delivered */
#define TRACE_FLAGS (TRACE_BIG_ENDIAN | TRACE_BROKER | TRACE_TWIN | TRACE_UNDELIVERED)

enum trace_fd_kind {
    TRACE_FD_UNKNOWN,
    TRACE_FD_MEMFD, /* shared memory with support for seals */
    TRACE_FD_FILE,
    TRACE_FD_EVENTFD,
    TRACE_FD_SOCKET,
    TRACE_FD_PIPE,
    TRACE_FD_DEVICE,
    TRACE_FD_OTHER, /* another anonymous inode */
    TRACE_FD_KINDS,
};

#define TRACE_FD_WITHHELD 0x1u /* came with the message, but was not passed on */

/* An fd that came with a message. */
struct trace_fd {
    uint8_t kind;   /* enum trace_fd_kind */
    uint8_t access; /* O_RDONLY, O_WRONLY, O_RDWR */
    uint16_t flags; /* TRACE_FD_WITHHELD */
    uint32_t seals; /* F_GET_SEALS; 0 if not supported */
    uint64_t dev;
    uint64_t ino;
    uint64_t size; /* bytes */
};

struct trace_message {
    uint64_t session;
    uint64_t number;            /* in its session, from 1; lost ones are counted too */
    uint64_t read_ns;           /* when its first bytes were read, since 1970 */
    uint64_t passed_ns;         /* from then until its last byte was delivered */
    uint64_t waited_ns;         /* … how long its sender was waited for in the middle of it */
    uint32_t size;              /* of the whole message, in bytes */
    uint32_t kept;              /* of these, how many are at data */
    uint32_t missing;           /* … how many its sender began to send, but never sent */
    uint32_t lost;              /* messages of this session lost just before */
    uint8_t sender;             /* enum side */
    uint8_t legs;               /* TRACE_LEG_* */
    uint8_t flags;              /* TRACE_BIG_ENDIAN … */
    uint16_t n_fds;             /* at most LIMIT_FDS_KERNEL */
    const struct trace_fd *fds; /* borrowed */
    const uint8_t *data;        /* borrowed: header and payload */
};

/* Nanoseconds that the broker had the message, without those in which it waited for the sender. */
static inline uint64_t trace_message_broker_ns(const struct trace_message *m)
{
    return m->passed_ns - m->waited_ns;
}

#endif
