/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a captured message is about: its header, and which region or which guest memory it
 * accesses, in this machine's byte order whatever the message's is. Pure; reads no byte that was
 * not kept.
 */
#ifndef POEMD_TRACE_DECODE_ACCESS_H
#define POEMD_TRACE_DECODE_ACCESS_H

#include <stddef.h>

#include "trace/decode/pair.h"

enum access_kind {
    ACCESS_NONE,   /* it says of no place; a reply with nothing but a header among them */
    ACCESS_REGION, /* offset and count in a region; count 0: it is about the region as such */
    ACCESS_MEMORY, /* address and count in guest memory */
};

struct access {
    struct wire_hdr hdr;
    enum access_kind kind;
    uint32_t region;
    uint64_t offset; /* or address */
    uint64_t count;  /* bytes */
    uint64_t size;   /* of the region, in a reply to GET_REGION_INFO; 0: not said */
};

/* False: not even a header was kept; out is untouched then. */
bool access_read(const struct trace_message *m, struct access *out)
    __attribute__((warn_unused_result));

/* The same of a request as it was remembered, whose header is known. */
void access_of_request(const struct trace_request *r, struct access *out);

/* Writes of one REGION_WRITE_MULTI that are looked at. */
#define ACCESS_WRITES 128u

/*
 * The first writes of a REGION_WRITE_MULTI request, as many as were kept and out (ACCESS_WRITES of
 * them) has room for. Returns how many.
 */
size_t access_writes(const struct trace_message *m, struct access *out);

#endif
