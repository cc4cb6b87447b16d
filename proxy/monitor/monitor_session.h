/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session as the monitor knows it, from the accepted connection until its end has been recorded.
 *
 * Until the session is handed to a worker, this struct owns the sockets; the monitor never reads
 * from them. One function writes its state, one ends it; dead sessions are reaped at the end of the
 * loop's turn.
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
    TAILQ_ENTRY(monitor_session) route_link;  /* in its route's list, until it is dead */
    TAILQ_ENTRY(monitor_session) member_link; /* in its worker's list */
    TAILQ_ENTRY(monitor_session) stale_link;  /* in the list of sessions with changed captures */
    TAILQ_ENTRY(monitor_session)
    outbox_link; /* in its worker's outbox, or in the list without a worker */
    struct monitor *monitor;
    struct route *route;
    struct worker_process *member; /* the worker that relays it, or NULL */
    uint64_t id;
    enum session_state state;
    int client_fd;          /* kept to the end: see monitor_session_handed_over */
    int backend_fd;         /* -1 before dialling and after handing over */
    struct spawned *device; /* the spawned backend from dialling on; otherwise NULL */
    uint64_t accepted_ms;
    struct monitor_session_peer peers[RULES_PARTIES];
    uint32_t gone;                /* bit 1 << enum rules_party: its process is gone */
    struct repeats_peer *repeats; /* its user on its route, until it ends */
    bool quiet;                   /* one of many alike: not logged or recorded on its own … */
    bool held;                    /* it was quiet when it connected */
    bool muted;                   /* … not even if it is allowed */
    bool fresh;                   /* denied in a way not seen before */
    struct event client_event;
    struct event timer;
    struct peer_facts *peer_facts; /* from dialling to the verdict */
    struct relook *relook;         /* from dialling to the end (proxy/monitor/relook.h) */
    struct audit_writer_wait
        recorded;    /* a record on its way to the disk: the verdict, later exported memory */
    uint32_t taint;  /* bits of enum taint */
    bool denied;     /* the verdict, while it is being recorded */
    bool unrecorded; /* denied because the audit log cannot be written */
    bool opened;     /* its beginning is recorded, so its end must be, too */
    bool counted;    /* the counts are known, from the last worker_pool_count */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    char *facts;         /* verdict_facts_text of the verdict, if there is a control socket */
    bool heard;          /* its worker has read its request, … */
    uint16_t request_id; /* … to whose id the reply goes */
    bool ending;         /* an operator ended it: the timer limits its worker */
    int verdict_err;     /* the verdict for the worker: 0 or an errno */
    uint32_t unsent;     /* to the worker: a bit for each enum ipc_type (worker_pool.c) */
    uint64_t record;     /* its verdict's number in the audit log, plus 1; 0: none */
    char *traced;        /* its description in traces; NULL if never captured */
    uint64_t attached; /* the last capture.run of which the tracer knows that it has this session */
    bool stale;        /* its captures have changed, and tracer and worker must be notified */
    struct tracing_group *traced_by; /* the running captures of this session alone, or NULL */
    bool in_outbox;
};

TAILQ_HEAD(monitor_session_list, monitor_session);
RB_HEAD(monitor_session_tree, monitor_session);

/* Returns the session of this number, or NULL if it does not exist or is dead. */
struct monitor_session *monitor_session_find(const struct monitor *m, uint64_t id);

/* Returns the session with the next greater number, or NULL. */
struct monitor_session *monitor_session_behind(const struct monitor *m, uint64_t id);

/* A client has connected: begins a session, or has the client refused. Takes the socket. */
void monitor_session_accept_take(struct monitor *m, struct route *r, int client_fd);

/*
 * Ends a session, in any state, for an operator. Returns true if it is over; false if its worker
 * has been asked to end it, which the monitor does itself after LIMIT_END_MS.
 */
bool monitor_session_end_asked(struct monitor_session *t);

/* Its worker has read the client's request, to whose id a reply would go. */
void monitor_session_heard(struct monitor_session *t, uint16_t id);

/*
 * Ends a session that its worker can no longer end or answer. If the client still waits for its
 * reply, another worker sends it. The worker is gone, or worker_pool_disown was called.
 */
void monitor_session_lost(struct monitor_session *t, enum session_reason reason);

/* Moves an allowed session from DECIDING to RELAYING. Returns false if it is in another state. */
bool monitor_session_relays(struct monitor_session *t) __attribute__((warn_unused_result));

/*
 * From the worker: the handshake is done, and the session waits for the verdict. Returns false if
 * it is not in RECITING: the worker had no right to send this.
 */
bool monitor_session_evidence(struct monitor_session *t, const struct ipc_evidence *e)
    __attribute__((warn_unused_result));

/* Ends and records the session. what is NULL if the counts are not known. */
void monitor_session_end(struct monitor_session *t, enum session_reason reason,
                         const struct ipc_ended *what);

/*
 * The worker has its own copies of the sockets now: closes the backend's. Keeps the client's,
 * unused, so that a killed worker does not close it with requests unread, at which QEMU aborts
 * (sock_hang_up); the monitor ends the connection instead.
 */
void monitor_session_handed_over(struct monitor_session *t);

/* Fills in the processes that may use the sockets. Call before the sockets are handed over. */
void monitor_session_witness(const struct monitor_session *t, struct sender_check_settings *out);

/* ---- monitor_session_peers.c, for monitor_session.c alone ---- */

/* Notifies the worker when a party's process ends. Call while both sockets are here. */
void monitor_session_watch_peers(struct monitor_session *t);

/* Stops watching them. */
void monitor_session_forget_peers(struct monitor_session *t);

/* Returns the milliseconds left of the handshake's time, at least 1. */
unsigned monitor_session_handshake_left_ms(const struct monitor_session *t);

/* Frees the sessions in DEAD. Not to be called from a session's own callback. */
void monitor_session_reap(struct monitor *m);

#endif
