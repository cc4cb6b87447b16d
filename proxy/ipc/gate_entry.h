/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log from which a session's gate to memory (proxy/relay/dma_gate.h) is made anew in another
 * worker: the messages that the gate has judged, behind entries that are its state at some time.
 *
 * Its entries lie in chunks of a worker's file of session pages. A session's page has the number of
 * the first chunk and of the entries in one word, which is stored behind the entries. The worker
 * makes the log short again by writing another one, and then that word. A chunk's number is from 1
 * on: the first LIMIT_GATE_CHUNKS are the worker's, to as many further ones the monitor copies the
 * chunks of a worker that has died, for a session that goes on here.
 */
#ifndef POEMD_PROXY_IPC_GATE_ENTRY_H
#define POEMD_PROXY_IPC_GATE_ENTRY_H

#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"
#include "proxy/ipc/ipc.h"

enum gate_entry_kind {
    GATE_ENTRY_SEEN = 1, /* a message has been judged */
    GATE_ENTRY_INVALID,  /* a header was answered with EINVAL */
    GATE_ENTRY_ANSWER,   /* a reply of the broker's waits to be sent */
    GATE_ENTRY_CLOSED,   /* nothing can be sent that way any more */
    GATE_ENTRY_REPLACED, /* the backend is gone */
    GATE_ENTRY_STATE,    /* the first, if there is one: numbers of the gate */
    GATE_ENTRY_MAP,      /* a live map */
    GATE_ENTRY_REQUEST,  /* a request that is unanswered */
    GATE_ENTRY_RANGE,    /* memory that was handed out, which may not be recorded yet */
    GATE_ENTRY_KINDS
};

/* Bytes of a message's payload that a gate judges. */
#define GATE_ENTRY_BODY sizeof(struct wire_dma_map)

/* Directions of a session, as enum session_page_way. */
#define GATE_ENTRY_WAYS 4u

struct gate_entry {
    uint64_t position; /* SEEN, INVALID: bytes that its sender sent before it; MAP, REQUEST: the
                        * map's number; STATE: the greatest number of a map */
    uint8_t kind;      /* enum gate_entry_kind */
    uint8_t way;       /* the message's direction, or that in which the reply is sent */
    uint8_t fds;       /* SEEN: their number */
    uint8_t flags;     /* GATE_ENTRY_… */
    uint32_t n;        /* SEEN: bytes of body */
    union {
        struct {
            uint8_t hdr[WIRE_HDR_SIZE];
            uint8_t body[GATE_ENTRY_BODY];
        } seen; /* SEEN, INVALID */
        struct {
            struct dma_span span;
            uint32_t flags;
            uint32_t error; /* of a request that is refused, or of the reply */
            uint16_t id;
            uint16_t command;
            uint8_t passed; /* these three are bools */
            uint8_t unmaps;
            uint8_t all;
        } kept; /* MAP, REQUEST, ANSWER */
        struct {
            uint64_t replied[GATE_ENTRY_WAYS]; /* bytes of replies that were sent before these */
            uint64_t exported;                 /* ranges that were recorded before these */
        } state;
        struct ipc_range range;
    } u;
};

#define GATE_ENTRY_EVENTFDS 1u /* SEEN: all fds are eventfds */
#define GATE_ENTRY_HINTED 2u   /* STATE: the log has been given a hint */
#define GATE_ENTRY_STRIPPED 4u /* STATE: the fd of a map was withheld */

#define GATE_CHUNK_ENTRIES 63u

struct gate_chunk {
    uint32_t next; /* the next chunk's number, if there are more entries */
    /* Of the first chunk: */
    uint32_t exporting;                /* ranges in an IPC_EXPORT that may have no answer */
    uint64_t exported;                 /* ranges of memory that were recorded */
    uint64_t replied[GATE_ENTRY_WAYS]; /* by the direction in which they are sent: bytes of the
                                        * gate's replies that were sent, twice; plus 1: more are
                                        * being sent */
    uint64_t zero[2];
    struct gate_entry entries[GATE_CHUNK_ENTRIES];
};

_Static_assert(sizeof(struct gate_entry) == 64, "entries fill a chunk");
_Static_assert(sizeof(struct gate_chunk) == 4096, "a chunk is a page of memory");

/* The last number of a chunk. */
#define GATE_LAST_CHUNK (2 * LIMIT_GATE_CHUNKS)

/* A log, in one word; 0: nothing has happened yet. */
#define GATE_LOG(first, n) ((uint64_t)(first) << 32 | (uint64_t)(n))

/* The worker has died, and its last send had sent so many bytes: settles the gate's replies. */
static inline void gate_chunk_settle(struct gate_chunk *c, uint32_t sent)
{
    for (unsigned way = 0; way < GATE_ENTRY_WAYS; way++) {
        if (c->replied[way] & 1) {
            c->replied[way] = ((c->replied[way] >> 1) + sent) << 1;
        }
    }
}

static inline uint32_t gate_log_first(uint64_t log)
{
    return (uint32_t)(log >> 32);
}

static inline uint32_t gate_log_entries(uint64_t log)
{
    return (uint32_t)log;
}

/* Returns the number of chunks with so many entries. */
static inline uint32_t gate_log_chunks(uint32_t entries)
{
    return entries / GATE_CHUNK_ENTRIES + (entries % GATE_CHUNK_ENTRIES > 0);
}

#endif
