/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's relay workers: started, given work, watched, started again.
 *
 * A worker that dies takes only its own sessions with it; each end is recorded. A worker that sends
 * what the table of proxy/ipc/ipc.c forbids has been taken over by a peer, and is killed; so is one
 * that hangs (worker_pool_watch.c). Clients in their handshake then get their answer from another
 * worker (worker_pool_refuse.c).
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
    unsigned false_starts; /* deaths in a row before it was ready */
    unsigned sessions;
    uint32_t longest_turn_us; /* as last reported; 0: not yet */
    bool counting;            /* has been asked for its counts, and has not sent all */
    struct event *readable;
    struct event *writable;
    struct event *retry; /* runs when memory or fds in flight have run out */
    struct event *respawn;
    struct event *bury; /* active while … */
    bool burying;       /* … it is gone, and its sessions are being ended */
    struct monitor_session_list monitor_sessions;
    SLIST_HEAD(worker_pool_lingering, worker_pool_lingerer)
    lingering; /* ended sessions, see worker_pool_linger.c */
    struct monitor_session_list
        outbox; /* sessions with messages that did not fit into the channel */
    struct heartbeat beat;
    bool ping_unsent;
    unsigned pings;          /* sent but not answered */
    unsigned killed_beats;   /* beats since it was killed, plus 1; 0: not killed */
    enum session_reason end; /* the reason for its sessions if it dies */
    struct worker_pool_disowned_list
        disowned; /* sessions that the monitor has ended, but not the worker */
    int ring_fd;  /* for captures, waiting to be sent; -1: none */
    int bell_fd;
};

struct worker_pool {
    struct monitor *monitor;
    struct worker_process *members;
    unsigned n;
    int exe_fd;                          /* our own program, as it was at our start */
    int settings_fd;                     /* the settings that every worker reads first */
    struct monitor_session_list waiting; /* sessions without any worker to take them */
    struct worker_pool_refusals refusals;
    unsigned n_refusals;
    uint64_t last_refusal; /* the last number used */
};

/*
 * Starts the workers, with the poem that they recite (borrowed for the call). Returns 0 or -errno;
 * call worker_pool_deinit in either case.
 */
int worker_pool_init(struct worker_pool *c, struct monitor *m, const struct poem *poem)
    __attribute__((warn_unused_result));
void worker_pool_deinit(struct worker_pool *c);

/* Hands a session in RECITING, with both sockets, to the least busy worker. */
void worker_pool_give(struct worker_pool *c, struct monitor_session *t);

/* The way in which a client is refused. */
struct worker_pool_answer {
    int err;
    unsigned ms; /* time limit for its request */
    bool heard;  /* a worker that is gone had read its request, with this id: */
    uint16_t id;
};

/*
 * Has a worker refuse a client, once there is one. Keeps a copy of the socket (taken) meanwhile, so
 * that another worker can take over from one that hangs or dies. Keeps at most LIMIT_REFUSALS_KEPT
 * for each worker; the oldest is closed unanswered.
 */
void worker_pool_refuse_take(struct worker_pool *c, int client_fd,
                             const struct worker_pool_answer *how);

/* Sends the session's worker the verdict: 0 or an errno. */
void worker_pool_verdict(struct worker_pool *c, struct monitor_session *t, int err);

/* Notifies the session's worker that its export is recorded. */
void worker_pool_recorded(struct worker_pool *c, struct monitor_session *t);

/* Returns true if a message of that type still waits to be sent to the session's worker. */
bool worker_pool_unsent(const struct monitor_session *t, enum ipc_type type);

/* Sends the session's worker the current capture settings (tracing_tap). */
void worker_pool_tap(struct worker_pool *c, struct monitor_session *t);

/* Gives the worker a new ring for captured messages. Takes both fds. */
void worker_pool_ring_take(struct worker_process *w, int ring_fd, int bell_fd);

/* Returns true if no worker is running. */
bool worker_pool_all_gone(const struct worker_pool *c);

/*
 * The monitor ends a session that a worker has: notifies the worker, and ignores its further
 * messages about the session until it reports the end. Call before monitor_session_end.
 */
void worker_pool_disown(struct monitor_session *t);

/* Returns true if a worker other than the session's own answers. */
bool worker_pool_has_other(const struct worker_pool *c, const struct monitor_session *t);

/* Returns true if the session's worker answers. */
bool worker_pool_answers(const struct monitor_session *t);

/* Checks every LIMIT_BEAT_MS that the workers make their turns, and kills those that hang. */
void worker_pool_beat(struct worker_pool *c);

/* Notifies the session's worker, if any, of the parties' processes that are gone. */
void worker_pool_peer_gone(struct monitor_session *t);

/* Has the session's worker end it. */
void worker_pool_end(struct worker_pool *c, struct monitor_session *t);

/*
 * Asks all workers for the counts of their sessions, which are stored as they come. control_counted
 * is called whenever a worker has sent all of them, or has died; never from within.
 */
void worker_pool_count(struct worker_pool *c);

/* Returns true if a worker has been asked and has not sent all counts. */
bool worker_pool_counting(const struct worker_pool *c);

/* The session is over: takes it off its worker's lists. */
void worker_pool_forget(struct worker_pool *c, struct monitor_session *t);

/* Asks all workers to end their sessions and exit. */
void worker_pool_quit(struct worker_pool *c);

bool worker_pool_all_ready(const struct worker_pool *c);

#endif
