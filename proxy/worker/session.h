/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session as a relay worker has it: from RECITING to its end.
 *
 * One function writes the state (by moving the session from list to list), and one function ends a
 * session (session_end, with a reason). Nothing is freed inside a callback: dead sessions are
 * reaped at the end of the loop's turn, and reported to the monitor only when their fds are closed.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_H
#define POEMD_PROXY_WORKER_SESSION_H

#include <sys/queue.h>

#include "base/log.h"
#include "base/tree.h"
#include "proxy/worker/dma_denial_log.h"
#include "proxy/worker/greeting/greeting.h"
#include "proxy/ipc/heap.h"
#include "proxy/ipc/heap_pool.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/channel_pair.h"
#include "proxy/relay/gate_log.h"
#include "proxy/ipc/report.h"
#include "proxy/ipc/session_page.h"
#include "proxy/worker/session_route.h"

struct session;
TAILQ_HEAD(session_list, session);
SLIST_HEAD(session_stack, session);
struct session_hold;
struct session_replace;
struct session_injections;
struct session_inject_next;
struct session_lingerer;
SLIST_HEAD(session_lingering, session_lingerer);
RB_HEAD(session_tree, session);

/* A worker's sessions, and their way to the monitor. Owned by the worker. */
struct session_host {
    struct event_base *base;
    struct poem poem;
    struct queue_pool pool;
    struct fdroom fds; /* peers' fds in all sessions; set by the owner; all zero: unlimited */
    struct session_list lists[SESSION_STATES];
    struct session_lingering lingering; /* ended ones, whose fds the peer has not received */
    struct event *linger_event;
    struct session_tree by_id; /* except those that only refuse */
    struct heap heap;
    struct heap_pool memory;       /* of sessions with their guards and channel pairs */
    struct heap_pool dma_memory;   /* of their "dma" settings */
    struct heap_pool keep_memory;  /* of what their gates keep */
    struct session_routes routes;  /* of all sessions, except those that only refuse */
    struct session_list closed;    /* dead, with all fds closed; to be reported */
    bool full;                     /* the channel did not take the last message */
    struct session_list refusals;  /* those that only refuse, alive, the oldest first */
    struct session_list unsent;    /* with evidence that the channel did not take */
    struct session_list reporting; /* with reports that have not been sent */
    struct tap_host tap_host;      /* for captures; the owner owns its parts */
    uint8_t *pages;                /* the worker's file of session pages; NULL: none */
    size_t pages_size;
    struct gate_chunks chunks; /* of that file */
    uint32_t slots;            /* of that file */
    uint32_t tallies;          /* … */
    struct session_stack
        greeted;          /* sessions whose greeting is to be freed at the end of the turn */
    unsigned refusing;    /* sessions that only refuse, alive */
    uint64_t count_after; /* the last session that session_count has reported */
    bool count_unsent;    /* not all of them have been reported */
    uint64_t adopt_after; /* the same of session_adopt */
    bool adopt_unsent;
    bool adopt_begun;          /* a part of its answer has been sent */
    unsigned leaving;          /* sessions that are to be handed over */
    struct event *leave_event; /* for another try, while there are any */
    struct session_inject_next
        *inject_next;         /* owned: rules of a session that comes next, or NULL */
    struct event *reap_event; /* active when a session has died */
    /* Sends m. Returns false if the channel is full; session_host_resume is called later. */
    bool (*send)(struct session_host *h, const struct ipc_msg *m);
    /* Does the same with n fds (borrowed); if the channel is full, they are not sent later. */
    bool (*send_fds)(struct session_host *h, const struct ipc_msg *m, const int *fds, unsigned n);
};

/* Both directions of both channel pairs. */
#define SESSION_WATCH_DIRECTIONS 4

/* The backend's process: there; lost; or its successor, which is not attached yet. */
enum session_watch_backend { WATCH_THERE, WATCH_LOST, WATCH_COMES };

/* The state of the looks at a relaying session (session_watch.h). */
struct session_watch {
    unsigned stall_ms;
    enum session_watch_backend backend;
    uint64_t moved[SESSION_WATCH_DIRECTIONS]; /* bytes that each direction had read and sent */
    unsigned still_ms[SESSION_WATCH_DIRECTIONS];
    uint64_t received; /* fds, at the last look */
    unsigned unread_ms;
    uint32_t gone; /* bit 1 << enum side: its process is gone, its socket unused */
    unsigned gone_ms;
    uint32_t handed_on; /* bit 1 << enum side: another process uses its socket */
};

/* What is checked in a relaying session, and the state of these checks. */
struct session_guard {
    struct session_route *route; /* held */
    struct dma_settings *dma;    /* the route's; owned; NULL: it has none */
    struct dma_gate gate;        /* from RELAYING on */
    struct dma_denial_log denials;
    struct sender_check witnesses[SIDES];
    struct sender_check *watching[SIDES]; /* pointers to them; NULL: that party is not
                                           * watched */
    struct report report;
    struct session_page *page;  /* a slot of the host's file, or allocated */
    struct ipc_resumed resumed; /* the report of a session that goes on */
    bool page_owned;            /* the page is allocated: the session ends with its worker */
    bool resumed_unsent;        /* the report has not been sent, … */
    bool resumed_sent;          /* … or has been */
    bool twin_unsent;           /* the twin sockets have not been sent to the monitor */
    uint32_t busy_poll_us;
    struct fdroom_session fds;
    struct session_watch watch;
    struct tally_meter meter;
    struct session_hold *hold;             /* owned; NULL: the session ends with its device */
    struct session_replace *replace;       /* owned; NULL: the device is not being replaced */
    struct session_injections *injections; /* owned; NULL: there never were any */
    struct session *session;               /* allocated together with the guard */
    struct channel_pair *channels;
};

struct session {
    TAILQ_ENTRY(session) link; /* in its state's list */
    RB_ENTRY(session) id_link;
    TAILQ_ENTRY(session) unsent_link; /* in the list of refusals for one that only refuses */
    SLIST_ENTRY(session) greeted_link;
    TAILQ_ENTRY(session) reporting_link;
    struct session_host *host;
    uint64_t id;      /* 0: it only refuses */
    uint64_t refusal; /* … and the monitor knows it by this number */
    enum session_state state;
    enum ipc_by by; /* the party at fault for the end */
    enum session_reason reason;
    int err;                       /* the errno that the client was sent */
    struct greeting *greeting;     /* in RECITING and DECIDING, until the end of that turn */
    struct channel_pair *channels; /* from RELAYING on */
    struct channel_pair *twin;     /* … if a twin socket was negotiated */
    struct tap_session *tap;       /* NULL: not captured */
    struct event timer;            /* of the handshake, the next look, or the draining */
    unsigned drain_ms;
    uint32_t unread;             /* fds that its peers have not received at its end */
    uint64_t drained;            /* bytes relayed when the timer was set */
    bool reporting;              /* in the host's list */
    uint8_t quiet;               /* enum ipc_quiet */
    bool evidence_unsent;        /* the channel was full; in the list of unsent ones */
    bool closed;                 /* in the host's list "closed" */
    bool leaving;                /* is to be handed over to another worker, … */
    bool left;                   /* … and has been: it ends here only */
    struct session_guard *guard; /* NULL: it only refuses */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint64_t captured; /* messages, once the tap is gone */
    const char *route; /* of guard->route; NULL: it only refuses */
};

/* Returns the session with the next greater number, in any state, or NULL. */
struct session *session_behind(struct session_host *h, uint64_t id);

/* Returns the session of that number, in any state, or NULL. */
struct session *session_of(struct session_host *h, uint64_t id);

/* Returns 0 or -ENOMEM. The caller has set send, base and poem. */
int session_host_init(struct session_host *h) __attribute__((warn_unused_result));

/* Ends and frees everything; drops sessions that were not reported. */
void session_host_deinit(struct session_host *h);

/* Begins a session with both sockets (taken). Returns 0, or -ENOMEM with the sockets closed. */
int session_begin(struct session_host *h, uint64_t id, const struct ipc_session *settings,
                  int client_fd, int backend_fd) __attribute__((warn_unused_result));

/*
 * Goes on with a session of a worker that has died, from its page, with both sockets and, if the
 * page has a twin, both twin sockets (taken; otherwise -1). A session that cannot go on ends with a
 * reason. Returns 0, or -ENOMEM with the sockets closed.
 */
int session_resume_take(struct session_host *h, uint64_t id, const struct ipc_session *settings,
                        const int fds[LIMIT_FDS_PER_SESSION]) __attribute__((warn_unused_result));

/*
 * Refuses a client (its socket is taken): waits for its VERSION request and answers with err. At
 * most LIMIT_REFUSALS wait at once; the oldest gives way. If this fails the socket is closed,
 * without a message.
 */
void session_refuse(struct session_host *h, const struct ipc_refuse *settings, int client_fd);

/*
 * Applies the monitor's verdict to a session in DECIDING: 0, or an errno with the reason. Returns
 * false if there is no such session: it may have ended while the verdict was under way.
 */
bool session_decide(struct session_host *h, uint64_t id, int err, enum session_reason reason);

/*
 * Taints a relaying session: bits of IPC_TAINT_MAY. Each bit is reported to the monitor once,
 * before the session's end.
 */
void session_taint(struct session *s, enum side by, uint32_t bits);

/*
 * The processes of these parties (1 << enum side), and of no others, are gone, which may end the
 * session.
 */
void session_gone(struct session_host *h, uint64_t id, uint32_t parties);

/* The monitor has recorded this session's export of memory. */
void session_recorded(struct session_host *h, uint64_t id);

/*
 * Another monitor has taken over: refuses the sessions in their handshake, sends a list of all
 * sessions, and repeats what the last monitor may not have acted on. Clients that are being refused
 * are not reported any more.
 */
void session_adopt(struct session_host *h);

/*
 * Lets go of a relaying session as soon as it is between two messages, and its page has all of it.
 * Ignored if it has ended meanwhile, or has no page.
 */
void session_leave(struct session_host *h, uint64_t id);

/* Changes how the session is captured. Ignored if it has ended meanwhile. */
void session_tap(struct session_host *h, uint64_t id, const struct tap_settings *settings);

/*
 * Records a message between the broker itself and a process of the device: n bytes with its header,
 * with these fds (borrowed); sender is SIDE_CLIENT for one of the broker's. Does nothing if the
 * session is not captured.
 */
void session_tap_own(struct session *s, enum side sender, const uint8_t *bytes, size_t n,
                     const int *fds, unsigned n_fds);

/* ---- for session_life.c and its parts: session_tap.c, session_watch.c ---- */

/* Schedules sending the session's reports for the end of the loop's turn. */
void session_report_later(struct session *s);

/* Passes its taps to its channel pairs. */
void session_tap_channels(struct session *s);

/* Sets up a new session in this state, in the host's lists; id 0: it only refuses. */
void session_enlist(struct session *s, struct session_host *h, uint64_t id,
                    enum session_state state);

/* Enters a state. If the table of states forbids it, ends the session and returns false. */
bool session_advance(struct session *s, enum session_state to);

/* The only way out of a session. */
void session_end(struct session *s, enum session_reason reason);

/* Calls the timeout of its state in ms. */
void session_set_timer(struct session *s, unsigned ms);

/* ---- */

/*
 * Ends a session for an operator; a client in its handshake is sent ECONNABORTED. Ignored if the
 * session has ended meanwhile.
 */
void session_end_one(struct session_host *h, uint64_t id);

/* Sends the monitor the counts of every relaying session, as the channel takes them. */
void session_count(struct session_host *h);

/* Ends every session. They are reaped in the loop's next turn. */
void session_end_all(struct session_host *h, enum session_reason reason);

/* The channel takes messages again: sends those that had to wait. */
void session_host_resume(struct session_host *h);

/* Returns true if no session has an fd any more; their ends may be unreported. */
bool session_host_closed(const struct session_host *h);

/* Returns true if no session is left, not even a dead and unreported one. */
bool session_host_empty(const struct session_host *h);

#endif
