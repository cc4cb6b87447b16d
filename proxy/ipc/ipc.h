/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The protocol of the monitor and a relay worker: fixed-size messages over a SEQPACKET pair.
 *
 * A table defines for each message its sender, its number of fds, and the states of its session in
 * which it is legal. The monitor trusts a worker no further: a worker has read its peers' bytes, so
 * one that violates the table is killed.
 *
 * The channel outlives the monitor, whose end another process keeps (proxy/keeper). A worker relays
 * on while there is none, and what it sends waits in the channel. The next monitor sends IPC_ADOPT.
 * Messages that the last one received, and did not act on, are lost, so each of them is repeated
 * after that, or harmless:
 *
 *   sent by the monitor
 *   SESSION, RESUME    not among those of IPC_ADOPTED: refused, or resumed once more
 *   REFUSE             the worker answers the client, and does not report it any more
 *   VERDICT            the worker refuses what is still in its handshake at IPC_ADOPT
 *   RECORDED           the worker repeats its IPC_EXPORT
 *   INJECT             the client that asked for it has lost its connection to the monitor
 *   RING, TAP, GONE    the next monitor sends its own
 *   END, COUNT         the client that asked for it has lost its connection to the monitor
 *   PING, QUIT         the next monitor pings; a worker that quits is gone, like one that died
 *
 *   sent by the worker, before its first IPC_ADOPTED
 *   EXPORT, TAINT, TWIN, RESUMED    repeated
 *   HEARD, EVIDENCE                 the session is refused
 *   ENDED, HANDED_OVER              the session is not among those of IPC_ADOPTED; its page has its
 *                                   counts
 *   READY, PONG, COUNTS, RECEIVED, TURNED_AWAY, ADOPTED    without consequences
 */
#ifndef POEMD_PROXY_IPC_IPC_H
#define POEMD_PROXY_IPC_IPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"
#include "handshake/recital.h"
#include "policy/rules/rules.h"
#include "proxy/ipc/replace_step.h"
#include "proxy/ipc/session_state.h"
#include "proxy/ipc/session_settings.h"

/* Changes with every change of the messages, or of a field's meaning. */
#define IPC_VERSION 3u

enum ipc_type {
    /* monitor → worker */
    IPC_SESSION = 1, /* fds: client, backend. Begin the handshake. */
    IPC_RESUME,      /* fds: client, backend. Go on with a session of a worker that has died, from
                      * its page (session_page.h). */
    IPC_RESUME_TWIN, /* the same, with the fds of its twin sockets behind them */
    IPC_REFUSE,      /* fd: client. Answer its VERSION request with an errno, without a session. */
    IPC_VERDICT,     /* go on, or refuse with an errno */
    IPC_RECORDED,    /* its IPC_EXPORT is recorded: the next one may be sent */
    IPC_RING,        /* fds: a ring for captures (trace/capture/ring.h), and its bell; replaces the
                      * previous one */
    IPC_TAP,         /* how to capture the session from now on */
    IPC_INJECT,      /* the faults to inject into the session from now on; those of a session that
                      * its IPC_SESSION or IPC_RESUME brings come before that */
    IPC_GONE,        /* the process of a party, which connected or listened, has ended */
    IPC_END,         /* end the session for an operator */
    IPC_ATTACH,      /* fd: another process of its device. The session is held: exchange VERSION
                      * with it, and await the verdict. */
    IPC_DETACH,      /* the session's device counts as lost, for an operator */
    IPC_REPLACE, /* fd: another process of the device, which lives: exchange VERSION with it, await
                      * the verdict, and go on with it */
    IPC_COUNT,   /* report the counts of every relaying session */
    IPC_PING,    /* answer with IPC_PONG, which proves that the worker makes its turns */
    IPC_ADOPT,   /* from the next monitor, after the last one has gone: report what you have */
    IPC_HAND_OVER, /* let go of the session between two messages, for another worker */
    IPC_QUIT,      /* end every session, report each, exit */
    /* worker → monitor */
    IPC_READY,       /* has given up its rights, takes sessions */
    IPC_PONG,        /* the answer to one IPC_PING */
    IPC_HEARD,       /* the client's VERSION request has begun: the id for its reply */
    IPC_TURNED_AWAY, /* the client of an IPC_REFUSE is answered or gone; its fd is closed */
    IPC_EVIDENCE,    /* the handshake is done, except for the reply to the client: the evidence */
    IPC_TAINT,       /* the worker's observation taints the session */
    IPC_EXPORT,      /* memory that the client has handed out; one at a time, see IPC_RECORDED */
    IPC_TWIN,        /* fds: the twin sockets of client and backend, for another worker, should this
                      * one die */
    IPC_RESUMED,     /* the session of an IPC_RESUME goes on */
    IPC_LOST,        /* its device is gone, and the session is held */
    IPC_ATTACHED,    /* the process of an IPC_ATTACH has been set up: the session goes on with it */
    IPC_DETACHED,    /* … is not taken, and its fd is closed: the session stays held */
    IPC_REPLACED,    /* an IPC_REPLACE is over: the outcome. The fd of the process that the session
                      * does not have is closed */
    IPC_COUNTS,      /* an answer to IPC_COUNT, in as many messages as needed */
    IPC_ADOPTED,     /* an answer to IPC_ADOPT, likewise: all sessions of the worker */
    IPC_HANDED_OVER, /* the worker has closed its fds of the session, which goes on from its page */
    IPC_ENDED,       /* the session is over; its fds are closed */
    IPC_RECEIVED,    /* the fds that an ended session had left unread are received or closed */
    IPC_TYPES,
};

/* Counts of one direction. */
struct ipc_count {
    uint64_t messages;
    uint64_t bytes;
    uint64_t fds;
};

static inline void ipc_count_add(struct ipc_count *sum, const struct ipc_count *more)
{
    sum->messages += more->messages;
    sum->bytes += more->bytes;
    sum->fds += more->fds;
}

/* How much a worker logs of a session. */
enum ipc_quiet {
    IPC_LOGGED,
    IPC_QUIET, /* nothing before it is allowed: very many similar ones are not */
    IPC_MUTED, /* nothing at all */
};

struct ipc_session {
    uint32_t handshake_ms; /* the time left for the handshake */
    uint32_t drain_ms;
    uint32_t stall_ms;
    uint32_t answer_ms;     /* age at which a request is answered in the device's stead; 0: never */
    uint32_t busy_poll_us;  /* 0: the worker sleeps as soon as nothing is there */
    uint32_t recite;        /* enum config_recite, for the client */
    uint32_t ask_backend;   /* enum reciter_wants */
    uint32_t recorded;      /* 1: there is an audit log */
    uint32_t quiet;         /* enum ipc_quiet */
    uint32_t slot;          /* of its page (session_page.h), or SESSION_PAGE_NO_SLOT */
    uint32_t exporting;     /* 1: resumed, and an IPC_RECORDED will follow */
    uint32_t hold;          /* 1: if its device is lost, the session is held */
    uint32_t assist;        /* 1: an NVMe controller is shown as failed after a loss */
    uint32_t shares;        /* enum setup_shares: what its device may share with the client */
    uint32_t dry_run;       /* 1: IPC_REPLACE only finds out whether it could work */
    uint32_t tally;         /* number of the route's tally (tally.h), from 1 on; 0: none */
    uint64_t record;        /* of its verdict in the audit log, plus 1, or 0 */
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
    uint32_t heard; /* 1: a worker that is gone had read the request, with this id: */
    uint32_t id;
};

struct ipc_heard_request {
    uint32_t id;
};

struct ipc_turned_away {
    uint64_t number;
};

struct ipc_ping {
    uint32_t log_level; /* enum log_level: of the worker from now on */
    uint32_t orphan_ms; /* it ends its sessions if it hears from no monitor for so long */
};

struct ipc_adopt {
    uint32_t monitor; /* the pid of the monitor that sends this */
    uint32_t zero;
};

struct ipc_verdict {
    uint32_t err;        /* 0: allowed */
    uint32_t unrecorded; /* 1: denied because the audit log cannot be written */
    uint64_t record;     /* in the audit log, plus 1, or 0 */
};

/* Rules of trace/decode/injection.h; the worker parses them again. */
struct ipc_inject {
    uint32_t n;     /* at most LIMIT_INJECT_RULES; 0 ends them */
    uint32_t asked; /* 1: by an operator; 0: by the configuration */
    char rules[LIMIT_INJECT_RULES][LIMIT_INJECT_TEXT + 1];
};

struct ipc_gone {
    uint32_t parties; /* bits 1 << enum side: all parties with an ended process */
};

/* A party's claims about itself. Texts are printable ASCII, "" if it made none. */
struct ipc_heard {
    uint32_t recital; /* enum recital_outcome */
    char recited[RECITAL_LICENCE_MAX + 1];
    char declared[RECITAL_LICENCE_MAX + 1];
};

struct ipc_evidence {
    uint32_t request_size; /* of whole VERSION messages, as received */
    uint32_t reply_size;
    uint16_t major;
    uint16_t minor;
    uint32_t twin;                 /* 1: a twin socket was negotiated */
    struct ipc_heard heard[SIDES]; /* by enum side */
    struct recital_via via;        /* from a backend that is a broker */
};

/* The taints that a worker may report: those that only it can see. */
#define IPC_TAINT_MAY ((uint32_t)(TAINT_DMA | TAINT_HANDED_ON | TAINT_UNOBSERVED | TAINT_INJECTED))

struct ipc_taint {
    uint32_t bits; /* of enum taint, within IPC_TAINT_MAY; at least one */
    uint32_t by;   /* enum side: the party that caused it */
};

/* The outcome for memory that a client named in a DMA_MAP. */
enum ipc_how {
    IPC_PASSED,   /* the backend has its fd */
    IPC_WITHHELD, /* the backend got the map, without its fd */
    IPC_WITHOUT,  /* it came without one */
    IPC_REFUSED,  /* the backend did not get the map */
    IPC_UNMAPPED, /* the client has taken it back */
    IPC_HOWS,
};

struct ipc_range {
    uint64_t address;
    uint64_t size;
    uint32_t flags; /* WIRE_DMA_KNOWN */
    uint32_t how;   /* enum ipc_how */
};

/* Limited so that their record fits a line of the audit log: about 100 bytes each. */
#define IPC_EXPORT_RANGES 128u

struct ipc_export {
    uint32_t n;     /* 1 … IPC_EXPORT_RANGES */
    uint32_t again; /* 1: an earlier monitor was sent the first of them, and may have recorded it */
    struct ipc_range ranges[IPC_EXPORT_RANGES];
};

/* Counts of delivered messages in relaying sessions. */
#define IPC_COUNTED 32u

struct ipc_counts {
    uint32_t n;               /* at most IPC_COUNTED */
    uint32_t last;            /* 1: the last message of this answer */
    uint32_t longest_turn_us; /* turn_longest_us of the worker */
    uint32_t zero;
    struct ipc_counted {
        uint64_t session;
        struct ipc_count to_backend;
        struct ipc_count to_client;
        uint32_t overdue;      /* requests that were answered in the device's stead */
        uint16_t lack;         /* enum setup_lack: why it cannot be held */
        uint16_t replace_lack; /* enum setup_lack: why its device cannot be replaced */
    } counted[IPC_COUNTED];
};

/* The sessions of a worker. */
#define IPC_HELD 64u

struct ipc_adopted {
    uint32_t n;    /* at most IPC_HELD */
    uint32_t last; /* 1: the last message of this answer */
    struct ipc_held {
        uint64_t session;
        uint32_t state; /* enum session_state; SESSION_DEAD: its IPC_ENDED follows */
        uint32_t tally; /* as in its ipc_session */
    } held[IPC_HELD];
};

/* The party at fault for a session's end. */
enum ipc_by { IPC_BY_NOBODY, IPC_BY_CLIENT, IPC_BY_BACKEND, IPC_BYS };

/* What became of the message that a worker was sending when it died. */
enum ipc_doubt {
    IPC_DOUBT_NONE,     /* it was not sending one, or had noted that it was sent */
    IPC_DOUBT_RECEIVED, /* the receiver had it, and has not been sent it again */
    IPC_DOUBT_RESENT,   /* the receiver did not have it, and has been sent it now */
    IPC_DOUBTS,
};

struct ipc_resumed {
    uint32_t doubt; /* enum ipc_doubt */
    uint32_t zero;
    struct wire_hdr hdr; /* of the message in doubt, unless IPC_DOUBT_NONE */
};

/* A device is gone, and its session is held ("on backend loss hold"). */
struct ipc_lost {
    uint32_t reason;   /* enum session_reason: that for which the session would have ended */
    uint32_t requests; /* of the client's that were under way */
    int32_t memory;    /* the worker's fd of the memory that the client has mapped; -1: none */
};

/* Where another process of a device falls short of what its predecessor promised. */
enum ipc_differs {
    IPC_DIFFERS_NOT,     /* the exchange failed in another way: see reason */
    IPC_DIFFERS_VERSION, /* in a limit or capability of VERSION: had, has */
    IPC_DIFFERS_INFO,   /* in an answer about itself: command, index, and the number at that byte */
    IPC_DIFFERS_ERROR,  /* it refused a command with an errno: has */
    IPC_DIFFERS_STRAY,  /* it sent something else than the reply to a command */
    IPC_DIFFERS_MEMORY, /* its memory of a region is not its predecessor's: index */
    IPC_DIFFERS_SILENT, /* it did not take or answer everything in time */
    IPC_DIFFERS_MIGRATION, /* it cannot stop and pass its state on, or take one */
    IPC_DIFFERS_KINDS,
};

struct ipc_difference {
    uint32_t what;    /* enum ipc_differs */
    uint32_t command; /* enum wire_command */
    uint32_t index;
    uint32_t at;
    uint64_t had;
    uint64_t has;
    char name[32]; /* of a capability: printable, "" if that is not the matter */
};

struct ipc_attached {
    uint32_t maps;     /* that it was given … */
    uint32_t fds;      /* … and fds */
    uint32_t requests; /* of the client's that were sent again */
    uint32_t held_ms;  /* how long the session was held */
    uint32_t setup_ms; /* the part of it since the verdict */
    uint32_t failed;   /* requests that were answered with an error meanwhile */
};

struct ipc_detached {
    uint32_t reason; /* enum session_reason */
    uint32_t zero;
    struct ipc_difference difference;
};

/* How a replacement has ended. */
struct ipc_replaced {
    uint32_t outcome;  /* enum replace_outcome */
    uint32_t failed;   /* enum replace_step in which it failed */
    uint32_t reason;   /* enum session_reason, if the handshake failed; or REASON_NONE */
    uint32_t lack;     /* enum setup_lack: why it could not begin */
    uint32_t pause_us; /* time for which the client's requests were held */
    uint32_t maps;     /* that the new process was given … */
    uint32_t fds;      /* … and fds */
    uint32_t zero;
    uint64_t bytes; /* of state */
    uint32_t steps_us[REPLACE_STEPS];
    struct ipc_difference difference; /* if it failed */
};

struct ipc_ended {
    uint32_t reason; /* enum session_reason */
    uint32_t err;    /* the errno sent to the client, or 0 */
    uint32_t by;     /* enum ipc_by */
    uint32_t unread; /* fds that its peers have not received; IPC_RECEIVED follows */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint64_t overdue;  /* requests that were answered in the device's stead */
    uint64_t captured; /* messages seen by the session's tap; 0: no tap */
    uint64_t injected; /* faults on purpose */
};

struct ipc_msg {
    uint32_t type; /* enum ipc_type */
    uint32_t zero;
    uint64_t session; /* 0 if the message is not about a session */
    union {
        struct ipc_session begin;
        struct ipc_refuse refuse;
        struct ipc_heard_request heard;
        struct ipc_turned_away turned_away;
        struct ipc_ping ping;
        struct ipc_adopt adopt;
        struct ipc_verdict verdict;
        struct ipc_gone gone;
        struct ipc_inject inject;
        struct tap_settings tap;
        struct ipc_evidence evidence;
        struct ipc_taint taint;
        struct ipc_export exports;
        struct ipc_counts counts;
        struct ipc_adopted adopted;
        struct ipc_resumed resumed;
        struct ipc_lost lost;
        struct ipc_attached attached;
        struct ipc_detached detached;
        struct ipc_replaced replaced;
        struct ipc_ended ended;
    } u;
};

/* Evidence is the largest message of the channel. */
_Static_assert(sizeof(struct ipc_export) <= sizeof(struct ipc_evidence), "too many ranges");
_Static_assert(sizeof(struct ipc_counts) <= sizeof(struct ipc_evidence), "too many counts");
_Static_assert(sizeof(struct ipc_adopted) <= sizeof(struct ipc_evidence), "too many sessions");

_Static_assert(sizeof(struct ipc_inject) <= sizeof(struct ipc_evidence), "too many rules");

/* Maximum number of fds with a message. */
#define IPC_FDS_MAX 4

enum ipc_sender { IPC_FROM_MONITOR, IPC_FROM_WORKER };

/*
 * Returns true if sender may send a message of this type with n_fds fds. state is that of the named
 * session; it is ignored for messages that are not about a session.
 */
bool ipc_legal(uint32_t type, enum ipc_sender sender, unsigned n_fds, enum session_state state);

/* Returns true if evidence is plausible: enums and counts in range, texts printable. */
bool ipc_evidence_sound(const struct ipc_evidence *e);

/* Returns true if a worker may report this taint. */
bool ipc_taint_sound(const struct ipc_taint *t);

/* Returns true if the number of rules is valid, and each ends. */
bool ipc_inject_sound(const struct ipc_inject *i);

/* Returns true if the enum is in range. */
bool ipc_resumed_sound(const struct ipc_resumed *r);

/* Returns true if the reason and the difference are in range, and its name is printable. */
bool ipc_detached_sound(const struct ipc_detached *d);

/* Returns true if enums are in range, and the difference is sound. */
bool ipc_replaced_sound(const struct ipc_replaced *r);

/* Returns the word for logs and records ("none", "received", "resent"). Static. */
const char *ipc_doubt_word(uint32_t doubt);

/* Returns true if the ranges are plausible: count, flags and enums in range. */
bool ipc_export_sound(const struct ipc_export *e);

/* Returns true if the number of counts is valid; the counts themselves cannot be checked. */
bool ipc_counts_sound(const struct ipc_counts *c);

/* Returns true if the number of sessions is valid, and they are in states of a worker's. */
bool ipc_adopted_sound(const struct ipc_adopted *a);

/* Returns "client" or "backend"; "" for neither, or if out of range. Static. */
const char *ipc_by_word(uint32_t by);

/* Returns true if the type names a session that the receiver must know. */
bool ipc_names_session(uint32_t type);

/*
 * Sends one message with its fds (borrowed; n_fds may be 0). Returns 0, -EAGAIN (the channel is
 * full), -ENOBUFS (no memory, or too many fds in flight: try again after a while, not when the
 * channel is writable, which it may be all the time), or another -errno: the other process is gone.
 */
int ipc_send(int fd, const struct ipc_msg *m, const int *fds, unsigned n_fds)
    __attribute__((warn_unused_result));

struct fdset;

/*
 * Receives one message; adds its fds to the set, which must be empty. Returns 1, 0 at the end of
 * the stream, -EAGAIN, -ENOBUFS (no memory: the message stays in the channel), -EMFILE (m is valid,
 * but this process had no room for all fds; the set has those that fit), or -EPROTO: not one of our
 * messages.
 */
int ipc_recv(int fd, struct ipc_msg *m, struct fdset *fds) __attribute__((warn_unused_result));

#endif
