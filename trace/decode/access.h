/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a captured message's header and the region or guest memory that it accesses, in this
 * machine's byte order whatever the message's is. Pure; reads only bytes that were kept.
 */
#ifndef POEMD_TRACE_DECODE_ACCESS_H
#define POEMD_TRACE_DECODE_ACCESS_H

#include <stddef.h>

#include "trace/decode/pair.h"

enum access_kind {
    ACCESS_NONE,   /* no place: among others, a reply that is only a header */
    ACCESS_REGION, /* offset and count in a region; count 0: the region as a whole */
    ACCESS_MEMORY, /* address and count in guest memory */
};

struct access {
    struct wire_hdr hdr;
    enum access_kind kind;
    uint32_t region;
    uint64_t offset; /* or address */
    uint64_t count;  /* bytes */
    uint64_t size;   /* of the region, in a reply to GET_REGION_INFO; 0: unknown */
};

/* Returns false, with out untouched, if less than a header was kept. */
bool access_read(const struct trace_message *m, struct access *out)
    __attribute__((warn_unused_result));

/* The same for a remembered request; r->hdr is its header. */
void access_of_request(const struct trace_request *r, struct access *out);

/* Writes of one REGION_WRITE_MULTI that are read at most. */
#define ACCESS_WRITES 128u

/*
 * Reads the first writes of a REGION_WRITE_MULTI request into out, which has room for
 * ACCESS_WRITES, as far as they were kept. Returns their number.
 */
size_t access_writes(const struct trace_message *m, struct access *out);

#endif
