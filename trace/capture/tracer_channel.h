/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages between the monitor and the tracer, over a SEQPACKET pair: a fixed part and a text.
 *
 * The monitor's side never blocks; the tracer's may. Since the tracer has read input from workers,
 * the monitor trusts none of its messages beyond the numbers of captures that it knows.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_CHANNEL_H
#define POEMD_TRACE_CAPTURE_TRACER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"

enum tracer_type {
    /* monitor to tracer */
    TRACER_RING = 1, /* fds: a worker's new ring and its bell. The old ring is drained */
    TRACER_CAPTURE,  /* fd: its file, if any; starts a capture. text: the filter */
    TRACER_FILE,     /* fd: the capture's next file, or none because of error */
    TRACER_STOP,     /* ends the capture; error: enum tracer_why */
    TRACER_RESUME, /* the next monitor has this capture: asks for TRACER_COUNTS or TRACER_STOPPED */
    TRACER_DUMP,   /* makes a flight recorder write its memory to a file */
    TRACER_SESSION, /* a session, new or with more facts. text: name, description, comment */
    TRACER_ATTACH,  /* adds the session to the capture */
    TRACER_ENDED,   /* the session has ended. text: the reason's word */
    TRACER_PING,    /* asks for TRACER_PONG, which shows that the tracer's loop runs */
    TRACER_QUIT,    /* writes everything out, then exits */
    /* tracer to monitor */
    TRACER_READY,     /* privileges are dropped */
    TRACER_PONG,      /* answers TRACER_PING */
    TRACER_WANT_FILE, /* asks for the capture's next file */
    TRACER_COUNTS,    /* the capture's progress */
    TRACER_FULL,      /* error 1: the capture's disk is full; 0: it has room again */
    TRACER_STOPPED,   /* the capture is over, its file closed; error: enum tracer_why */
    TRACER_BROKEN,    /* the worker has damaged its ring */
    TRACER_TYPES,
};

/* Why a capture ended. The words are those of FORMAT.trace, section 5. */
enum tracer_why {
    TRACER_ASKED,
    TRACER_DISK_FULL,
    TRACER_IO_ERROR,
    TRACER_LIMIT,
    TRACER_READER_GONE,
    TRACER_SESSION_ENDED,
    TRACER_SHUTDOWN,
    TRACER_NOT_RECORDED,
    TRACER_GONE, /* its tracer has died, with the only fd of its file */
    TRACER_WHYS,
};

/* Returns a static word, "asked", "disk full", …; "?" for a number out of range. */
const char *tracer_why_word(uint32_t why);

struct tracer_settings {
    uint32_t payload; /* trace/file/snap_length.h */
    uint32_t guest;
    uint64_t rotate; /* bytes; 0: never */
    uint64_t every_ms;
    uint64_t memory; /* bytes; 0: no flight recorder */
    uint32_t given;  /* 1: its file came as an fd, there is no next one */
    uint32_t once;   /* 1: it has one session, and ends with it */
    uint32_t pack;   /* 1: its files are packed by zstd */
    uint32_t zero;
};

struct tracer_counts {
    uint64_t messages;
    uint64_t lost;
    uint64_t bytes;
    uint64_t files;
};

struct tracer_ended {
    uint64_t seen; /* by the worker's count; 0: unknown */
    uint32_t bad;  /* 1: the session ended badly, flight recorders dump */
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
    uint32_t n_text; /* bytes of text that follow */
    uint32_t zero;
    char text[TRACER_TEXT_MAX]; /* only n_text bytes are sent */
};

/* Fds of one message at most. */
#define TRACER_FDS_MAX 2

/* Initialises a message of this type, with all else zero. */
void tracer_msg_init(struct tracer_msg *m, enum tracer_type type);

/* Adds a text with its NUL. Returns false if it does not fit. */
bool tracer_msg_add(struct tracer_msg *m, const char *text) __attribute__((warn_unused_result));

/* Returns the i-th text of a received message, NUL-terminated, or NULL. */
const char *tracer_msg_text(const struct tracer_msg *m, unsigned i);

/* Bytes of the message that are sent. */
size_t tracer_msg_size(const struct tracer_msg *m);

/*
 * Sends a message with its fds (borrowed). flags: MSG_DONTWAIT. Returns 0, -EAGAIN, or another
 * -errno if the other process is gone.
 */
int tracer_send(int fd, const struct tracer_msg *m, const int *fds, unsigned n_fds, int flags)
    __attribute__((warn_unused_result));

/*
 * Receives a message without blocking; its fds are added to the set, which must be empty. Returns
 * 1, 0 at the end of the channel, -EAGAIN, or -EPROTO if the message is malformed.
 */
int tracer_recv(int fd, struct tracer_msg *m, struct fdset *fds)
    __attribute__((warn_unused_result));

#endif
