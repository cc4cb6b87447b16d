/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session as a relay worker has it: from RECITING to its end.
 *
 * One function writes the state (it moves the session from list to list), one function ends a
 * session (session_end, with a reason). Nothing is freed inside a callback: the dead are reaped
 * when the loop's turn is over, and reported to the monitor only when their fds are closed.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_H
#define POEMD_PROXY_WORKER_SESSION_H

#include <sys/queue.h>

#include "base/log.h"
#include "base/tree.h"
#include "proxy/worker/dma_denial_log.h"
#include "proxy/worker/greeting.h"
#include "proxy/ipc/heap.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/channel_pair.h"
#include "proxy/ipc/report.h"
#include "proxy/worker/session_watch.h"

struct session;
TAILQ_HEAD(session_list, session);
SLIST_HEAD(session_stack, session);
struct session_lingerer;
SLIST_HEAD(session_lingering, session_lingerer);
RB_HEAD(session_tree, session);

/* How sessions reach the monitor: by their owner, the worker. */
struct session_host {
    struct event_base *base;
    struct poem poem;
    struct queue_pool pool;
    struct fdroom fds; /* of peers, in all sessions; set by the owner, zeroed: without bounds */
    struct session_list lists[SESSION_STATES];
    struct session_lingering lingering; /* ended ones, whose fds are not received */
    struct event *linger_event;
    struct session_tree by_id; /* but for those that only refuse */
    struct heap heap;
    struct session_list closed;    /* dead, all they had is closed; to be reported */
    bool full;                     /* the channel did not take what was sent last */
    struct session_list refusals;  /* those that only refuse, alive, the oldest first */
    struct session_list unsent;    /* whose evidence the channel did not take */
    struct session_list reporting; /* who have something to tell that has not been sent */
    struct tap_host tap_host;      /* for what is captured; its parts are the owner's */
    struct session_stack greeted;  /* whose greeting is over, to be freed when the turn is */
    unsigned refusing;             /* sessions that only refuse, alive */
    uint64_t count_after;          /* the last session that was told of by session_count */
    bool count_unsent;             /* not all of them have been */
    struct event *reap_event;      /* made active when somebody has died */
    /* Sends m, or says false: the channel is full, and session_host_resume will be called. */
    bool (*send)(struct session_host *h, const struct ipc_msg *m);
};

/* What is seen of a session that relays, and what becomes of it. */
struct session_guard {
    struct dma_settings dma; /* the route's */
    struct dma_gate gate;    /* from RELAYING on */
    struct dma_denial_log denials;
    struct sender_check witnesses[RULES_PARTIES];
    struct sender_check *watching[RULES_PARTIES]; /* to them; NULL: that party is not watched */
    struct report report;
    struct fdroom_session fds;
    struct session_watch watch;
    struct session *session; /* memory for both, in one piece with the guard */
    struct channel_pair *channels;
};

struct session {
    TAILQ_ENTRY(session) link; /* in its state's list */
    RB_ENTRY(session) id_link;
    TAILQ_ENTRY(session) unsent_link; /* of one that only refuses: among those */
    SLIST_ENTRY(session) greeted_link;
    TAILQ_ENTRY(session) reporting_link;
    struct session_host *host;
    uint64_t id;      /* 0: it only refuses */
    uint64_t refusal; /* … and the monitor knows it by this number */
    enum session_state state;
    enum ipc_by by; /* whose fault the end is */
    enum session_reason reason;
    int err;                       /* the errno that the client was told */
    bool evidence_unsent;          /* the channel was full: among the unsent */
    struct greeting *greeting;     /* in RECITING and DECIDING, and to the end of that turn */
    struct channel_pair *channels; /* from RELAYING on */
    struct channel_pair *twin;     /* … where a twin socket was negotiated */
    struct tap_session *tap;       /* NULL: not captured */
    struct event timer;            /* the handshake's; the next look's; the draining's */
    unsigned drain_ms;
    uint64_t drained;            /* bytes that had passed when the timer was set */
    bool reporting;              /* among the host's */
    uint8_t quiet;               /* enum ipc_quiet */
    bool closed;                 /* … */
    struct session_guard *guard; /* NULL: it only refuses */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint32_t unread;   /* fds that its peers have not received, once it has ended */
    uint64_t captured; /* messages, once the tap is gone */
    char route[LIMIT_NAME + 1];
};

/* The session with the next greater number than this, in any state; NULL: none. */
struct session *session_behind(struct session_host *h, uint64_t id);

/* The session of that number, in any state; NULL: none. */
struct session *session_of(struct session_host *h, uint64_t id);

/* 0 or -ENOMEM. send, base and poem are set by the caller before. */
int session_host_init(struct session_host *h) __attribute__((warn_unused_result));

/* Ends and frees everything; sessions that nobody was told of are forgotten. */
void session_host_deinit(struct session_host *h);

/* Begins a session with both sockets (taken). 0 or -ENOMEM: they are closed. */
int session_begin(struct session_host *h, uint64_t id, const struct ipc_session *settings,
                  int client_fd, int backend_fd) __attribute__((warn_unused_result));

/*
 * Refuses a client (its socket is taken): waits for its VERSION request and answers with err. At
 * most LIMIT_REFUSALS wait at once; the oldest gives way. Failing is silent: it is closed.
 */
void session_refuse(struct session_host *h, const struct ipc_refuse *settings, int client_fd);

/*
 * The monitor's verdict on a session in DECIDING: 0, or an errno and why. False: there is none of
 * that number there (any more: it may have ended while the verdict was under way).
 */
bool session_decide(struct session_host *h, uint64_t id, int err, enum session_reason reason);

/*
 * What was seen of a session that relays taints it: bits of IPC_TAINT_MAY. The monitor is told,
 * once for each bit, before it is told of the session's end.
 */
void session_taint(struct session *s, uint32_t bits);

/* The processes of these parties, 1 << enum rules_party, are gone, which may end the session. */
void session_gone(struct session_host *h, uint64_t id, uint32_t parties);

/* The monitor has recorded what this session has told of exported memory. */
void session_recorded(struct session_host *h, uint64_t id);

/* How the session is to be captured from now on. One that has ended meanwhile is no fault. */
void session_tap(struct session_host *h, uint64_t id, const struct tap_settings *settings);

/* ---- for session.c and its parts: session_tap.c, session_watch.c ---- */

/* Puts its taps into its lanes. */
void session_tap_lanes(struct session *s);

/* The only way out of a session. */
void session_end(struct session *s, enum session_reason reason);

/* Calls its state's time-out in ms. */
void session_set_timer(struct session *s, unsigned ms);

/* ---- */

/*
 * An operator wants the session ended: in its handshake the client is told by ECONNABORTED. One
 * that has ended meanwhile is none.
 */
void session_end_one(struct session_host *h, uint64_t id);

/* Tells the monitor what has passed in every session that relays, as the channel takes it. */
void session_count(struct session_host *h);

/* Ends every session. They are reaped in the loop's next turn. */
void session_end_all(struct session_host *h, enum session_reason reason);

/* The channel takes messages again: sends what had to wait. */
void session_host_resume(struct session_host *h);

/* Whether anything is left, dead and unreported included. */
bool session_host_empty(const struct session_host *h);

#endif
