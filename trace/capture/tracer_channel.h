/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor and the tracer say to each other: messages over a SEQPACKET pair, each a fixed
 * part and a text.
 *
 * The monitor's side never waits; the tracer's may. The monitor believes nothing of what the tracer
 * says but the numbers of captures that it knows: the tracer has read what workers wrote.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_CHANNEL_H
#define POEMD_TRACE_CAPTURE_TRACER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"

enum tracer_type {
    /* monitor → tracer */
    TRACER_RING = 1, /* fds: a worker's new ring, and its bell. What its old one holds is taken */
    TRACER_CAPTURE,  /* fd: its file, or none; a capture begins. text: the filter */
    TRACER_FILE,     /* fd: the capture's next file; none: there is none, see error */
    TRACER_STOP,     /* the capture ends; error: tracer_why of it */
    TRACER_DUMP,     /* a flight recorder writes what it holds */
    TRACER_SESSION,  /* a session, or more that is known of it. text: name, description, comment */
    TRACER_ATTACH,   /* the capture takes the session */
    TRACER_ENDED,    /* the session has ended. text: the reason's word */
    TRACER_PING, /* answer by TRACER_PONG, so that it is known that the tracer makes its turns */
    TRACER_QUIT, /* everything is written, then the tracer exits */
    /* tracer → monitor */
    TRACER_READY,     /* has given up its rights */
    TRACER_PONG,      /* the answer to a TRACER_PING */
    TRACER_WANT_FILE, /* the capture asks for its next file */
    TRACER_COUNTS,    /* how far the capture is */
    TRACER_STOPPED,   /* the capture is over: error says why, and its file is closed */
    TRACER_BROKEN,    /* what the worker wrote into its ring is no ring */
    TRACER_TYPES,
};

/* Why a capture ended. The words are FORMAT.trace's, section 5. */
enum tracer_why {
    TRACER_ASKED,
    TRACER_DISK_FULL,
    TRACER_IO_ERROR,
    TRACER_LIMIT,
    TRACER_READER_GONE,
    TRACER_SESSION_ENDED,
    TRACER_SHUTDOWN,
    TRACER_NOT_RECORDED,
    TRACER_WHYS,
};

/* "asked", "disk full", … Static; "?" for a number out of range. */
const char *tracer_why_word(uint32_t why);

struct tracer_settings {
    uint32_t payload; /* trace/file/snap_length.h */
    uint32_t guest;
    uint64_t rotate; /* bytes; 0: never */
    uint64_t every_ms;
    uint64_t memory; /* bytes; 0: no flight recorder */
    uint32_t given;  /* 1: its file was given as an fd: there is no next one */
    uint32_t once;   /* 1: it is of one session, and ends with it */
};

struct tracer_counts {
    uint64_t messages;
    uint64_t lost;
    uint64_t bytes;
    uint64_t files;
};

struct tracer_ended {
    uint64_t seen; /* by the worker's count; 0: unknown */
    uint32_t bad;  /* 1: flight recorders write what they hold */
    uint32_t zero;
};

/* Name, description and comment of a session, with their NULs. */
#define TRACER_TEXT_MAX 36864u

struct tracer_msg {
    uint32_t type; /* enum tracer_type */
    uint32_t worker;
    uint64_t session;
    uint64_t capture;
    uint32_t error; /* enum tracer_why, or an errno of TRACER_FILE */
    uint32_t late;  /* of TRACER_ATTACH: the session began before */
    union {
        struct tracer_settings settings;
        struct tracer_counts counts;
        struct tracer_ended ended;
    } u;
    uint32_t n_text; /* bytes that follow */
    uint32_t zero;
    char text[TRACER_TEXT_MAX]; /* only n_text of them travel */
};

/* At most this many fds come with a message. */
#define TRACER_FDS_MAX 2

/* A message of this type without more. */
void tracer_msg_init(struct tracer_msg *m, enum tracer_type type);

/* Adds a text with its NUL; false where it does not fit. */
bool tracer_msg_add(struct tracer_msg *m, const char *text) __attribute__((warn_unused_result));

/* The i-th text of a received message, NUL-terminated, or NULL. */
const char *tracer_msg_text(const struct tracer_msg *m, unsigned i);

/* Bytes of the message that travel. */
size_t tracer_msg_size(const struct tracer_msg *m);

/*
 * Sends a message with its fds (borrowed). flags: MSG_DONTWAIT. 0, -EAGAIN, or another -errno: the
 * other process is gone.
 */
int tracer_send(int fd, const struct tracer_msg *m, const int *fds, unsigned n_fds, int flags)
    __attribute__((warn_unused_result));

/*
 * Receives a message without waiting; fds are added to the set, which must be empty. 1, 0 at the
 * end of the channel, -EAGAIN, or -EPROTO: what came is no message of ours.
 */
int tracer_recv(int fd, struct tracer_msg *m, struct fdset *fds)
    __attribute__((warn_unused_result));

#endif
