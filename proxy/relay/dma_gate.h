/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The gate between a device and its client's memory: what a route's "dma" words make of messages.
 *
 *   DMA_MAP               goes on; without its fd, and the flags that speak of it, where that is
 *                         withheld. One more than may be alive does not go on: ENOSPC
 *   DMA_READ, DMA_WRITE   of a backend go on where they lie in maps that are alive and permit them,
 *                         else they do not: EFAULT, and the session is tainted
 *   all others            go on. Where memory is withheld, no fd of the client's goes on with any
 *                         of them, whatever its command and type, unless all of them are eventfds
 *
 * A map is alive from the moment it is asked for until the backend has refused it, or has agreed to
 * its unmapping. QEMU sends an unmapping and the next map of the same memory without waiting, so
 * the agreement holds for maps that were asked for before the unmapping. What is exported is put
 * into the session's report, whatever the route says.
 *
 * What does not go on is answered with an error reply, unless it wants none. The sender of a
 * request may use an id again while it is unanswered, and matches replies in their order: so a
 * refusal waits for the replies to all requests with its id that went on before it.
 *
 * Judges bytes and makes replies; no socket. Whoever moves messages asks here before, keeps to
 * dma_gate_blocked, and sends the replies between two messages.
 */
#ifndef POEMD_PROXY_RELAY_DMA_GATE_H
#define POEMD_PROXY_RELAY_DMA_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "proxy/relay/dma_requests.h"
#include "proxy/ipc/report.h"

/* So much of a message's beginning is judged: a header and the longest body that matters. */
#define DMA_GATE_HEAD (WIRE_HDR_SIZE + sizeof(struct wire_dma_map))

/*
 * Replies that can wait to be sent to one side of a lane, in all, and from which number on nothing
 * more is read from that side: one turn of a pipe sees at most LIMIT_PEEK bytes of whole messages.
 */
#define DMA_REPLIES 512u
#define DMA_REPLIES_FULL (DMA_REPLIES - LIMIT_PEEK / WIRE_HDR_SIZE)

/* What a gate reports of. */
enum dma_what {
    DMA_ACCESS_DENIED,  /* an access did not go on */
    DMA_FDS_WITHHELD,   /* fds of the client's with another message than DMA_MAP did not go on */
    DMA_MEMORY_MISSING, /* the backend failed a request after a map's fd had been withheld */
};

struct dma_denial {
    enum dma_what what;
    uint32_t error; /* of DMA_MEMORY_MISSING: the reply's */
    uint16_t command;
    bool malformed; /* it does not say what it wants */
    uint64_t address;
    uint64_t count;
    bool some;               /* there is memory that it may reach in this way */
    struct dma_span allowed; /* … near it */
};

/* d: what is to be logged; NULL: the report has something to send. */
typedef void dma_gate_fn(void *arg, const struct dma_denial *d);

/* Of a session. */
struct dma_gate {
    struct dma_settings set;
    bool checks;           /* dma_checks(&set) */
    bool withholds;        /* dma_withholds(&set) */
    bool hinted;           /* DMA_MEMORY_MISSING has been reported */
    bool stripped;         /* a map's fd has been withheld */
    bool watches;          /* every message is to be judged; else those with fds alone */
    int fdinfo_fd;         /* of base/fdinfo.h, borrowed; -1: no fd is known to be an eventfd */
    size_t max_maps;       /* alive */
    struct report *report; /* borrowed */
    struct dma_maps maps;  /* alive, where it checks */
    uint64_t last_map;     /* the number of the last one */
    dma_gate_fn *fn;
    void *arg;
};

/* What one side of a lane has asked for. */
struct dma_way {
    struct dma_requests requests; /* unanswered */
    uint8_t *replies; /* owned; [reply_start … reply_end-1] are to be sent to this side */
    size_t reply_start;
    size_t reply_end;
    bool closed; /* nothing can be sent to this side any more */
};

struct dma_gate_side {
    struct dma_gate *gate; /* borrowed; NULL: none */
    bool answers;          /* there may be replies of the broker's: it watches, or has refused */
    struct dma_way client;
    struct dma_way backend;
};

/*
 * max_maps: as negotiated. The report and arg are borrowed for the gate's life; fn is called from
 * within dma_gate_judge and dma_gate_fds.
 */
void dma_gate_init(struct dma_gate *g, const struct dma_settings *set, uint32_t max_maps,
                   struct report *report, dma_gate_fn *fn, void *arg);
void dma_gate_deinit(struct dma_gate *g);

void dma_lane_init(struct dma_gate_side *l, struct dma_gate *g);
void dma_lane_deinit(struct dma_gate_side *l);

enum dma_verdict {
    DMA_PASS,
    DMA_STRIP, /* without its fds */
    DMA_DROP,  /* not at all */
    DMA_NO_MEMORY,
};

/*
 * Whether a message with this header is to be judged at all: of most, where nothing is checked, the
 * command alone tells that they are not.
 */
static inline bool dma_gate_cares(const struct dma_gate *g, const struct wire_hdr *hdr,
                                  unsigned n_fds)
{
    return g->checks || n_fds > 0 || hdr->command == WIRE_DMA_MAP || hdr->command == WIRE_DMA_UNMAP;
}

/*
 * Whether a message with this header is judged by more than its header: only then must a large one
 * wait for DMA_GATE_HEAD bytes.
 */
static inline bool dma_gate_reads(const struct dma_gate *g, bool from_client,
                                  const struct wire_hdr *hdr)
{
    if (wire_is_reply(hdr)) {
        return false;
    }
    return from_client
               ? hdr->command == WIRE_DMA_MAP || hdr->command == WIRE_DMA_UNMAP
               : g->checks && (hdr->command == WIRE_DMA_READ || hdr->command == WIRE_DMA_WRITE);
}

/* The fds of a message, as the gate needs to know them. */
struct dma_fds {
    unsigned n;
    bool eventfds; /* all are; told where the client sends them and gate->withholds */
};

/*
 * Judges a message that is about to go on: its first n bytes, which are all of them or at least
 * DMA_GATE_HEAD, or its header where dma_gate_reads is false; and its fds. To be asked once for
 * each that dma_gate_cares for, where gate->watches.
 */
enum dma_verdict dma_gate_judge(struct dma_gate_side *l, bool from_client, const uint8_t *p,
                                size_t n, struct dma_fds fds) __attribute__((warn_unused_result));

/*
 * A header of that side's that is no message is answered with EINVAL, unless it wants no reply,
 * as soon as the requests before it that have its id are answered. False: no memory.
 */
bool dma_gate_invalid(struct dma_gate_side *l, bool from_client, const struct wire_hdr *hdr)
    __attribute__((warn_unused_result));

/* Fds go on with bytes that are not judged: without gate->watches, or later in a large message. */
void dma_gate_fds(struct dma_gate_side *l, bool from_client);

/* Whether nothing more may be read from that side for now. */
bool dma_gate_blocked(const struct dma_gate_side *l, bool from_client);

/* The bytes of replies that are to be sent to the client, or the backend: whole headers but for
 * what has been sent of the first. 0: none. */
size_t dma_gate_replies(const struct dma_gate_side *l, bool to_client, const uint8_t **out);

/* n of those bytes have been sent. */
void dma_gate_replied(struct dma_gate_side *l, bool to_client, size_t n);

/* Nothing can be sent to that side any more: replies to it are forgotten. */
void dma_gate_close(struct dma_gate_side *l, bool to_client);

#endif
