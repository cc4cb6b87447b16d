/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a trace, block by block, from a file or a pipe. Never trusts it: a file may be cut off,
 * damaged or made to harm. Memory is bounded by the largest block and the number of sessions, not
 * by the file; nothing is allocated per message.
 *
 * Unknown blocks and options are skipped, as pcapng asks; so are interfaces and packets that are
 * not the broker's (merged files have such). Both byte orders are read.
 */
#ifndef POEMD_TRACE_FILE_READER_H
#define POEMD_TRACE_FILE_READER_H

#include <stddef.h>

#include "trace/file/message.h"

/* What is known of one session in a trace; lives as long as its reader. */
struct trace_session {
    uint64_t number; /* 0 where the interface does not say */
    char route[LIMIT_NAME + 1];
    const char *name;        /* the interface's: ROUTE/NUMBER */
    const char *description; /* … for people, or "" */
    const char *comment;     /* one line of JSON, or "" */
    unsigned index;          /* from 0, in the order of the file; across sections */
    uint64_t seen;           /* by the last statistics */
    uint64_t lost;
    bool over;          /* … the session, or its capture, has ended */
    const char *ending; /* the last statistics' comment, one line of JSON, or "" */
    void *user;         /* the caller's; NULL at first */
};

enum trace_outcome {
    TRACE_SESSION,    /* a session begins: item->session */
    TRACE_MESSAGE,    /* item->session, item->message, item->comment */
    TRACE_STATISTICS, /* item->session has new counts */
    TRACE_END,        /* the file's, between two blocks */
    TRACE_CUT_OFF,    /* the file ends inside a block */
    TRACE_MALFORMED,  /* no trace, or damaged: nothing more can be read */
    TRACE_FAILED,     /* reading failed, or no memory: trace_reader_error */
};

struct trace_item {
    struct trace_session *session;
    struct trace_message message; /* its pointers are good until the next call */
    const char *comment;          /* NULL if none */
    uint64_t offset;              /* of its block in the file */
};

struct trace_reader;

/* A reader of fd, which it owns (and has closed where there is none). NULL: no memory. */
struct trace_reader *trace_reader_new_take(int fd) __attribute__((warn_unused_result));
void trace_reader_free(struct trace_reader *r);

/*
 * The next thing in the file. After TRACE_END and TRACE_CUT_OFF it may be called again, and goes on
 * where it stopped: a file that is being written grows, and a non-blocking fd has more later. A
 * file without a first block is cut off. After TRACE_MALFORMED and TRACE_FAILED it says the same
 * again.
 *
 * An interface of PCAPNG_LINKTYPE_UPPER_PDU whose comment names no session becomes one with its
 * first packet of the broker's.
 */
enum trace_outcome trace_reader_next(struct trace_reader *r, struct trace_item *item)
    __attribute__((warn_unused_result));

/* What is wrong, with the offset: after TRACE_CUT_OFF, _MALFORMED and _FAILED. Never NULL. */
const char *trace_reader_why(const struct trace_reader *r);

/* -errno after TRACE_FAILED, else 0. */
int trace_reader_error(const struct trace_reader *r);

/* How many sessions were in it so far. */
unsigned trace_reader_sessions(const struct trace_reader *r);

/* The section's comment, one line of JSON, or "" before the first section. */
const char *trace_reader_section(const struct trace_reader *r);

#endif
