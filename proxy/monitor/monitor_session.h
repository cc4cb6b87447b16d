/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
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
#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/tree.h"
#include "proxy/ipc/heap.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/session_page.h"
#include "proxy/ipc/session_state.h"
#include "proxy/monitor/keep/ended_record.h"
#include "proxy/monitor/facts/audit_writer.h"
#include "base/observers.h"

struct config_route;
struct generation;
struct kept_facts;
struct monitor_context;
struct monitor_session_hold;
struct monitor_session_table;
struct peer_facts;
struct relook;
struct repeats_peer;
struct route;
struct spawned;
struct tracing_group;
struct verdict_facts;
struct worker_pages;
struct worker_pool;
struct worker_process;

/* The message that a worker was handling when it died. */
struct monitor_session_suspect {
    bool set;
    enum session_page_way way;
    uint64_t taken; /* bytes that this direction had taken by then */
    struct wire_hdr hdr;
};

/* A party's process, which connected or listened. */
struct monitor_session_peer {
    int pid_fd; /* -1: not watched */
    struct event exit;
};

/* Whether a device supports migration, as the last attempt to replace it has found. */
enum monitor_session_migrates { MIGRATES_UNKNOWN, MIGRATES, MIGRATES_NOT };

struct monitor_session {
    RB_ENTRY(monitor_session) id_link;        /* in the monitor's tree, until it is dead */
    TAILQ_ENTRY(monitor_session) link;        /* in its state's list */
    TAILQ_ENTRY(monitor_session) route_link;  /* in its route's list, until it is dead */
    TAILQ_ENTRY(monitor_session) member_link; /* in its worker's list */
    TAILQ_ENTRY(monitor_session) stale_link;  /* in the list of sessions with changed captures */
    TAILQ_ENTRY(monitor_session)
    outbox_link; /* in its worker's outbox, or in the list without a worker */
    struct monitor_session_table *table;
    struct route *route;
    struct generation *generation;     /* under which it began, held */
    const struct config_route *config; /* its route's words then, by which it is judged */
    struct worker_process *member;     /* the worker that relays it, or NULL */
    uint64_t id;
    enum session_state state;
    int client_fd;       /* kept to the end, and not used here once a worker has a copy: so that
                             * another worker can go on if that one dies, and its end does not close
                             * the socket with requests unread, at which QEMU aborts */
    int backend_fd;      /* likewise; -1 before dialling */
    int twin_fds[SIDES]; /* likewise, from its worker; -1: none */
    struct worker_pages *pages; /* of its worker, or the last one; NULL: not given to one yet */
    uint32_t slot;              /* of its page there, or SESSION_PAGE_NO_SLOT */
    struct monitor_session_suspect suspect;
    bool listed;                 /* its worker, which an earlier monitor has started, has it */
    bool leaving;                /* its worker is to hand it over to another one */
    bool resuming;               /* it has not been reported to go on in its new worker */
    bool resumed_in_hand;        /* the last worker died while it handled this session */
    unsigned resumed;            /* number of workers that have died under it */
    pid_t resumed_from;          /* the last of them */
    enum session_reason lost_by; /* … and the reason for its end if it cannot be resumed */
    struct sender_check_settings senders;
    struct spawned *device; /* the spawned backend from dialling on; otherwise NULL */
    uint64_t accepted_ms;
    struct monitor_session_peer peers[SIDES];
    uint32_t gone;                /* bit 1 << enum side: its process is gone */
    struct repeats_peer *repeats; /* its user on its route, until it ends */
    bool quiet;                   /* one of many alike: not logged or recorded on its own … */
    bool held;                    /* it was quiet when it connected */
    bool muted;                   /* … not even if it is allowed */
    bool fresh;                   /* denied in a way not seen before */
    bool allowed_again;           /* the process that is judged anew (decision_again.h) */
    struct event client_event;
    struct event timer;
    struct monitor_session_hold *hold; /* while it has no device (monitor_session_hold.h) */
    struct monitor_session_successor *successor; /* that may replace its device; NULL: none */
    uint16_t lack;                               /* enum setup_lack: why it cannot be held, … */
    uint16_t replace_lack; /* … or its device replaced; as its worker has reported it last */
    enum monitor_session_migrates migrates; /* of its device */
    struct peer_facts *peer_facts;          /* from dialling to the verdict */
    struct relook *relook;                  /* from dialling until it is reaped (relook.h) */
    struct audit_writer_wait
        recorded;      /* a record on its way to the disk: the verdict, later exported memory */
    uint32_t taint;    /* bits of enum taint */
    uint32_t observed; /* TAINT_OBSERVATIONS */
    uint32_t taint_of[SIDES]; /* the part of it that each party caused */
    bool denied;              /* the verdict, while it is being recorded */
    bool unrecorded;          /* denied because the audit log cannot be written */
    bool opened;              /* its beginning is recorded, so its end must be, too */
    bool counted;             /* the counts are known, from the last worker_pool_count */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint64_t overdue;          /* requests that were answered in the device's stead */
    struct kept_facts *kept;   /* the facts of its verdict, if there is a control socket */
    char *facts;               /* verdict_facts_text of the verdict, if there is a control socket,
                                * and it is not in the state file: see monitor_session_facts */
    uint32_t kept_block;       /* its record in the state file, or STATE_NO_BLOCK */
    uint32_t kept_fds;         /* bits: those of its fds that the keeper has (STATE_FDS) */
    bool heard;                /* its worker has read its request, … */
    uint16_t request_id;       /* … to whose id the reply goes */
    bool ending;               /* its end was requested: the timer limits its worker */
    enum session_reason asked; /* … for this reason, if not by an operator; otherwise REASON_NONE */
    int verdict_err;           /* the verdict for the worker: 0 or an errno */
    uint32_t unsent;           /* to the worker: a bit for each enum ipc_type (worker_pool.c) */
    uint64_t record;           /* its verdict's number in the audit log, plus 1, or 0 */
    char *traced;              /* its description in traces; NULL if never captured */
    uint64_t attached; /* the last capture.run of which the tracer knows that it has this session */
    bool stale;        /* its captures have changed, and tracer and worker must be notified */
    struct tap_settings tap; /* the most that any running capture of only this session wants */
    struct tracing_group *traced_by; /* those captures, or NULL */
    struct ipc_inject *inject;       /* an operator's rules for faults, owned; NULL: the route's */
    bool in_outbox;
};

/*
 * Another process of a session's device, that may replace the one that serves
 * (monitor_session_replace.h).
 */
struct monitor_session_successor {
    int fd;
    struct spawned *device; /* if it was spawned; otherwise NULL */
    struct sender_check_settings senders;
    bool dry; /* it is only to be found out whether it could */
};

TAILQ_HEAD(monitor_session_list, monitor_session);
RB_HEAD(monitor_session_tree, monitor_session);

/*
 * Events of sessions; each function may be NULL. Observers are called in the order in which they
 * subscribed, and must not end the session.
 */
struct monitor_session_events {
    void (*begun)(void *arg, struct monitor_session *t);
    /* It has a worker, and is about to be sent to it. */
    void (*assigned)(void *arg, struct monitor_session *t);
    /* Its handshake is done; this is its worker's report: checked, and borrowed. */
    void (*evidence)(void *arg, struct monitor_session *t, const struct ipc_evidence *e);
    /* Its verdict is known, but neither on disk nor sent to its worker yet. */
    void (*decided)(void *arg, struct monitor_session *t, const struct verdict_facts *facts);
    /* The verdict is on disk, with t->record as its number there. */
    void (*recorded)(void *arg, struct monitor_session *t);
    /* Its worker has handed out memory: checked, and borrowed. */
    void (*exported)(void *arg, struct monitor_session *t, const struct ipc_export *e);
    /* It goes on in another worker; r is checked, and borrowed. */
    void (*resumed)(void *arg, struct monitor_session *t, const struct ipc_resumed *r);
    /* Its device is gone, and it is held; l is checked, and borrowed. */
    void (*lost)(void *arg, struct monitor_session *t, const struct ipc_lost *l);
    /* VERSION has been exchanged with a new process of its device: checked, and borrowed. */
    void (*evidence_again)(void *arg, struct monitor_session *t, const struct ipc_evidence *e);
    /* It goes on with that process; or does not, and stays held. */
    void (*attached)(void *arg, struct monitor_session *t, const struct ipc_attached *a);
    void (*detached)(void *arg, struct monitor_session *t, const struct ipc_detached *d);
    /* The attempt to replace its device is over: checked, and borrowed. */
    void (*replaced)(void *arg, struct monitor_session *t, const struct ipc_replaced *r);
    /* Something has changed that the next monitor must know, should this one die. */
    void (*changed)(void *arg, struct monitor_session *t);
    /* It is over, still in its last state; what may be NULL. */
    void (*ended)(void *arg, struct monitor_session *t, enum session_reason reason,
                  const struct ipc_ended *what);
};

/* All sessions. */
struct monitor_session_table {
    struct monitor_context *context;
    struct worker_pool *workers; /* to which they are given */
    struct monitor_session_list states[SESSION_STATES];
    struct monitor_session_tree by_id; /* sessions that are not dead */
    uint64_t last;                     /* the last number used; numbers begin at 1 */
    unsigned alive;                    /* of all routes */
    unsigned lingering;                /* ended, but with fds that the peer has not received */
    uint32_t taint;                    /* of all sessions of this run */
    uint32_t observed;                 /* … */
    uint64_t resumed;                  /* how often one has gone on in another worker */
    bool shown;                        /* an operator can request their ends */
    struct ended_records ended;        /* whose records are not on disk yet */
    struct heap heap;
    struct event *reap;
    OBSERVERS_LIST(struct monitor_session_events) observers;
};

/* Returns 0 or -ENOMEM; deinitialize it in either case. context and workers are borrowed. */
int monitor_session_table_init(struct monitor_session_table *table, struct monitor_context *context,
                               struct worker_pool *workers) __attribute__((warn_unused_result));

/* Frees the sessions in DEAD. */
void monitor_session_table_deinit(struct monitor_session_table *table);

/* Subscribes events (static) with their arg. */
void monitor_session_observe(struct monitor_session_table *table,
                             const struct monitor_session_events *events, void *arg);

/* Returns the session of this number, or NULL if it does not exist or is dead. */
struct monitor_session *monitor_session_find(const struct monitor_session_table *table,
                                             uint64_t id);

/* Returns the session with the next greater number, or NULL. */
struct monitor_session *monitor_session_behind(const struct monitor_session_table *table,
                                               uint64_t id);

/*
 * Makes a session in ACCEPTED without a number and without fds, with the words of config, a route
 * of g's. The caller fills it in, then calls monitor_session_enlist. Returns NULL if out of memory.
 */
struct monitor_session *monitor_session_blank(struct monitor_session_table *table, struct route *r,
                                              struct generation *g,
                                              const struct config_route *config)
    __attribute__((warn_unused_result));

/* Adds a session to its table, in its state. Its observers are notified that it has begun. */
void monitor_session_enlist(struct monitor_session *t);

/* Begins a session in ACCEPTED. Takes the socket, unless it returns NULL: out of memory. */
struct monitor_session *monitor_session_new(struct monitor_session_table *table, struct route *r,
                                            int client_fd);

/* Returns the subject of its lines in the log. leg: "client", "backend" or NULL. */
struct log_subject monitor_session_subject(const struct monitor_session *t, const char *leg);

/*
 * Enters a state. Returns false if the table of states forbids it: the state stays, and the caller
 * ends the session in its own way, which depends on whether a worker has it.
 */
bool monitor_session_advance(struct monitor_session *t, enum session_state to)
    __attribute__((warn_unused_result));

/* Sets its timer. */
void monitor_session_set_timer(struct monitor_session *t, unsigned ms);

/* Returns the milliseconds left of the handshake's time, at least 1. */
unsigned monitor_session_handshake_left_ms(const struct monitor_session *t);

/* Returns how its worker must capture it at this moment; off if no capture wants it. */
struct tap_settings monitor_session_tap(const struct monitor_session *t);

/* Its worker has read the client's request, to whose id a reply would go. */
void monitor_session_heard(struct monitor_session *t, uint16_t id);

/*
 * From the worker: the handshake is done, and the session waits for the verdict; or that with a new
 * process of its device. Returns false if it is neither in RECITING nor held: the worker had no
 * right to send this.
 */
bool monitor_session_evidence(struct monitor_session *t, const struct ipc_evidence *e)
    __attribute__((warn_unused_result));

/* Notify of its verdict, of that verdict's record, of memory that was handed out. */
void monitor_session_decided(struct monitor_session *t, const struct verdict_facts *facts);
void monitor_session_recorded(struct monitor_session *t);
void monitor_session_exported(struct monitor_session *t, const struct ipc_export *e);

/* Notifies that it goes on in another worker. */
void monitor_session_resumed(struct monitor_session *t, const struct ipc_resumed *r);

/*
 * From the worker, about its device: IPC_LOST, IPC_ATTACHED, IPC_DETACHED, IPC_REPLACED. Returns
 * false if the worker had no right to send this.
 */
bool monitor_session_device(struct monitor_session *t, const struct ipc_msg *m)
    __attribute__((warn_unused_result));

/* It is being given to t->member. */
void monitor_session_assigned(struct monitor_session *t);

/* Notifies of a change that the next monitor must know, should this one die. */
void monitor_session_changed(struct monitor_session *t);

/* Returns what verdict_facts_text has kept of its verdict, a new reference; NULL: nothing. */
json_t *monitor_session_facts(const struct monitor_session *t) __attribute__((warn_unused_result));

/* Moves an allowed session from DECIDING to RELAYING. Returns false if it is in another state. */
bool monitor_session_relays(struct monitor_session *t) __attribute__((warn_unused_result));

/*
 * Adds taint, or observations, to the session, its route and this run. Bits that it has already are
 * not logged again.
 */
void monitor_session_taint(struct monitor_session *t, uint32_t bits);

/* So many of its requests have been answered in the device's stead until now. */
void monitor_session_count_overdue(struct monitor_session *t, uint64_t overdue);

/*
 * The only way out of a session. what is NULL if the counts are not known. The session is freed at
 * the end of the loop's turn.
 */
void monitor_session_end(struct monitor_session *t, enum session_reason reason,
                         const struct ipc_ended *what);

#endif
