/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a file of the audit log line by line, in constant memory. The file may grow meanwhile:
 * everything present when the end is reached is read.
 */
#ifndef POEMD_AUDIT_AUDIT_SCAN_H
#define POEMD_AUDIT_AUDIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_line.h"
#include "audit/audit_outcome.h"

enum audit_scan_outcome {
    AUDIT_SCAN_LINE,
    AUDIT_SCAN_END,
    AUDIT_SCAN_TORN,  /* the rest is not a line: no newline, or a file system lost its bytes */
    AUDIT_SCAN_LONG,  /* a line longer than AUDIT_LINE_MAX */
    AUDIT_SCAN_ERROR, /* see scan->error */
};

struct audit_scan {
    int fd; /* borrowed */
    char *buffer;
    size_t room;
    size_t from; /* of the unread bytes */
    size_t n;    /* bytes in the buffer */
    bool end;
    bool stream;     /* a pipe or the like, which can be read only once */
    uint64_t offset; /* of the next line in the file */
    uint64_t lines;  /* lines returned */
    int error;       /* errno */
};

/*
 * Starts at the file's first byte, or at a stream's current position. Returns 0 or -ENOMEM; the
 * caller calls audit_scan_deinit in either case.
 */
int audit_scan_init(struct audit_scan *s, int fd) __attribute__((warn_unused_result));
void audit_scan_deinit(struct audit_scan *s);

/* Returns the current number of bytes in the file after the last line returned. */
uint64_t audit_scan_rest(const struct audit_scan *s);

/* Returns the next line like audit_scan_next, which then returns it again. */
enum audit_scan_outcome audit_scan_peek(struct audit_scan *s, const char **line, size_t *n)
    __attribute__((warn_unused_result));

/* Returns the next line, without its newline; valid until the next call. */
enum audit_scan_outcome audit_scan_next(struct audit_scan *s, const char **line, size_t *n)
    __attribute__((warn_unused_result));

#endif
