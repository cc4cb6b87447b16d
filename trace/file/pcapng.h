/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes the blocks of a trace: pcapng with LINKTYPE_WIRESHARK_UPPER_PDU. FORMAT.trace. Pure:
 * writes to the caller's memory, each block whole or not at all, and never allocates.
 *
 * Every function returns the bytes written, a multiple of 4, or 0 if the n bytes at p are too few.
 */
#ifndef POEMD_TRACE_FILE_PCAPNG_H
#define POEMD_TRACE_FILE_PCAPNG_H

#include <stddef.h>

#include "trace/file/message.h"

#define PCAPNG_LINKTYPE_UPPER_PDU 252u

/* Upper bound of a block's size without its variable parts. */
#define PCAPNG_BLOCK_MAX_OVERHEAD 256u

/* Bytes of a comment that are written; a longer one is cut after a whole character. */
#define PCAPNG_COMMENT_MAX 32768u

/* Section header block; comment is one line of JSON (FORMAT.trace, section 2). */
size_t pcapng_section(void *p, size_t n, const char *comment) __attribute__((warn_unused_result));

/* Interface description block; comment is one line of JSON (section 3). */
size_t pcapng_interface(void *p, size_t n, const char *name, const char *description,
                        const char *comment) __attribute__((warn_unused_result));

/*
 * Enhanced packet block; comment may be NULL. If the kept bytes make the packet larger than
 * LIMIT_TRACE_PACKET, only those that fit are written.
 */
size_t pcapng_message(void *p, size_t n, uint32_t interface, const struct trace_message *m,
                      const char *comment) __attribute__((warn_unused_result));

struct pcapng_statistics {
    uint64_t now_ns;   /* since 1970 */
    uint64_t begin_ns; /* when this session's capture began */
    uint64_t seen;     /* messages relayed, lost ones included */
    uint64_t lost;     /* of these, lost */
    bool over;         /* the session or its capture has ended */
};

/* Interface statistics block; comment may be NULL, else one line of JSON (section 5). */
size_t pcapng_statistics(void *p, size_t n, uint32_t interface, const struct pcapng_statistics *s,
                         const char *comment) __attribute__((warn_unused_result));

#endif
