/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captured messages made by hand, for suites that judge them: a message, the bytes that it points
 * to, and the session that it is of.
 */
#ifndef POEMD_TESTS_UNIT_TRACE_SAID_H
#define POEMD_TESTS_UNIT_TRACE_SAID_H

#include <stddef.h>

#include "trace/file/reader.h"

#define SAID_MAX 8192u

struct said {
    struct trace_message m;
    struct trace_fd fds[32];
    uint8_t bytes[SAID_MAX];
};

/* Two sessions: said_session[0] is edu0/1, said_session[1] nvme0/2. */
extern struct trace_session said_session[2];

/*
 * A relayed message of session 1 with a header that fits and n payload bytes at p, read
 * microseconds after the first. Its number is number. Static, eight of them in turn.
 */
struct said *said(enum side sender, uint32_t flags, uint16_t id, uint16_t command, const void *p,
                  size_t n);

/* The next message is read so many nanoseconds after the last. 10,000 unless told. */
void said_wait(uint64_t ns);

/* Forgets all; the next message is the first. */
void said_reset(void);

/* The same in the byte order of the other kind of machine: headers and 32-bit numbers alone. */
void said_turn_hdr(struct said *s);

/* Changes the header: its size and its error field. */
void said_hdr(struct said *s, uint32_t size, uint32_t error);

/* Adds n fds of a kind. */
void said_fds(struct said *s, unsigned n, enum trace_fd_kind kind);

#endif
