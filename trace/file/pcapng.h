/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes the blocks of a trace: pcapng with LINKTYPE_WIRESHARK_UPPER_PDU. FORMAT.trace. Pure: bytes
 * go to the caller's memory, each block whole or not at all, and nobody allocates.
 *
 * Every function returns the bytes written, a multiple of 4, or 0: the n bytes at p are too few.
 */
#ifndef POEMD_TRACE_FILE_PCAPNG_H
#define POEMD_TRACE_FILE_PCAPNG_H

#include <stddef.h>

#include "trace/file/message.h"

#define PCAPNG_LINKTYPE_UPPER_PDU 252u

/* The dissectors: of the capture header, which hands on to that of the message. */
#define TRACE_DISSECTOR "vfio_user_capture"

/* The capture header's fixed part, and each fd's, in bytes. FORMAT.trace, section 4. */
#define TRACE_CAPTURE_VERSION 1u
#define TRACE_CAPTURE_HDR_SIZE 40u
#define TRACE_CAPTURE_FD_SIZE 32u

/* A block's size beside what varies in it, at the most: for whoever makes room. */
#define PCAPNG_BLOCK_MAX_OVERHEAD 256u

/* Bytes of a comment that are written; what is longer is cut at a character's end. */
#define PCAPNG_COMMENT_MAX 32768u

/* Section header block; comment is one line of JSON (FORMAT.trace, section 2). */
size_t pcapng_section(void *p, size_t n, const char *comment) __attribute__((warn_unused_result));

/* Interface description block; comment is one line of JSON (section 3). */
size_t pcapng_interface(void *p, size_t n, const char *name, const char *description,
                        const char *comment) __attribute__((warn_unused_result));

/*
 * Enhanced packet block; comment NULL if none. Of a message whose kept bytes make more than
 * LIMIT_TRACE_PACKET with what stands before them, as many are written as fit.
 */
size_t pcapng_message(void *p, size_t n, uint32_t interface, const struct trace_message *m,
                      const char *comment) __attribute__((warn_unused_result));

struct pcapng_statistics {
    uint64_t now_ns;   /* since 1970 */
    uint64_t begin_ns; /* when the capture of this session began */
    uint64_t seen;     /* messages that the relay passed on, lost ones included */
    uint64_t lost;     /* of which so many are in no file */
    bool over;         /* the session has ended, or its capture */
};

/* Interface statistics block; comment NULL if none, else one line of JSON (section 5). */
size_t pcapng_statistics(void *p, size_t n, uint32_t interface, const struct pcapng_statistics *s,
                         const char *comment) __attribute__((warn_unused_result));

#endif
