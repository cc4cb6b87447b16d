/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's relay workers: started, given work, watched, started again.
 *
 * A worker that dies takes only its own sessions with it; each is recorded. A worker that says
 * what the table of proxy/ipc.c does not allow has been taken over by a peer, and is killed.
 */
#ifndef POEMD_PROXY_CREW_H
#define POEMD_PROXY_CREW_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "poem/poem.h"
#include "proxy/children.h"
#include "proxy/ticket.h"

struct crew;

struct crew_member {
    struct crew *crew;
    struct child child; /* while it runs */
    pid_t pid;          /* -1: not running */
    int channel_fd;     /* -1: not running */
    bool ready;
    unsigned false_starts; /* how often in a row it died before it was ready */
    unsigned sessions;
    bool counting; /* has been asked what has passed, and has not told all */
    struct event *readable;
    struct event *writable;
    struct event *respawn;
    struct ticket_list tickets;
    struct ticket_list outbox; /* whose messages did not fit into the channel */
    int ring_fd;               /* of captures, on its way to the worker; -1: none is */
    int bell_fd;
};

struct crew {
    struct monitor *monitor;
    struct crew_member *members;
    unsigned n;
    int exe_fd;                 /* our own program, as it was when we were started */
    int settings_fd;            /* what every worker reads first */
    struct ticket_list waiting; /* for a worker to be there at all */
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

/* Lets a worker refuse a client with err. Takes the socket. */
void crew_refuse_take(struct crew *c, int client_fd, int err);

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
