/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's relay workers: started, given work, watched, started again.
 *
 * A worker that dies takes only its own sessions with it; each is recorded. A worker that says
 * what the table of proxy/ipc/ipc.c does not allow has been taken over by a peer, and is killed; so
 * is one that hangs (worker_pool_watch.c). Clients in their handshake then have their answer by
 * another one (worker_pool_refuse.c).
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/heartbeat.h"
#include "poem/poem.h"
#include "proxy/monitor/children.h"
#include "proxy/monitor/monitor_session.h"

struct worker_pool;

struct worker_pool_disowned;
struct worker_pool_refusal;
TAILQ_HEAD(worker_pool_disowned_list, worker_pool_disowned);
TAILQ_HEAD(worker_pool_refusals, worker_pool_refusal);

struct worker_process {
    struct worker_pool *worker_pool;
    struct child child; /* while it runs */
    pid_t pid;          /* -1: not running */
    int channel_fd;     /* -1: not running */
    bool ready;
    unsigned false_starts; /* how often in a row it died before it was ready */
    unsigned sessions;
    uint32_t longest_turn_us; /* as it was told last; 0: not yet */
    bool counting;            /* has been asked what has passed, and has not told all */
    struct event *readable;
    struct event *writable;
    struct event *retry; /* … when memory or fds in flight have run out */
    struct event *respawn;
    struct event *bury; /* made active while … */
    bool burying;       /* it is gone, and its sessions are being ended */
    struct monitor_session_list monitor_sessions;
    SLIST_HEAD(worker_pool_lingering, worker_pool_lingerer)
    lingering;                          /* ended sessions, see worker_pool_linger.c */
    struct monitor_session_list outbox; /* whose messages did not fit into the channel */
    struct heartbeat beat;
    bool ping_unsent;
    unsigned pings;          /* sent and not answered */
    unsigned killed_beats;   /* since it was killed, and 1; 0: it was not */
    enum session_reason end; /* why its sessions end should it die */
    struct worker_pool_disowned_list
        disowned; /* sessions that the monitor has ended, and it has not */
    int ring_fd;  /* of captures, on its way to the worker; -1: none is */
    int bell_fd;
};

struct worker_pool {
    struct monitor *monitor;
    struct worker_process *members;
    unsigned n;
    int exe_fd;                          /* our own program, as it was when we were started */
    int settings_fd;                     /* what every worker reads first */
    struct monitor_session_list waiting; /* for a worker to be there at all */
    struct worker_pool_refusals refusals;
    unsigned n_refusals;
    uint64_t last_refusal; /* the number given last */
};

/*
 * Starts the workers, who recite the poem (borrowed for the call). 0 or -errno; to be
 * worker_pool_deinit'ed in either case.
 */
int worker_pool_init(struct worker_pool *c, struct monitor *m, const struct poem *poem)
    __attribute__((warn_unused_result));
void worker_pool_deinit(struct worker_pool *c);

/* Hands a ticket in RECITING, which has both sockets, to the least busy worker. */
void worker_pool_give(struct worker_pool *c, struct monitor_session *t);

/* How a client is refused. */
struct worker_pool_answer {
    int err;
    unsigned ms; /* so long it may take to ask */
    bool heard;  /* a worker that is gone had read its request, whose id is: */
    uint16_t id;
};

/*
 * Has a worker refuse a client, once there is one; a copy of the socket (taken) is kept meanwhile,
 * so that a worker that hangs or dies over it can be followed by another. At most
 * LIMIT_REFUSALS_KEPT for each worker; the oldest is closed unanswered.
 */
void worker_pool_refuse_take(struct worker_pool *c, int client_fd,
                             const struct worker_pool_answer *how);

/* Tells the ticket's worker the verdict: 0 or an errno. */
void worker_pool_verdict(struct worker_pool *c, struct monitor_session *t, int err);

/* Tells the ticket's worker that what it has exported is recorded. */
void worker_pool_recorded(struct worker_pool *c, struct monitor_session *t);

/* Whether the message of that type still waits to be sent to the ticket's worker. */
bool worker_pool_unsent(const struct monitor_session *t, enum ipc_type type);

/* Tells the ticket's worker how the session is to be captured now (tracing_tap). */
void worker_pool_tap(struct worker_pool *c, struct monitor_session *t);

/* Gives the worker a new ring for what it captures. Takes both fds. */
void worker_pool_ring_take(struct worker_process *w, int ring_fd, int bell_fd);

/* Whether none of the workers is running. */
bool worker_pool_all_gone(const struct worker_pool *c);

/*
 * The monitor ends a session that its worker has: the worker is told, and whatever it still says of
 * the session is ignored until it reports the end. Before the ticket's end.
 */
void worker_pool_disown(struct monitor_session *t);

/* Whether a worker answers that is not the ticket's own. */
bool worker_pool_has_other(const struct worker_pool *c, const struct monitor_session *t);

/* Whether the ticket's worker answers. */
bool worker_pool_answers(const struct monitor_session *t);

/* Every LIMIT_BEAT_MS: asks the workers whether they make their turns; kills those that hang. */
void worker_pool_beat(struct worker_pool *c);

/* Tells the ticket's worker, if it has one, whose processes are gone. */
void worker_pool_peer_gone(struct monitor_session *t);

/* Has a ticket's worker end the session. */
void worker_pool_end(struct worker_pool *c, struct monitor_session *t);

/*
 * Asks all workers what has passed in their sessions: the tickets' counts are written as they come.
 * control_counted is called whenever one has told all of them, or died; never from within.
 */
void worker_pool_count(struct worker_pool *c);

/* Whether some have been asked and have not told all. */
bool worker_pool_counting(const struct worker_pool *c);

/* The ticket is over: takes it off its worker's lists. */
void worker_pool_forget(struct worker_pool *c, struct monitor_session *t);

/* Asks all workers to end their sessions and exit. */
void worker_pool_quit(struct worker_pool *c);

bool worker_pool_all_ready(const struct worker_pool *c);

#endif
