/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The reader's private part of a session: the texts that the public structure points to, and the
 * unit of its times. For trace/file/reader.c only.
 */
#ifndef POEMD_TRACE_FILE_READER_SESSION_H
#define POEMD_TRACE_FILE_READER_SESSION_H

#include <stddef.h>

#include "trace/file/trace_session.h"

struct reader_session {
    struct trace_session public;
    bool known;         /* the interface's comment names it as the broker's */
    bool announced;     /* TRACE_SESSION has been returned */
    uint8_t resolution; /* if_tsresol, as in the file */
    int64_t offset_s;   /* if_tsoffset */
    size_t texts;       /* bytes of name, description and comment … */
    size_t ending_size; /* … and of ending */
    char *name;
    char *description;
    char *comment;
    char *ending;
    struct reader_session *next;
};

/* A foreign text of an interface: n bytes; p may be NULL. */
struct reader_text {
    const uint8_t *p;
    size_t n;
};

/* Makes a session from its interface's texts. Returns NULL if memory runs out. */
struct reader_session *reader_session_new(struct reader_text name, struct reader_text description,
                                          struct reader_text comment)
    __attribute__((warn_unused_result));
void reader_session_free(struct reader_session *s);

/* Keeps the statistics' comment. Returns false if memory runs out. */
bool reader_session_end(struct reader_session *s, const char *comment, size_t n)
    __attribute__((warn_unused_result));

/* Converts a time in the interface's units to nanoseconds since 1970, modulo 2^64. */
uint64_t reader_session_time(const struct reader_session *s, uint64_t units);

#endif
