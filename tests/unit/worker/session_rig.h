/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's sessions without the worker: the test is the monitor, and plays every peer.
 */
#ifndef POEMD_TESTS_UNIT_WORKER_SESSION_RIG_H
#define POEMD_TESTS_UNIT_WORKER_SESSION_RIG_H

#include "proxy/worker/session.h"

#define RIG_SENT 256

/* A session's peers, as the test has them. */
struct rig_peers {
    uint64_t id;
    int client;
    int backend;
    int client_twin; /* -1: none */
    int backend_twin;
};

struct session_rig {
    struct session_host host; /* first: its send finds the rig by it */
    struct ipc_msg sent[RIG_SENT];
    unsigned n_sent;
    unsigned room;             /* messages that the channel still takes */
    int heard;                 /* id of the last request told of, not among those sent; -1: none */
    unsigned turned_away;      /* refusals told of, not among those sent */
    uint32_t taint;            /* told of; not among those sent */
    unsigned twins;            /* twin sockets sent, not among those sent */
    struct dma_settings dma;   /* of sessions that begin from now on, and whether … */
    bool recorded;             /* … an audit log is kept */
    struct rig_peers *watched; /* whose sockets must be closed when their end is reported */
};

void rig_init(struct session_rig *r);
void rig_deinit(struct session_rig *r);

/* Lets happen what can happen without waiting. */
void rig_settle(struct session_rig *r);

/* Waits until n messages in all have been sent to the monitor. */
void rig_await_sent(struct session_rig *r, unsigned n);

/* Waits until the fd can be read. */
void rig_await_readable(struct session_rig *r, int fd);

/* Begins a session. Time-outs in ms; 0: long enough never to strike. */
void rig_session(struct session_rig *r, struct rig_peers *p, uint64_t id, unsigned handshake_ms,
                 unsigned drain_ms);

/* Leads a session up to the state: RECITING (VERSION is with the backend), DECIDING, RELAYING. */
void rig_lead(struct session_rig *r, struct rig_peers *p, enum session_state state);

/* The same for one that has a twin socket, to RELAYING. */
void rig_lead_with_twin(struct session_rig *r, struct rig_peers *p);

void rig_close_peers(struct rig_peers *p);

/* The session's state, SESSION_STATES where there is none of this number. */
enum session_state rig_state(const struct session_rig *r, uint64_t id);

/*
 * The session's end has been reported as the only news since the last were taken, for this reason
 * and with this errno. Returns what was said.
 */
const struct ipc_ended *rig_expect_end(struct session_rig *r, uint64_t id,
                                       enum session_reason reason, int err);

/* Both of a session's sockets have been closed from the other side. */
void rig_expect_closed(const struct rig_peers *p);

#endif
