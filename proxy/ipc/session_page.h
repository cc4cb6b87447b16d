/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a relaying session needs to go on in another worker after its own has died, in memory that
 * outlives the worker.
 *
 * Each worker process has one file in memory, which the monitor made and keeps open: a head, then a
 * page for each session, found by its slot, then places for bytes that are held (held.h), then
 * chunks of what gates know (gate_entry.h). The worker maps it before it reads anything that a peer
 * sends, and closes its fd: whatever takes it over can alter the pages of its sessions, but cannot
 * give them away. When the worker has died, the monitor reads the pages and copies each into the
 * file of the worker in which the session goes on. So nothing is shared with a process that is not
 * trusted any more, and a page does not change while it is checked.
 *
 * A page is complete if its version is set, which is stored last. From then on single fields
 * change, in an order that a reader can trust (relay_mark.h). A reader checks a page as it would a
 * peer's bytes. A session without a sound page ends with its worker.
 */
#ifndef POEMD_PROXY_IPC_SESSION_PAGE_H
#define POEMD_PROXY_IPC_SESSION_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sock.h"
#include "base/side.h"
#include "proxy/ipc/gate_entry.h"
#include "proxy/ipc/held.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/overdue.h"
#include "proxy/ipc/relay_mark.h"
#include "proxy/ipc/tally.h"

/* Changes with every change of the layout, or of a field's meaning. */
#define SESSION_PAGE_VERSION 6u

/*
 * In place of the version while the client's reply to VERSION is being sent: nothing of it has been
 * sent; or a part of it.
 */
#define SESSION_PAGE_ANSWERING (SESSION_PAGE_VERSION | 1u << 30)
#define SESSION_PAGE_ANSWERED_PARTLY (SESSION_PAGE_VERSION | 1u << 31)

/*
 * A page's room in the file, in bytes. About half a page of memory: with thousands of idle sessions
 * a worker's memory is their pages and its own part of each.
 */
#define SESSION_PAGE_SIZE 2064u

/* The file's beginning, before the first slot. */
#define SESSION_PAGE_HEAD 4096u

/* The slot of a session that has none, and cannot be resumed. */
#define SESSION_PAGE_NO_SLOT UINT32_MAX

/* The directions of a session. */
enum session_page_way {
    SESSION_PAGE_TO_BACKEND,
    SESSION_PAGE_TO_CLIENT,
    SESSION_PAGE_TWIN_TO_BACKEND,
    SESSION_PAGE_TWIN_TO_CLIENT,
    SESSION_PAGE_WAYS,
    SESSION_PAGE_RESUMING = SESSION_PAGE_WAYS, /* in a hand: before any of them */
};

/*
 * The hand is the session that a worker is handling: SESSION_PAGE_HAND, or 0. Stored before a
 * direction's turn and after it, so that the monitor knows whose message the worker was handling
 * when it died.
 */
struct session_page_head {
    uint64_t hand;
    uint32_t slots;    /* of the file */
    uint32_t tallies;  /* … (tally.h), behind all else; 0: no metrics are configured */
    uint32_t alive_ms; /* clock_coarse_ms of the worker's last beat; 0: none */
    uint32_t zero;
    struct sock_post post; /* of its last send: the kernel's note */
};

#define SESSION_PAGE_HAND_BITS 3
#define SESSION_PAGE_HAND(session, way) \
    ((uint64_t)(session) << SESSION_PAGE_HAND_BITS | ((uint64_t)(way) + 1))

/* Requests for large replies (proxy/relay/asked.h): replies[0 … n-1], the oldest first. */
struct asked_reply {
    uint32_t size; /* with its header */
    uint16_t id;
    uint16_t command;
};

struct asked_kept {
    uint32_t n;
    struct asked_reply replies[LIMIT_ASKED];
};

/* A side's declared limits for one message. */
struct session_page_limits {
    uint32_t max_fds;
    uint32_t max_data;
    uint32_t max_bitmap;
};

/* A sender check's state (proxy/relay/sender_check.h). */
struct session_page_sender {
    uint32_t looks;
    uint8_t told; /* bool */
    uint8_t late; /* bool */
    uint16_t zero;
};

/* The state of a session's injections (proxy/relay/injector.h). */
struct session_page_injections {
    uint8_t n;     /* rules in force */
    uint8_t asked; /* 1: an operator has put them in force */
    uint8_t held;  /* bits 1 << enum session_page_way: the worker alone has what goes on in the
                    * place of a message */
    uint8_t zero;
    uint16_t times[LIMIT_INJECT_RULES]; /* by rule: how often it was carried out; or UINT16_MAX */
};

struct session_page {
    uint32_t version; /* SESSION_PAGE_VERSION; 0: the session does not relay yet */
    uint32_t twin;    /* 1: it has twin sockets */
    uint64_t session; /* its number */
    struct session_page_limits limits[SIDES];
    uint32_t max_dma_maps;        /* as negotiated */
    uint32_t outside;             /* 1: its worker holds what is not kept here */
    uint32_t taint[SIDES];        /* IPC_TAINT_MAY that each party has caused */
    uint32_t taint_unsent[SIDES]; /* the part that the monitor may not have been sent */
    uint32_t handed_on;           /* bits 1 << enum side: another process uses its socket */
    uint32_t answer;              /* bytes of the reply to VERSION that are left, twice; plus 1:
                                   * they are being sent */
    struct session_page_sender senders[SIDES];
    uint64_t captured; /* messages seen by its tap */
    struct relay_mark marks[SESSION_PAGE_WAYS];
    struct asked_kept asked[SESSION_PAGE_WAYS]; /* by the requests' direction */
    struct overdue overdue;                     /* of the client's requests on the main sockets */
    uint64_t gate_log;                          /* of its gate: GATE_LOG (gate_entry.h) */
    struct tally_subject counted;               /* for metrics only */
    struct session_page_injections injections;
};

_Static_assert((unsigned)SESSION_PAGE_WAYS == GATE_ENTRY_WAYS, "both count a session's directions");
_Static_assert(sizeof(struct session_page) <= SESSION_PAGE_SIZE, "a page does not fit its slot");
_Static_assert(sizeof(struct session_page_head) <= SESSION_PAGE_HEAD, "the head is too large");

/* Returns where the places begin in a file with so many slots: at a page of memory. Pure. */
static inline uint64_t session_page_places_at(uint32_t slots)
{
    const uint64_t pages = (uint64_t)slots * SESSION_PAGE_SIZE;

    return SESSION_PAGE_HEAD + (pages + HELD_HEAD - 1) / HELD_HEAD * HELD_HEAD;
}

/* Returns where a place begins, by its number from 1 on. Pure. */
static inline uint64_t session_page_place_at(uint32_t slots, uint32_t place)
{
    return session_page_places_at(slots) + (uint64_t)(place - 1) * HELD_PLACE;
}

/* The last place: LIMIT_HELD are for the worker's queues, and as many for dead workers'. */
#define SESSION_PAGE_LAST_PLACE (2 * LIMIT_HELD)

/* Returns where a chunk begins, by its number from 1 on. Pure. */
static inline uint64_t session_page_chunk_at(uint32_t slots, uint32_t chunk)
{
    return session_page_place_at(slots, SESSION_PAGE_LAST_PLACE + 1) +
           (uint64_t)(chunk - 1) * sizeof(struct gate_chunk);
}

/* Returns the size of a file with so many slots, and no tallies. Pure. */
static inline uint64_t session_page_file_size(uint32_t slots)
{
    return session_page_chunk_at(slots, GATE_LAST_CHUNK + 1);
}

/* Returns where the tallies begin: at a page of memory. Pure. */
static inline uint64_t session_page_tallies_at(uint32_t slots)
{
    return (session_page_file_size(slots) + HELD_HEAD - 1) / HELD_HEAD * HELD_HEAD;
}

/* Returns the size of a file with so many slots and tallies. Pure. */
static inline uint64_t session_page_size_with(uint32_t slots, uint32_t tallies)
{
    return tallies == 0 ? session_page_file_size(slots)
                        : session_page_tallies_at(slots) + tallies * sizeof(struct tally);
}

/*
 * Returns true if the page is this session's, complete, and plausible: enums and numbers in range,
 * counts consistent. Pure.
 */
bool session_page_sound(const struct session_page *p, uint64_t session);

/* The page is complete, and a reply to VERSION of so many bytes is about to be sent. */
void session_page_answer(struct session_page *p, size_t bytes);

/* The rest of it is being sent, by a call that the kernel notes; then so many bytes were. */
void session_page_answering(struct session_page *p);
void session_page_answered(struct session_page *p, size_t bytes);

/* Returns true if a settled page shows that nothing of the reply to VERSION was sent. Pure. */
static inline bool session_page_owes_answer(const struct session_page *p)
{
    return p->version == 0 || p->version == SESSION_PAGE_ANSWERING;
}

/*
 * The worker has died, and its last send had sent so many bytes: settles the message that was under
 * way (relay_mark_settle), or the reply to VERSION.
 */
void session_page_settle(struct session_page *p, uint32_t sent);

/* Sums up the counts of delivered messages. The page must be sound. Pure. */
void session_page_counts(const struct session_page *p, struct ipc_count *to_backend,
                         struct ipc_count *to_client);

/* Returns how often its rules for faults have been carried out, at least. Pure. */
uint64_t session_page_injected(const struct session_page *p);

/* Returns the side that sends the messages of a direction. */
static inline enum side session_page_from(enum session_page_way way)
{
    return way == SESSION_PAGE_TO_BACKEND || way == SESSION_PAGE_TWIN_TO_BACKEND ? SIDE_CLIENT
                                                                                 : SIDE_BACKEND;
}

/* Returns the session in a hand, or 0, and its direction in *way. Pure. */
uint64_t session_page_in_hand(uint64_t hand, enum session_page_way *way);

#endif
