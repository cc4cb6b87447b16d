/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The states of a session, their possible successors, and the reasons for a session's end.
 *
 *   state    | by      | activity                                       | leaves by
 *   ---------+---------+------------------------------------------------+--------------------------
 *   ACCEPTED | monitor | waits for the client's first byte, unread      | the byte; timeout; close
 *   DIALING  | monitor | connects to the backend, repeatedly if allowed | connected; absent
 *   RECITING | worker  | VERSION to the backend and its reply back      | both complete and valid
 *   DECIDING | monitor | has the evidence, finds and records a verdict  | verdict
 *   RELAYING | worker  | relays everything                              | a side has closed; fault
 *   DRAINING | worker  | relays the rest                                | both closed; timeout
 *   DEAD     | both    | waits to be reaped                             | -
 *
 * Pure: a table and its look-ups. The monitor's record of a session
 * (proxy/monitor/monitor_session.h) and the worker's (proxy/worker/session.h) each have one
 * function that writes their state, and both ask here, in every build: a forbidden step is not
 * taken, and costs the session, not the process.
 */
#ifndef POEMD_PROXY_IPC_SESSION_STATE_H
#define POEMD_PROXY_IPC_SESSION_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum session_state {
    SESSION_ACCEPTED,
    SESSION_DIALING,
    SESSION_RECITING,
    SESSION_DECIDING,
    SESSION_RELAYING,
    SESSION_DRAINING,
    SESSION_DEAD,
    SESSION_STATES, /* the number of reasons */
};

/* The reason for a session's end. The words are stable: logs, audit and tests depend on them. */
enum session_reason {
    REASON_NONE,
    REASON_CLIENT_CLOSED,
    REASON_BACKEND_CLOSED,
    REASON_CLIENT_GONE,  /* before its VERSION request was complete */
    REASON_BACKEND_GONE, /* before its VERSION reply was complete */
    REASON_BACKEND_ABSENT,
    REASON_BACKEND_REFUSED, /* it answered VERSION with an error */
    REASON_VERSION_MALFORMED,
    REASON_HANDSHAKE_TIMEOUT,
    REASON_DENIED,
    REASON_UNRECORDED, /* the audit log cannot be written, and "on-audit-failure" refuses */
    REASON_RECITAL,    /* recital data was malformed, went in a circle, or had no room */
    REASON_REFUSED,    /* by us, before a backend was dialled: in use, or too many */
    REASON_BAD_FRAME,
    REASON_TOO_MANY_FDS,
    REASON_FDS_CUT_OFF,
    REASON_FDS_UNREAD, /* too many were sent to a receiver that does not read */
    REASON_OWN_SOCKET, /* a message's fds included a socket of the broker's sessions */
    REASON_HANDED_ON,  /* "same-process": another process used the socket */
    REASON_TRUNCATED_MESSAGE,
    REASON_DRAIN_TIMEOUT,
    REASON_STALLED,     /* a receiver took nothing, or a sender stopped midway, for stall-timeout */
    REASON_CLIENT_DIED, /* its process is gone, and its socket is not used by another */
    REASON_BACKEND_DIED,
    REASON_BACKEND_SILENT, /* it left several requests in a row without a reply */
    REASON_BACKEND_LOST,   /* no other process of it came while the session was held */
    REASON_IO_ERROR,
    REASON_NO_RESOURCES,
    REASON_WORKER_DIED,
    REASON_WORKER_HUNG,  /* it stopped answering the monitor, and was killed */
    REASON_MONITOR_GONE, /* in its handshake when the monitor died; or none came back in time */
    REASON_UPGRADE,      /* it cannot go on in a worker of the new program */
    REASON_POISONED,     /* two workers died of the same message */
    REASON_SHUTDOWN,
    REASON_OPERATOR,   /* poemctl sessions end */
    REASON_EXECUTABLE, /* "look again": a party executes another file than the judged one */
    REASON_RELOAD,     /* poemctl reload --end-denied: the new rules deny it */
    REASON_INJECTED,   /* "inject": closed on purpose */
    REASON_INTERNAL,   /* a fault of our own: a step that the table of states forbids */
    REASON_COUNT,      /* the number of reasons */
};

/* Returns the lower-case name for logs ("relaying"). Static; "?" for a number out of range. */
const char *session_state_name(enum session_state s);

/* Returns true if a session may go from one state to the other. */
bool session_state_follows(enum session_state from, enum session_state to);

/* Returns the reason's word for logs ("client-closed"). Static; "?" if out of range. */
const char *session_reason_word(enum session_reason r);

#endif
