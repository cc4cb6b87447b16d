/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session as trace/file/reader.c holds it: what the public structure points to, and how its times
 * are told. For the reader alone.
 */
#ifndef POEMD_TRACE_FILE_READER_SESSION_H
#define POEMD_TRACE_FILE_READER_SESSION_H

#include "trace/file/reader.h"

struct reader_session {
    struct trace_session public;
    bool known;         /* the interface's comment says itself that it is the broker's */
    bool announced;     /* the caller has had its TRACE_SESSION */
    uint8_t resolution; /* if_tsresol, as it stands in the file */
    int64_t offset_s;   /* if_tsoffset */
    size_t texts;       /* bytes of name, description and comment … */
    size_t ending_size; /* … and of ending */
    char *name;
    char *description;
    char *comment;
    char *ending;
    struct reader_session *next;
};

/* A text of an interface: n bytes, foreign; p NULL: there is none. */
struct reader_text {
    const uint8_t *p;
    size_t n;
};

/* A session from its interface's texts. NULL: no memory. */
struct reader_session *reader_session_new(struct reader_text name, struct reader_text description,
                                          struct reader_text comment)
    __attribute__((warn_unused_result));
void reader_session_free(struct reader_session *s);

/* Keeps the statistics' comment. False: no memory. */
bool reader_session_end(struct reader_session *s, const char *comment, size_t n)
    __attribute__((warn_unused_result));

/* Nanoseconds since 1970 of a time in the interface's units. What does not fit wraps round. */
uint64_t reader_session_time(const struct reader_session *s, uint64_t units);

#endif
