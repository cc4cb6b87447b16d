/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session out of a trace as a script to be played again: its messages in their order, each with
 * its partner (reply or request), and with what the other side had to have said before it. Pure
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
     * Of the other side's messages on each socket so many, counted from the session's first, had
     * been delivered when this one was read.
     */
    size_t after[REPLAY_SOCKETS];
    /* From the last of those, or its sender's last before, until this one was read. */
    uint64_t pause_ns;
    size_t ordinal; /* of its sender's messages on its socket, from 0 */
    uint32_t kept;  /* bytes at data, header included */
    uint16_t n_fds;
    uint8_t sender; /* enum trace_sender */
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
    uint64_t missing_near; /* the number before which the first of them are missing */
};

void replay_script_init(struct replay_script *s);
void replay_script_deinit(struct replay_script *s);

/* Adds a message of the session, copied. 0, -ENOMEM, or -EFBIG: too large to be played. */
int replay_script_add(struct replay_script *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/*
 * After the last: keeps those that were seen on leg (TRACE_LEG_*), brings them into order and finds
 * out who answers whom and who waits for whom. False: why says why this cannot be played, and what
 * would help.
 */
bool replay_script_finish(struct replay_script *s, unsigned leg, char *why, size_t size)
    __attribute__((warn_unused_result));

/* Whether all bytes of the message are in the trace. */
static inline bool replay_whole(const struct replay_message *m)
{
    return m->kept == m->hdr.size;
}

/* "message 12 (REGION_WRITE)", for what is said of one; returns out. */
const char *replay_name(const struct replay_message *m, char *out, size_t size);

#endif
