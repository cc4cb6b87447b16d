/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor and a relay worker say to each other: fixed-size messages over a SEQPACKET pair.
 *
 * A table says for each message who may send it, how many fds come with it, and in which states of
 * its session it is legal. The monitor trusts a worker with nothing more: a worker has read its
 * peers' bytes, so one that breaks the table is ended.
 */
#ifndef POEMD_PROXY_IPC_IPC_H
#define POEMD_PROXY_IPC_IPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "handshake/recital.h"
#include "policy/rules/rules.h"
#include "proxy/ipc/session_state.h"
#include "proxy/ipc/session_settings.h"

enum ipc_type {
    /* monitor → worker */
    IPC_SESSION = 1, /* fds: client, backend. Begin the handshake. */
    IPC_REFUSE,      /* fd: client. Answer its VERSION request with an errno. No session is made. */
    IPC_VERDICT,     /* go on, or refuse with an errno */
    IPC_RECORDED,    /* its IPC_EXPORT has been dealt with: the next one may come */
    IPC_RING,  /* fds: a ring for what is captured (trace/capture/ring.h), and its bell; in place of
                  the one before */
    IPC_TAP,   /* how the session is captured from now on */
    IPC_GONE,  /* a party's process, which connected or listened, is no more */
    IPC_END,   /* end the session: an operator wants it */
    IPC_COUNT, /* say what has passed in every session that relays */
    IPC_PING,  /* answer by IPC_PONG, so that it is known that the worker makes its turns */
    IPC_QUIT,  /* end every session, report each, exit */
    /* worker → monitor */
    IPC_READY, /* has given up its rights, takes sessions */
    IPC_PONG,  /* the answer to one IPC_PING */
    IPC_HEARD, /* the client's VERSION request has begun: the id to which it wants its reply */
    IPC_TURNED_AWAY, /* the client of one IPC_REFUSE has been answered or is gone; its fd is closed
                      */
    IPC_EVIDENCE,    /* the handshake is done, but for the reply to the client: what was learnt */
    IPC_TAINT,       /* what the worker saw taints the session */
    IPC_EXPORT,      /* memory that the client has handed out; one at a time, see IPC_RECORDED */
    IPC_COUNTS,      /* the answer to IPC_COUNT, in as many messages as it takes */
    IPC_ENDED,       /* the session is over; its fds are closed */
    IPC_RECEIVED,    /* the fds that an ended session had left unread are received, or closed */
    IPC_TYPES,
};

/* What passed in one direction. */
struct ipc_count {
    uint64_t messages;
    uint64_t bytes;
    uint64_t fds;
};

/* Whether a worker logs what a session comes to. */
enum ipc_quiet {
    IPC_LOGGED,
    IPC_QUIET, /* not before it is let in: there are very many that are not */
    IPC_MUTED, /* not at all */
};

struct ipc_session {
    uint32_t handshake_ms; /* what is left of the time-out */
    uint32_t drain_ms;
    uint32_t stall_ms;
    uint32_t recite;        /* enum config_recite: to the client */
    uint32_t ask_backend;   /* enum reciter_wants */
    uint32_t recorded;      /* 1: an audit log is kept */
    uint32_t quiet;         /* enum ipc_quiet */
    struct recital_id self; /* the route's identity */
    struct tap_settings tap;
    struct dma_settings dma;
    struct sender_check_settings same;
    char route[LIMIT_NAME + 1];
};

struct ipc_refuse {
    uint64_t number; /* for IPC_TURNED_AWAY */
    uint32_t err;
    uint32_t handshake_ms;
    uint32_t heard; /* 1: a worker that is gone had read the request, whose id is: */
    uint32_t id;
};

struct ipc_heard_request {
    uint32_t id;
};

struct ipc_turned_away {
    uint64_t number;
};

struct ipc_verdict {
    uint32_t err;        /* 0: allowed */
    uint32_t unrecorded; /* 1: denied since the audit log cannot be written */
};

struct ipc_gone {
    uint32_t parties; /* 1 << enum rules_party: all whose process is gone */
};

/* What a party said of itself. Texts are printable ASCII, empty where it said nothing. */
struct ipc_heard {
    uint32_t recital; /* enum recital_outcome */
    char recited[RECITAL_LICENCE_MAX + 1];
    char declared[RECITAL_LICENCE_MAX + 1];
};

struct ipc_evidence {
    uint32_t request_size; /* whole VERSION messages, as they came */
    uint32_t reply_size;
    uint16_t major;
    uint16_t minor;
    uint32_t twin;                         /* 1: a twin socket was negotiated */
    struct ipc_heard heard[RULES_PARTIES]; /* by enum rules_party */
    struct recital_via via;                /* of a backend that is a broker */
};

/* What a worker may say: what only it can see. */
#define IPC_TAINT_MAY ((uint32_t)(TAINT_DMA | TAINT_HANDED_ON | TAINT_UNOBSERVED))

struct ipc_taint {
    uint32_t bits; /* of enum taint, of IPC_TAINT_MAY; at least one */
};

/* What became of memory that a client named in a DMA_MAP. */
enum ipc_how {
    IPC_PASSED,   /* the backend has its fd */
    IPC_WITHHELD, /* the backend was told of it, without its fd */
    IPC_WITHOUT,  /* it came without one */
    IPC_REFUSED,  /* the backend was not told */
    IPC_UNMAPPED, /* the client has taken it back */
    IPC_HOWS,
};

struct ipc_range {
    uint64_t address;
    uint64_t size;
    uint32_t flags; /* WIRE_DMA_KNOWN */
    uint32_t how;   /* enum ipc_how */
};

/* Their record in the audit log must fit a line: some 100 bytes each. */
#define IPC_EXPORT_RANGES 128u

struct ipc_export {
    uint32_t n; /* 1 … IPC_EXPORT_RANGES */
    uint32_t zero;
    struct ipc_range ranges[IPC_EXPORT_RANGES];
};

/* What has been delivered in sessions that relay. */
#define IPC_COUNTED 32u

struct ipc_counts {
    uint32_t n;               /* at most IPC_COUNTED */
    uint32_t last;            /* 1: all have been told */
    uint32_t longest_turn_us; /* turn_longest_us of the worker */
    uint32_t zero;
    struct ipc_counted {
        uint64_t session;
        struct ipc_count to_backend;
        struct ipc_count to_client;
    } counted[IPC_COUNTED];
};

/* Whose fault a session's end is. */
enum ipc_by { IPC_BY_NOBODY, IPC_BY_CLIENT, IPC_BY_BACKEND, IPC_BYS };

struct ipc_ended {
    uint32_t reason; /* enum session_reason */
    uint32_t err;    /* the errno that the client was told, or 0 */
    uint32_t by;     /* enum ipc_by */
    uint32_t unread; /* fds that its peers have not received; IPC_RECEIVED follows */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint64_t captured; /* messages that the session's tap has seen; 0: it has none */
};

struct ipc_msg {
    uint32_t type; /* enum ipc_type */
    uint32_t zero;
    uint64_t session; /* 0 where the message speaks of none */
    union {
        struct ipc_session begin;
        struct ipc_refuse refuse;
        struct ipc_heard_request heard;
        struct ipc_turned_away turned_away;
        struct ipc_verdict verdict;
        struct ipc_gone gone;
        struct tap_settings tap;
        struct ipc_evidence evidence;
        struct ipc_taint taint;
        struct ipc_export exports;
        struct ipc_counts counts;
        struct ipc_ended ended;
    } u;
};

/* The channel's messages are as large as evidence is, and no larger. */
_Static_assert(sizeof(struct ipc_export) <= sizeof(struct ipc_evidence), "too many ranges");
_Static_assert(sizeof(struct ipc_counts) <= sizeof(struct ipc_evidence), "too many counts");

/* At most this many fds come with a message. */
#define IPC_FDS_MAX 2

enum ipc_sender { IPC_FROM_MONITOR, IPC_FROM_WORKER };

/*
 * Whether a message of this type, with n_fds fds, may come from sender. state is that of the
 * session it names; for messages that speak of no session it is not looked at.
 */
bool ipc_legal(uint32_t type, enum ipc_sender sender, unsigned n_fds, enum session_state state);

/* Whether evidence is what a worker can have heard: enums and counts in range, texts printable. */
bool ipc_evidence_sound(const struct ipc_evidence *e);

/* Whether a worker may say this of a session. */
bool ipc_taint_sound(const struct ipc_taint *t);

/* Whether the ranges are such as a worker tells of: count, flags and enums in range. */
bool ipc_export_sound(const struct ipc_export *e);

/* Whether there are as many as a message has; what the numbers are worth is the worker's word. */
bool ipc_counts_sound(const struct ipc_counts *c);

/* "client", "backend"; "" for nobody or a number out of range. Static. */
const char *ipc_by_word(uint32_t by);

/* Whether the type names a session that the receiver must know. */
bool ipc_names_session(uint32_t type);

/*
 * Sends one message with its fds (borrowed; n_fds may be 0). 0, -EAGAIN (the channel is full),
 * -ENOBUFS (no memory, or too many fds in flight: to be tried again after a while, not when the
 * channel can be written, which it may be all the time), or another -errno: the other process is
 * gone.
 */
int ipc_send(int fd, const struct ipc_msg *m, const int *fds, unsigned n_fds)
    __attribute__((warn_unused_result));

struct fdset;

/*
 * Receives one message; fds are added to the set, which must be empty. 1, 0 at the end of the
 * stream, -EAGAIN, -ENOBUFS (no memory: the message stays where it is), -EMFILE (m has come, this
 * process had no room for its fds; those that it had room for are in the set), or -EPROTO: what
 * came is no message of ours.
 */
int ipc_recv(int fd, struct ipc_msg *m, struct fdset *fds) __attribute__((warn_unused_result));

#endif
