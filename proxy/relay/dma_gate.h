/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The gate between a device and its client's memory: applies a route's "dma" statements to
 * messages.
 *
 *   DMA_MAP               goes on; without its fd, and the flags that refer to it, if that is
 *                         withheld. One above the limit of live maps is refused: ENOSPC
 *   DMA_READ, DMA_WRITE   from a backend go on if they lie in live maps that permit them;
 *                         otherwise they are refused (EFAULT), and the session is tainted
 *   all others            go on. If memory is withheld, none of the client's fds goes on with any
 *                         of them, whatever its command and type, unless all are eventfds
 *
 * A map is live from its request until the backend has refused it, or has agreed to its unmapping.
 * QEMU sends an unmapping and the next map of the same memory without waiting, so the agreement
 * applies to maps requested before the unmapping. Exports are always added to the session's report.
 *
 * A refused message is answered with an error reply, unless it wants no reply. The sender of a
 * request may use an id again while it is unanswered, and matches replies in their order: so a
 * refusal waits for the replies to all requests with its id that went on before it.
 *
 * Judges bytes and makes replies; no socket. The relay asks here before it moves a message,
 * respects dma_gate_blocked, and sends the replies between two messages.
 */
#ifndef POEMD_PROXY_RELAY_DMA_GATE_H
#define POEMD_PROXY_RELAY_DMA_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/relay/dma_requests.h"
#include "proxy/ipc/relay_mark.h"
#include "proxy/ipc/report.h"

/* The part of a message that is judged: a header and the longest body that matters. */
#define DMA_GATE_HEAD (WIRE_HDR_SIZE + sizeof(struct wire_dma_map))

/*
 * Replies that can wait to be sent to one side, in all, and the number from which on nothing more
 * is read from that side: one turn of a relay direction sees at most LIMIT_PEEK bytes of whole
 * messages.
 */
#define DMA_REPLIES 512u
#define DMA_REPLIES_FULL (DMA_REPLIES - LIMIT_PEEK / WIRE_HDR_SIZE)

/* The kinds of a gate's reports. */
enum dma_what {
    DMA_ACCESS_DENIED,  /* an access was refused */
    DMA_FDS_WITHHELD,   /* a client's fds with a message other than DMA_MAP were withheld */
    DMA_MEMORY_MISSING, /* the backend failed a request after a map's fd had been withheld */
};

struct dma_denial {
    enum dma_what what;
    uint32_t error; /* the reply's, for DMA_MEMORY_MISSING */
    uint16_t command;
    bool malformed; /* too short to contain its address and count */
    uint64_t address;
    uint64_t count;
    bool some;               /* there is memory that it may access in this way */
    struct dma_span allowed; /* … and this is the nearest */
};

/* d: for the log; NULL: the report has something to send. */
typedef void dma_gate_fn(void *arg, const struct dma_denial *d);

struct gate_keep;

/* Of a session. */
struct dma_gate {
    const struct dma_settings *set; /* borrowed */
    bool checks;                    /* session_settings_check_dma(set) */
    bool withholds;                 /* session_settings_withhold_dma(set) */
    bool hinted;                    /* DMA_MEMORY_MISSING has been reported */
    bool stripped;                  /* a map's fd has been withheld */
    bool watches;           /* every message must be judged; otherwise only those with fds */
    int fdinfo_fd;          /* of base/fdinfo.h, borrowed; -1: no fd is recognized as an eventfd */
    size_t max_maps;        /* live */
    struct report *report;  /* borrowed */
    struct gate_keep *keep; /* borrowed: has what outlives the worker; NULL: nothing does */
    struct dma_maps maps;   /* live ones, if it checks */
    uint64_t last_map;      /* the number of the latest */
    dma_gate_fn *fn;
    void *arg;
};

/* The requests of one side, and the replies to it. */
struct dma_way {
    struct dma_requests requests; /* unanswered */
    uint8_t *replies; /* owned; [reply_start … reply_end-1] are to be sent to this side */
    size_t reply_start;
    size_t reply_end;
    bool closed; /* nothing can be sent to this side any more */
};

struct dma_gate_side {
    struct dma_gate *gate; /* borrowed, or NULL */
    bool answers;          /* the broker may send replies: it watches, or has refused */
    struct dma_way client;
    struct dma_way backend;
};

/*
 * max_maps is the negotiated limit. set, report and arg are borrowed for the gate's life; fn is
 * called from within dma_gate_judge and dma_gate_fds.
 */
void dma_gate_init(struct dma_gate *g, const struct dma_settings *set, uint32_t max_maps,
                   struct report *report, dma_gate_fn *fn, void *arg);
void dma_gate_deinit(struct dma_gate *g);

void dma_gate_side_init(struct dma_gate_side *l, struct dma_gate *g);
void dma_gate_side_deinit(struct dma_gate_side *l);

enum dma_verdict {
    DMA_PASS,
    DMA_STRIP, /* without its fds */
    DMA_DROP,  /* not at all */
    DMA_NO_MEMORY,
};

_Static_assert(DMA_DROP + 1 == RELAY_MARK_VERDICTS, "verdicts that a mark can keep");

/*
 * Returns true if a message with this header must be judged at all. If nothing is checked, the
 * command alone excludes most.
 */
static inline bool dma_gate_cares(const struct dma_gate *g, const struct wire_hdr *hdr,
                                  unsigned n_fds)
{
    return g->checks || n_fds > 0 || hdr->command == WIRE_DMA_MAP || hdr->command == WIRE_DMA_UNMAP;
}

/*
 * Returns true if more than the header of such a message is judged: only then must a large one wait
 * for DMA_GATE_HEAD bytes.
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

/* The gate's view of a message's fds. */
struct dma_fds {
    unsigned n;
    bool eventfds; /* all are; only set if the client sends them and gate->withholds */
};

/*
 * Judges a message that is about to go on, by its header, its fds and the first n bytes of its
 * payload: all of them, at least DMA_GATE_HEAD with the header, or none if dma_gate_reads is false.
 * Call once for each message for which dma_gate_cares is true, if gate->watches.
 */
enum dma_verdict dma_gate_judge(struct dma_gate_side *l, bool from_client,
                                const struct wire_hdr *hdr, const uint8_t *p, size_t n,
                                struct dma_fds fds) __attribute__((warn_unused_result));

/*
 * Answers an invalid header from that side with EINVAL, unless it wants no reply, as soon as
 * earlier requests with its id are answered. Returns false if out of memory.
 */
bool dma_gate_invalid(struct dma_gate_side *l, bool from_client, const struct wire_hdr *hdr)
    __attribute__((warn_unused_result));

/*
 * Queues an error reply of the broker's to a request of the client's, or the backend's, that has
 * gone on: it leaves between two messages. Returns false if out of memory or room.
 */
bool dma_gate_answer(struct dma_gate_side *l, bool from_client, uint16_t id, uint16_t command,
                     int err) __attribute__((warn_unused_result));

/* Returns true if the gate checks no maps, and nothing waits in it or for this side of it. */
bool dma_gate_is_empty(const struct dma_gate_side *l);

/* Fds go on with bytes that are not judged: without gate->watches, or later in a large message. */
void dma_gate_fds(struct dma_gate_side *l, bool from_client);

/* Returns true if nothing more may be read from that side for now. */
bool dma_gate_blocked(const struct dma_gate_side *l, bool from_client);

/*
 * Returns the number of bytes of replies to send to the client, or the backend, with their address
 * in *out: whole headers, except for the part of the first that has been sent.
 */
size_t dma_gate_replies(const struct dma_gate_side *l, bool to_client, const uint8_t **out);

/* n of those bytes have been sent. */
void dma_gate_replied(struct dma_gate_side *l, bool to_client, size_t n);

/* Nothing can be sent to that side any more: drops the replies to it. */
void dma_gate_close(struct dma_gate_side *l, bool to_client);

/* The backend is gone: drops its requests and the replies to it. Another takes its place. */
void dma_gate_replace_backend(struct dma_gate_side *l);

#endif
