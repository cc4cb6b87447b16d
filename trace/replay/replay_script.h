/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session from a trace as a script for a replay: its messages in their order, each with its
 * partner (reply or request), and with the other side's messages that had to arrive before it. Pure
 * except for its memory, which is bounded by LIMIT_REPLAY_BYTES.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_SCRIPT_H
#define POEMD_TRACE_REPLAY_REPLAY_SCRIPT_H

#include <stddef.h>

#include "trace/file/reader.h"

#define REPLAY_NONE SIZE_MAX

/* The two sockets of a session. */
enum replay_socket { REPLAY_MAIN, REPLAY_TWIN, REPLAY_SOCKETS };

struct replay_message {
    struct wire_hdr hdr;
    uint64_t number;
    uint64_t read_ns;
    uint64_t delivered_ns; /* UINT64_MAX: never */
    size_t partner;        /* a request's reply, a reply's request; REPLAY_NONE */
    /*
     * Number of the other side's messages on each socket, from the session's first, that had been
     * delivered when this one was read.
     */
    size_t after[REPLAY_SOCKETS];
    /* From the last of those, or its sender's previous message, until this one was read. */
    uint64_t pause_ns;
    /* index among its sender's messages on its socket, from 0 */
    size_t ordinal;
    uint32_t kept; /* bytes at data, header included */
    uint16_t n_fds;
    uint8_t sender; /* enum side */
    uint8_t legs;
    uint8_t flags;  /* TRACE_* */
    uint8_t socket; /* enum replay_socket */
    bool reply;
    const uint8_t *data; /* owned by the script */
    const struct trace_fd *fds;
};

struct replay_script {
    size_t n;
    struct replay_message *messages;
    size_t room;
    uint64_t bytes;
    uint64_t session;
    uint64_t missing;      /* messages that are not in the trace */
    uint64_t missing_near; /* number of the message before which the first gap is */
};

void replay_script_init(struct replay_script *s);
void replay_script_deinit(struct replay_script *s);

/*
 * Adds a copy of a message of the session. Returns 0, -ENOMEM, or -EFBIG if the session is too
 * large to be replayed.
 */
int replay_script_add(struct replay_script *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/*
 * Completes the script after the last message: keeps the messages seen on leg (TRACE_LEG_*), sorts
 * and pairs them, and finds which wait for which. Returns false if the session cannot be replayed,
 * with the reason and a remedy in why.
 */
bool replay_script_finish(struct replay_script *s, unsigned leg, char *why, size_t size)
    __attribute__((warn_unused_result));

/* Returns true if the trace has all bytes of the message. */
static inline bool replay_whole(const struct replay_message *m)
{
    return m->kept == m->hdr.size;
}

/* The message as it was in the trace, without session, times and fds. Its data stay borrowed. */
struct trace_message replay_captured(const struct replay_message *m);

/* Formats "message 12 (REGION_WRITE)" for messages to users; returns out. */
const char *replay_name(const struct replay_message *m, char *out, size_t size);

#endif
