/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's relay workers: started, given work, watched, started again.
 *
 * A worker that dies takes only its own sessions with it; each is recorded. A worker that says
 * what the table of proxy/ipc/ipc.c does not allow has been taken over by a peer, and is killed; so
 * is one that hangs (crew_watch.c). Clients in their handshake then have their answer by another
 * one (crew_refuse.c).
 */
#ifndef POEMD_PROXY_MONITOR_CREW_H
#define POEMD_PROXY_MONITOR_CREW_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/heartbeat.h"
#include "poem/poem.h"
#include "proxy/monitor/children.h"
#include "proxy/monitor/ticket.h"

struct crew;

struct crew_disowned;
struct crew_refusal;
TAILQ_HEAD(crew_disowned_list, crew_disowned);
TAILQ_HEAD(crew_refusals, crew_refusal);

struct crew_member {
    struct crew *crew;
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
    struct ticket_list tickets;
    SLIST_HEAD(crew_lingering, crew_lingerer) lingering; /* ended sessions, see crew_linger.c */
    struct ticket_list outbox; /* whose messages did not fit into the channel */
    struct heartbeat beat;
    bool ping_unsent;
    unsigned pings;                     /* sent and not answered */
    unsigned killed_beats;              /* since it was killed, and 1; 0: it was not */
    enum session_reason end;            /* why its sessions end should it die */
    struct crew_disowned_list disowned; /* sessions that the monitor has ended, and it has not */
    int ring_fd;                        /* of captures, on its way to the worker; -1: none is */
    int bell_fd;
};

struct crew {
    struct monitor *monitor;
    struct crew_member *members;
    unsigned n;
    int exe_fd;                 /* our own program, as it was when we were started */
    int settings_fd;            /* what every worker reads first */
    struct ticket_list waiting; /* for a worker to be there at all */
    struct crew_refusals refusals;
    unsigned n_refusals;
    uint64_t last_refusal; /* the number given last */
};

/*
 * Starts the workers, who recite the poem (borrowed for the call). 0 or -errno; to be
 * crew_deinit'ed in either case.
 */
int crew_init(struct crew *c, struct monitor *m, const struct poem *poem)
    __attribute__((warn_unused_result));
void crew_deinit(struct crew *c);

/* Hands a ticket in RECITING, which has both sockets, to the least busy worker. */
void crew_give(struct crew *c, struct ticket *t);

/* How a client is refused. */
struct crew_answer {
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
void crew_refuse_take(struct crew *c, int client_fd, const struct crew_answer *how);

/* Tells the ticket's worker the verdict: 0 or an errno. */
void crew_verdict(struct crew *c, struct ticket *t, int err);

/* Tells the ticket's worker that what it has exported is recorded. */
void crew_recorded(struct crew *c, struct ticket *t);

/* Whether the message of that type still waits to be sent to the ticket's worker. */
bool crew_unsent(const struct ticket *t, enum ipc_type type);

/* Tells the ticket's worker how the session is to be captured now (tracing_tap). */
void crew_tap(struct crew *c, struct ticket *t);

/* Gives the worker a new ring for what it captures. Takes both fds. */
void crew_ring_take(struct crew_member *w, int ring_fd, int bell_fd);

/* Whether none of the workers is running. */
bool crew_all_gone(const struct crew *c);

/*
 * The monitor ends a session that its worker has: the worker is told, and whatever it still says of
 * the session is ignored until it reports the end. Before the ticket's end.
 */
void crew_disown(struct ticket *t);

/* Whether a worker answers that is not the ticket's own. */
bool crew_has_other(const struct crew *c, const struct ticket *t);

/* Whether the ticket's worker answers. */
bool crew_answers(const struct ticket *t);

/* Every LIMIT_BEAT_MS: asks the workers whether they make their turns; kills those that hang. */
void crew_beat(struct crew *c);

/* Tells the ticket's worker, if it has one, whose processes are gone. */
void crew_peer_gone(struct ticket *t);

/* Has a ticket's worker end the session. */
void crew_end(struct crew *c, struct ticket *t);

/*
 * Asks all workers what has passed in their sessions: the tickets' counts are written as they come.
 * control_counted is called whenever one has told all of them, or died; never from within.
 */
void crew_count(struct crew *c);

/* Whether some have been asked and have not told all. */
bool crew_counting(const struct crew *c);

/* The ticket is over: takes it off its worker's lists. */
void crew_forget(struct crew *c, struct ticket *t);

/* Asks all workers to end their sessions and exit. */
void crew_quit(struct crew *c);

bool crew_all_ready(const struct crew *c);

#endif
