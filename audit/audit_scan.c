/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a file line by line. Never writes to it, and does not interpret its lines. */
#define _GNU_SOURCE
#include "audit/audit_scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the longest line, and for reads of 128 KiB and more. */
#define ROOM (4 * (size_t)AUDIT_LINE_MAX)

int audit_scan_init(struct audit_scan *s, int fd)
{
    *s = (struct audit_scan){.fd = fd,
                             .buffer = malloc(ROOM),
                             .room = ROOM,
                             .stream = lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE};
    return s->buffer ? 0 : -ENOMEM;
}

void audit_scan_deinit(struct audit_scan *s)
{
    free(s->buffer);
    s->buffer = NULL;
}

/* Reads from a stream; its writer may be slow. */
static ssize_t scan_read_stream(const struct audit_scan *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    ssize_t r;

    do {
        r = read(s->fd, s->buffer + s->n, s->room - s->n);
    } while (r < 0 && errno == EAGAIN && (poll(&p, 1, -1) >= 0 || errno == EINTR));
    return r;
}

/* Reads more bytes into the buffer. Returns false on an error. */
static bool audit_scan_fill(struct audit_scan *s)
{
    const uint64_t at = s->offset + (s->n - s->from);
    ssize_t r;

    do {
        r = s->stream ? scan_read_stream(s)
                      : pread(s->fd, s->buffer + s->n, s->room - s->n, (off_t)at);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        s->error = errno;
        return false;
    }
    s->end = r == 0;
    s->n += (size_t)r;
    return true;
}

/* Moves unread bytes to the front if little room is left. */
static void audit_scan_make_room(struct audit_scan *s)
{
    if (s->room - s->n > AUDIT_LINE_MAX + 1) {
        return;
    }
    s->n -= s->from;
    memmove(s->buffer, s->buffer + s->from, s->n);
    s->from = 0;
}

/*
 * A run of NULs that only a file system writes: its smallest block. A single NUL was written on
 * purpose.
 */
#define LOST 512

/*
 * Returns whether a file system allocated these bytes and lost their content: after a power cut
 * whole blocks are NULs.
 */
static bool audit_scan_lost_bytes(const char *p, size_t n)
{
    size_t run = 0;

    if (!memchr(p, '\0', n)) {
        return false;
    }
    for (size_t i = 0; i < n && run < LOST; i++) {
        run = p[i] == '\0' ? run + 1 : 0;
    }
    return run == LOST;
}

uint64_t audit_scan_rest(const struct audit_scan *s)
{
    struct stat st;

    if (s->stream) {
        return s->n - s->from;
    }
    return fstat(s->fd, &st) < 0 || (uint64_t)st.st_size < s->offset
               ? 0
               : (uint64_t)st.st_size - s->offset;
}

enum audit_scan_outcome audit_scan_next(struct audit_scan *s, const char **line, size_t *n)
{
    size_t seen = 0;

    for (;;) {
        const size_t there = s->n - s->from;
        const char *const p = s->buffer + s->from;
        const char *const end = memchr(p + seen, '\n', there - seen);

        if (end) {
            *line = p;
            *n = (size_t)(end - p);
            if (audit_scan_lost_bytes(p, *n)) {
                return AUDIT_SCAN_TORN;
            }
            s->offset += *n + 1;
            s->from += *n + 1;
            s->lines++;
            return *n > AUDIT_LINE_MAX ? AUDIT_SCAN_LONG : AUDIT_SCAN_LINE;
        }
        if (there > AUDIT_LINE_MAX) {
            return audit_scan_lost_bytes(p, there) ? AUDIT_SCAN_TORN : AUDIT_SCAN_LONG;
        }
        if (s->end) {
            return there > 0 ? AUDIT_SCAN_TORN : AUDIT_SCAN_END;
        }
        seen = there;
        audit_scan_make_room(s);
        if (!audit_scan_fill(s)) {
            return AUDIT_SCAN_ERROR;
        }
    }
}

enum audit_scan_outcome audit_scan_peek(struct audit_scan *s, const char **line, size_t *n)
{
    const uint64_t offset = s->offset;
    const enum audit_scan_outcome o = audit_scan_next(s, line, n);

    /* The line is still in the buffer, directly before the unread bytes. */
    if (s->offset != offset) {
        s->from -= (size_t)(s->offset - offset);
        s->offset = offset;
        s->lines--;
    }
    return o;
}
