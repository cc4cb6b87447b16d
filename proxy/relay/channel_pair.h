/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A channel pair: two sockets with a relay direction each way, and the loop's events for them.
 *
 * A session has one channel pair for its main sockets and, with twin_socket, a second one. Its
 * directions end one by one (half-close); it never ends itself, but notifies its owner, which may
 * call channel_pair_stop from the callback and channel_pair_deinit later.
 */
#ifndef POEMD_PROXY_RELAY_CHANNEL_PAIR_H
#define POEMD_PROXY_RELAY_CHANNEL_PAIR_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "proxy/relay/relay_direction.h"

enum channel_pair_news {
    CHANNEL_PAIR_WAITS,       /* bytes wait to be sent, or fds to be received; see enum
                               * channel_pair_wait */
    CHANNEL_PAIR_HALF_CLOSED, /* one side has closed its writing, and all it sent is delivered */
    CHANNEL_PAIR_CLOSED,      /* both directions are done */
    CHANNEL_PAIR_LOST,        /* the backend is gone, all it sent is delivered; only if it is kept
                               * (channel_pair_keep): detach it, or end */
    CHANNEL_PAIR_TAKEN,       /* detached: the client's messages have been taken and noted, for the
                               * owner to answer */
    CHANNEL_PAIR_STOPPED,     /* the reply to channel_pair_await waits in the backend's socket */
    CHANNEL_PAIR_QUIET,       /* see channel_pair_is_quiet; only if it is observed */
    CHANNEL_PAIR_OVERDUE,     /* a request was answered in the backend's stead */
    CHANNEL_PAIR_REFUSED,     /* an invalid header was answered, for the first time from a side */
    CHANNEL_PAIR_FAILED,      /* see the event's reason and detail */
};

struct channel_pair;

struct channel_pair_event {
    enum channel_pair_news news;
    enum session_reason reason;        /* the side that closed first, or the fault */
    bool from_client;                  /* the side that closed or failed */
    const struct relay_detail *detail; /* with FAILED and REFUSED; with OVERDUE: hdr of the request,
                                        * its size 0: unknown */
};

typedef void channel_pair_fn(struct channel_pair *l, const struct channel_pair_event *e, void *arg);

/* What a direction waits for before it reads on. */
enum channel_pair_wait {
    CHANNEL_PAIR_WAIT_NONE,
    CHANNEL_PAIR_WAIT_RECEIVER, /* it does not take the bytes that wait for it */
    CHANNEL_PAIR_WAIT_FDS,      /* no room for fds */
    CHANNEL_PAIR_WAIT_SENDER,   /* part of a message is held, and the rest has not come */
};

struct channel_pair_end {
    struct channel_pair *channels;
    int fd; /* owned by the channel pair */
    bool reading;
    bool writing;
    struct event readable;
};

/* What a pair needs to wait. Most never do, and there may be thousands of them. */
struct channel_pair_waits {
    struct event writable[SIDES]; /* the socket of that side */
    struct event pause;
    struct event delay[SIDES]; /* of the direction that this side sends in, on purpose */
};

struct channel_pair {
    struct channel_pair_end client;
    struct channel_pair_end backend;
    struct dma_gate_side dma; /* unused without a gate */
    volatile uint64_t *hand;  /* borrowed, or NULL */
    uint64_t in_hand[SIDES];
    struct asked client_asked;
    struct asked backend_asked;
    struct relay_direction to_backend;
    struct relay_direction to_client;
    bool to_backend_done;
    bool to_client_done;
    bool resting;       /* nothing of the client's is taken: see channel_pair_rest */
    bool keeps;         /* a backend that is gone does not end it: see channel_pair_keep */
    bool detached;      /* … and has been detached */
    bool observed;      /* CHANNEL_PAIR_QUIET is notified */
    bool paused[SIDES]; /* the direction that this side sends in waits for the pause's end */
    enum session_reason reason; /* of the first closing */
    enum channel_pair_wait to_backend_wait;
    enum channel_pair_wait to_client_wait;
    unsigned pause_ms;       /* length of the last pause; 0: its direction has gone on since */
    struct overdue *overdue; /* borrowed; NULL: requests are not watched */
    struct event overdue_event;
    bool looks_ahead;      /* it is set for a look at requests that the backend does not take */
    uint32_t busy_poll_us; /* 0: the loop may sleep after a message */
    struct channel_pair_waits *waits; /* owned; NULL: neither direction has ever waited */
    channel_pair_fn *fn;
    void *arg;
};

/*
 * The parts of the session's page (proxy/ipc/session_page.h), which outlives the worker: borrowed
 * for the channel pair's life. Those of a new session are zeroed.
 */
struct channel_pair_page {
    struct relay_mark *to_backend;
    struct relay_mark *to_client;
    struct asked_kept *client_asked;
    struct asked_kept *backend_asked;
    volatile uint64_t *hand; /* the worker's, or NULL */
    uint64_t in_hand[SIDES]; /* its value during a turn of the direction that this side sends in */
};

/* The limits of each side for one message. */
struct channel_pair_limits {
    uint32_t max_fds;
    struct wire_takes takes;
};

/*
 * Takes both sockets, which are non-blocking, and begins to relay on the loop; limits is by enum
 * side. Returns 0 or -errno; in either case the sockets are closed by channel_pair_deinit. gate is
 * borrowed for the channel pair's life; NULL: none.
 */
int channel_pair_init_take(struct channel_pair *l, struct event_base *base, int client_fd,
                           int backend_fd, const struct channel_pair_limits limits[SIDES],
                           const struct channel_pair_page *page, struct queue_pool *pool,
                           struct dma_gate *gate, channel_pair_fn *fn, void *arg)
    __attribute__((warn_unused_result));

/*
 * Counts the fds that pass in both directions; borrows the account. Call before the loop's next
 * turn.
 */
void channel_pair_count_fds(struct channel_pair *l, struct fdroom_session *s);

/*
 * Has the client's requests answered at their age (overdue.h); o is borrowed for the channel pair's
 * life, and needs a gate. It may have requests that wait already. Call before the loop's next turn.
 */
void channel_pair_watch(struct channel_pair *l, struct overdue *o);

/* Leaves what the client sends in its socket, or takes it again. */
void channel_pair_rest(struct channel_pair *l, bool on);

/*
 * Notes in s what is set up. survives: CHANNEL_PAIR_LOST is notified instead of the backend's
 * closing, or the truncation of its last message. s is borrowed for its life. Needs a gate. Call
 * before the loop's next turn; and again to change survives.
 */
void channel_pair_keep(struct channel_pair *l, struct setup *s, bool survives);

/*
 * Hangs up the backend, which may still be there. What the client sends is taken and noted from
 * then on, as if it went on; the owner answers it. Returns false if part of a message of the
 * backend's has gone to the client: it cannot go on with another one, and must end.
 */
bool channel_pair_detach(struct channel_pair *l) __attribute__((warn_unused_result));

/*
 * Returns true if another backend would get whole messages from now on: if not, the client is
 * inside a message that is being discarded.
 */
bool channel_pair_may_attach(const struct channel_pair *l);

/*
 * Goes on with another backend, whose socket it takes, and which has been set up. Returns 0 or
 * -errno; in either case the socket is closed by channel_pair_deinit.
 */
int channel_pair_attach_take(struct channel_pair *l, int backend_fd)
    __attribute__((warn_unused_result));

/* ---- another backend in place of one that lives ---- */

/*
 * Leaves the client's requests in its socket, and what follows them, or takes them again. Its
 * replies before them go on.
 */
void channel_pair_hold_requests(struct channel_pair *l, bool on);

/*
 * Notifies CHANNEL_PAIR_QUIET after each turn in which it is quiet, on or off. Needs
 * channel_pair_keep.
 */
void channel_pair_observe(struct channel_pair *l, bool on);

/*
 * Returns true if nothing is under way: neither side awaits a reply, and no message is held. Needs
 * channel_pair_keep.
 */
bool channel_pair_is_quiet(const struct channel_pair *l);

/*
 * The owner has sent the backend a request of its own: the reply with this id is left in the socket
 * for the owner, and CHANNEL_PAIR_STOPPED notified. What the backend sends before it goes on.
 */
void channel_pair_await(struct channel_pair *l, uint16_t id);

/* The owner has taken the reply, or does not wait for it any more. */
void channel_pair_await_end(struct channel_pair *l);

/*
 * Goes on with another backend, whose socket it takes, and returns the socket of the one before,
 * which the caller owns. It must be quiet, except for requests of the one before, which are void.
 * Returns -ENOMEM and takes nothing if that fails: the session must end.
 */
int channel_pair_exchange_take(struct channel_pair *l, int backend_fd)
    __attribute__((warn_unused_result));

/* ---- */

/*
 * The owner answers a request of the client's in the backend's stead, which is detached: notes the
 * reply, n bytes, in the gate and wherever requests await it. Returns false if out of memory.
 */
bool channel_pair_answers(struct channel_pair *l, const uint8_t *reply, size_t n)
    __attribute__((warn_unused_result));

/* The gate's report has been sent: a direction that was held for it goes on. */
void channel_pair_resume(struct channel_pair *l);

/*
 * Has the senders on the sockets checked, which have SO_PASSCRED; the checks are borrowed, NULL:
 * none. Call before the loop's next turn.
 */
void channel_pair_check_senders(struct channel_pair *l, struct sender_check *client,
                                struct sender_check *backend);

/*
 * From each turn of a direction on, has the loop look for events for this many us before it sleeps.
 */
void channel_pair_busy_poll(struct channel_pair *l, uint32_t us);

/*
 * Counts messages, and measures the time of requests (proxy/ipc/tally.h); m is borrowed for the
 * channel pair's life. twin: these are twin sockets. Needs a gate. Call before the loop's next
 * turn.
 */
void channel_pair_measure(struct channel_pair *l, const struct tally_meter *m, bool twin);

/*
 * The session has been without a worker: the client's requests that lie unread may have waited
 * since since_ms (clock_coarse_ms). Needs channel_pair_watch.
 */
void channel_pair_look_back(struct channel_pair *l, uint32_t since_ms);

/* Captures both directions from their next message on; NULL: stops. Taps are borrowed. */
void channel_pair_tap(struct channel_pair *l, struct tap *to_backend, struct tap *to_client);

/*
 * Injects faults into the messages that each side sends, by enum side; ways are borrowed for the
 * channel pair's life. Needs a gate. May be called between any two turns.
 */
void channel_pair_inject(struct channel_pair *l, struct injector_way ways[SIDES]);

/* Takes both sockets off the loop: no callback follows. The sockets stay open. */
void channel_pair_stop(struct channel_pair *l);

/* Stops, closes both sockets and returns the queues of both directions. */
void channel_pair_deinit(struct channel_pair *l);

/*
 * Returns true if another worker can go on from the marks: no direction has anything of its own, or
 * is in doubt.
 */
bool channel_pair_rests(const struct channel_pair *l);

/* The same as channel_pair_deinit, but the connections go on: other processes have the sockets. */
void channel_pair_let_go(struct channel_pair *l);

/* ---- between channel_pair*.c only ---- */

/* Calls the loop only for changes, since each is a system call. */
void channel_pair_want_read(struct channel_pair_end *e, bool on);

void channel_pair_stop_writing(struct channel_pair_end *e);

/* Sets an end's socket, and reads from it. Returns 0 or -ENOMEM. */
int channel_pair_end_init(struct channel_pair_end *e, struct channel_pair *l,
                          struct event_base *base, int fd) __attribute__((warn_unused_result));

/* The backend has another socket: waits for that one, if it has waited before. */
void channel_pair_move_waits(struct channel_pair *l);

#endif
