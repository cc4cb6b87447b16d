/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a trace block by block from a file or a pipe, packed by gzip or zstd or not, without
 * trusting it: a file may be cut off, damaged or malicious. Memory is bounded by the largest block,
 * the number of sessions and the window of what is packed, not by the file's size; nothing is
 * allocated per message.
 *
 * Unknown blocks and options are skipped, as pcapng asks; so are interfaces and packets that are
 * not the broker's, which merged files have. Both byte orders are read.
 */
#ifndef POEMD_TRACE_FILE_READER_H
#define POEMD_TRACE_FILE_READER_H

#include <stddef.h>

#include "trace/file/message.h"
#include "trace/file/trace_session.h"
#include "trace/file/unpack.h"

enum trace_outcome {
    TRACE_SESSION,    /* a session begins: item->session */
    TRACE_MESSAGE,    /* item->session, message and comment */
    TRACE_STATISTICS, /* item->session has new counts */
    TRACE_END,        /* of the file, between two blocks */
    TRACE_CUT_OFF,    /* the file ends inside a block */
    TRACE_MALFORMED,  /* not a trace, or damaged: cannot be read further */
    TRACE_FAILED,     /* read error or out of memory: trace_reader_error */
};

struct trace_item {
    struct trace_session *session;
    struct trace_message message; /* its pointers are valid until the next call */
    const char *comment;          /* NULL if none */
    uint64_t offset;              /* of its block in the unpacked file */
};

struct trace_reader;

/* Returns a reader that owns fd, or NULL, with fd closed, if memory runs out. */
struct trace_reader *trace_reader_new_take(int fd) __attribute__((warn_unused_result));
void trace_reader_free(struct trace_reader *r);

/*
 * Reads the next item of the file. After TRACE_END and TRACE_CUT_OFF it may be called again and
 * goes on from there: a file that is being written grows, and a non-blocking fd has more later. A
 * file without a first block is cut off. After TRACE_MALFORMED and TRACE_FAILED it returns the same
 * again.
 *
 * An interface of PCAPNG_LINKTYPE_UPPER_PDU without a session in its comment becomes one with its
 * first packet of the broker's.
 */
enum trace_outcome trace_reader_next(struct trace_reader *r, struct trace_item *item)
    __attribute__((warn_unused_result));

/*
 * Asks `ready` before each read from here on: if it returns false, trace_reader_next ends as at the
 * end of the file, so that a caller can do other things while a pipe is empty.
 */
void trace_reader_ask(struct trace_reader *r, unpack_ready_fn *ready, void *arg);

/* Returns the error, with the offset, after TRACE_CUT_OFF, _MALFORMED and _FAILED. Never NULL. */
const char *trace_reader_why(const struct trace_reader *r);

/* -errno after TRACE_FAILED, else 0. */
int trace_reader_error(const struct trace_reader *r);

/* Number of sessions read so far. */
unsigned trace_reader_sessions(const struct trace_reader *r);

/* Returns the section's comment, one line of JSON, or "" before the first section. */
const char *trace_reader_section(const struct trace_reader *r);

#endif
