/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session as the monitor knows it: from the accepted connection until its end has been recorded.
 *
 * Until it is handed to a worker the ticket owns the sockets; it never reads from them. One
 * function writes its state, one ends it; the dead are reaped when the loop's turn is over.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_H

#include <event2/event_struct.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/tree.h"
#include "proxy/ipc/ipc.h"
#include "proxy/monitor/audit_writer.h"
#include "proxy/ipc/session_state.h"

struct monitor;
struct route;
struct worker_process;
struct peer_facts;
struct relook;
struct spawned;
struct repeats_peer;
struct tracing_group;

/* A party's process, which connected or listened. */
struct monitor_session_peer {
    int pid_fd; /* -1: not watched */
    struct event exit;
};

struct monitor_session {
    RB_ENTRY(monitor_session) id_link;        /* in the monitor's tree, until it is dead */
    TAILQ_ENTRY(monitor_session) link;        /* in its state's list */
    TAILQ_ENTRY(monitor_session) route_link;  /* among its route's, until it is dead */
    TAILQ_ENTRY(monitor_session) member_link; /* in its worker's list */
    TAILQ_ENTRY(monitor_session) stale_link;  /* among those whose captures have changed */
    TAILQ_ENTRY(monitor_session)
    outbox_link; /* in its worker's outbox, or among those without a worker */
    struct monitor *monitor;
    struct route *route;
    struct worker_process *member; /* who relays it; NULL: nobody yet */
    uint64_t id;
    enum session_state state;
    int client_fd;          /* kept to the end: see monitor_session_handed_over */
    int backend_fd;         /* -1 before it is dialled and once handed over */
    struct spawned *device; /* of a backend that is started, from then on; else NULL */
    uint64_t accepted_ms;
    struct monitor_session_peer peers[RULES_PARTIES];
    uint32_t gone;                /* 1 << enum rules_party: its process is */
    struct repeats_peer *repeats; /* its user on its route, until it has ended */
    bool quiet;                   /* there are many like it: no lines and records of its own … */
    bool held;                    /* it was quiet when it connected */
    bool muted;                   /* … nor when it is let in */
    bool fresh;                   /* denied as none before */
    struct event client_event;
    struct event timer;
    struct peer_facts *peer_facts; /* from dialling to the verdict */
    struct relook *relook;         /* from dialling to the end (proxy/monitor/relook.h) */
    struct audit_writer_wait
        recorded;    /* on its way to the disk: the verdict, later exported memory */
    uint32_t taint;  /* bits of enum taint */
    bool denied;     /* the verdict, while it is being recorded */
    bool unrecorded; /* denied since the audit log cannot be written */
    bool opened;     /* there is a record of its beginning: its end needs one, too */
    bool counted;    /* the counts are known, as of the last worker_pool_count */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    char *facts;         /* verdict_facts_text of the verdict, where the control socket is open */
    bool heard;          /* its worker has read its request, and wants … */
    uint16_t request_id; /* … the reply to have this id */
    bool ending;         /* an operator has asked for it: the timer runs out for its worker */
    int verdict_err;     /* what the worker is told: 0 or an errno */
    uint32_t unsent;     /* to the worker: a bit for each enum ipc_type (worker_pool.c) */
    uint64_t record;     /* its verdict's number in the audit log, and 1; 0: none */
    char *traced;        /* NULL: no capture has had it; else what traces say of it */
    uint64_t attached;   /* the tracer knows that it has the captures up to this: capture.run */
    bool stale;          /* its captures have changed: tracer and worker are still to be told */
    struct tracing_group *traced_by; /* the running captures of this session alone; NULL: none */
    bool in_outbox;
};

TAILQ_HEAD(monitor_session_list, monitor_session);
RB_HEAD(monitor_session_tree, monitor_session);

/* The session of this number; NULL: there is none, or it is dead. */
struct monitor_session *monitor_session_find(const struct monitor *m, uint64_t id);

/* The session with the next greater number; NULL: none. */
struct monitor_session *monitor_session_behind(const struct monitor *m, uint64_t id);

/* A client has connected: begins a session, or has it refused. Takes the socket. */
void monitor_session_accept_take(struct monitor *m, struct route *r, int client_fd);

/*
 * An operator ends it, wherever it stands. True: it is over. False: its worker has been asked to
 * end it, and if it does not within LIMIT_END_MS, the monitor does.
 */
bool monitor_session_end_asked(struct monitor_session *t);

/* Its worker has read the client's request, to whose id a reply would go. */
void monitor_session_heard(struct monitor_session *t, uint16_t id);

/*
 * Ends a session that its worker cannot end, nor answer any more: a client whose reply is still
 * owed has one by another worker. The worker is gone, or has been told by worker_pool_disown.
 */
void monitor_session_lost(struct monitor_session *t, enum session_reason reason);

/* The verdict lets it: from DECIDING to RELAYING. Returns false if it is in another state. */
bool monitor_session_relays(struct monitor_session *t) __attribute__((warn_unused_result));

/*
 * From the worker: the handshake is done; it waits for the verdict. Returns false if it is not in
 * RECITING: the worker had no right to send this.
 */
bool monitor_session_evidence(struct monitor_session *t, const struct ipc_evidence *e)
    __attribute__((warn_unused_result));

/* Ends the session, which is recorded. what may be NULL: nothing is known of what passed. */
void monitor_session_end(struct monitor_session *t, enum session_reason reason,
                         const struct ipc_ended *what);

/*
 * A worker has its own sockets now: closes the backend's. The client's is kept, unused, so that a
 * worker that is killed does not close it with requests unread, at which QEMU aborts
 * (sock_hang_up): the monitor ends the connection in its stead.
 */
void monitor_session_handed_over(struct monitor_session *t);

/* Who may use its sockets, which are still its own. */
void monitor_session_witness(const struct monitor_session *t, struct sender_check_settings *out);

/* ---- monitor_session_peers.c, for monitor_session.c alone ---- */

/* Has the worker told when the process of one of the parties is gone. Both sockets are its own. */
void monitor_session_watch_peers(struct monitor_session *t);

/* Watches them no more. */
void monitor_session_forget_peers(struct monitor_session *t);

/* Milliseconds that are left of the handshake's time; at least 1. */
unsigned monitor_session_handshake_left_ms(const struct monitor_session *t);

/* Frees those in DEAD. Not from inside a ticket's own callback. */
void monitor_session_reap(struct monitor *m);

#endif
