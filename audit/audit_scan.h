/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A file of the audit log read line by line, in memory that does not grow with it. The file may be
 * written meanwhile: what is there when its end is reached is what was read.
 */
#ifndef POEMD_AUDIT_AUDIT_SCAN_H
#define POEMD_AUDIT_AUDIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_log.h"

enum audit_scan_outcome {
    AUDIT_SCAN_LINE,
    AUDIT_SCAN_END,
    AUDIT_SCAN_TORN,  /* what is left is no line: it has no end, or a file system lost its bytes */
    AUDIT_SCAN_LONG,  /* a line above AUDIT_LINE_MAX */
    AUDIT_SCAN_ERROR, /* scan->error */
};

struct audit_scan {
    int fd; /* borrowed */
    char *buffer;
    size_t room;
    size_t from; /* of what has not been handed out yet */
    size_t n;    /* bytes in the buffer */
    bool end;
    bool stream;     /* a pipe or the like: what is read is read once */
    uint64_t offset; /* in the file, of what is handed out next */
    uint64_t lines;  /* handed out */
    int error;       /* errno */
};

/*
 * Begins at the file's first byte, or where a stream is. 0 or -ENOMEM; to be deinit'ed in either
 * case.
 */
int audit_scan_init(struct audit_scan *s, int fd) __attribute__((warn_unused_result));
void audit_scan_deinit(struct audit_scan *s);

/* Bytes that the file has behind what was handed out, as it is now. */
uint64_t audit_scan_rest(const struct audit_scan *s);

/* The next line as audit_scan_next has it, which hands it out once more. */
enum audit_scan_outcome audit_scan_peek(struct audit_scan *s, const char **line, size_t *n)
    __attribute__((warn_unused_result));

/* The next line, without its end; valid until the next call. */
enum audit_scan_outcome audit_scan_next(struct audit_scan *s, const char **line, size_t *n)
    __attribute__((warn_unused_result));

#endif
