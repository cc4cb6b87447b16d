/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A lane: two sockets with a pipe each way, and the loop's events for them.
 *
 * A session has one lane for its main sockets and, with twin_socket, a second one. A lane ends its
 * directions one by one (half-close); it never ends itself: it tells its owner, who may call
 * lane_stop from the callback and lane_deinit later.
 */
#ifndef POEMD_PROXY_RELAY_LANE_H
#define POEMD_PROXY_RELAY_LANE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "proxy/relay/pipe.h"

enum lane_news {
    LANE_WAITS,       /* something waits to be sent, or fds to be received; see lane_waiting */
    LANE_HALF_CLOSED, /* one side has closed its writing; what it sent has been delivered */
    LANE_CLOSED,      /* both directions are done */
    LANE_REFUSED,     /* a header that is no message was answered, for the first time from a side */
    LANE_FAILED,      /* see the news' reason and detail */
};

struct lane;

struct lane_event {
    enum lane_news news;
    enum session_reason reason;       /* who closed first, or the fault */
    bool from_client;                 /* the side that closed or failed */
    const struct pipe_detail *detail; /* with LANE_FAILED and LANE_REFUSED */
};

typedef void lane_fn(struct lane *l, const struct lane_event *e, void *arg);

/* What a direction waits for before it reads on. */
enum lane_wait {
    LANE_WAIT_NONE,
    LANE_WAIT_RECEIVER, /* it takes nothing of what is to be sent to it */
    LANE_WAIT_FDS,      /* no room for fds */
    LANE_WAIT_SENDER,   /* part of a message is held, and the rest has not come */
};

struct lane_end {
    struct lane *lane;
    int fd; /* owned by the lane */
    struct event readable;
    struct event writable;
    bool reading;
    bool writing;
};

struct lane {
    struct lane_end client;
    struct lane_end backend;
    struct dma_lane dma; /* without a gate: not used */
    struct asked client_asked;
    struct asked backend_asked;
    struct pipe to_backend;
    struct pipe to_client;
    bool to_backend_done;
    bool to_client_done;
    enum session_reason reason; /* of the first closing */
    enum lane_wait to_backend_wait;
    enum lane_wait to_client_wait;
    unsigned pause_ms; /* how long the last pause was; 0: the direction went on since */
    struct event pause;
    lane_fn *fn;
    void *arg;
};

/* What each side takes in one message. */
struct lane_limits {
    uint32_t max_fds;
    struct wire_takes takes;
};

/*
 * Takes both sockets, which are non-blocking, and begins to relay on the loop. 0 or -errno; the
 * sockets are the lane's in either case and closed by lane_deinit. gate is borrowed for the lane's
 * life; NULL: none.
 */
int lane_init_take(struct lane *l, struct event_base *base, int client_fd, int backend_fd,
                   struct lane_limits client, struct lane_limits backend, struct queue_pool *pool,
                   struct dma_gate *gate, lane_fn *fn, void *arg)
    __attribute__((warn_unused_result));

/*
 * Counts the fds that pass in both directions; the account is borrowed. Before the loop's next
 * turn.
 */
void lane_count_fds(struct lane *l, struct fdroom_session *s);

/* The gate's report has been sent: a direction that was held for it goes on. */
void lane_resume(struct lane *l);

/*
 * Has witnesses look at who uses the sockets, which have SO_PASSCRED; borrowed, NULL: none. Before
 * the loop's next turn.
 */
void lane_witness(struct lane *l, struct witness *client, struct witness *backend);

/* Captures both directions from their next message on; NULL: no more. Taps are borrowed. */
void lane_tap(struct lane *l, struct tap *to_backend, struct tap *to_client);

/* Takes the lane off the loop: no callback comes after this. The sockets stay open. */
void lane_stop(struct lane *l);

/* Stops it, closes both sockets and gives back what the pipes hold. */
void lane_deinit(struct lane *l);

#endif
