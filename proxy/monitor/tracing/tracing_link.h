/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's link to the tracer: the process, started again if it dies, and its channel.
 *
 * Messages wait here while the channel is full, up to a limit; a tracer that lets more accumulate
 * does not keep up, and is killed and replaced.
 *
 * The process lives on if the monitor dies: the keeper has its channel as well, and the next
 * monitor takes that over.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_LINK_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/helper/heartbeat.h"
#include "proxy/ipc/children.h"
#include "trace/capture/tracer_channel.h"

/* Captures at once, and ended ones remembered: the tracer has a file of each. */
#define TRACING_MAX 4352u

struct monitor_context;
struct tracing_link_unsent;
STAILQ_HEAD(tracing_link_outbox, tracing_link_unsent);

/*
 * Messages that may wait, in addition to per_session for each session: a new tracer is sent all
 * sessions at once, and a new capture those of its route.
 */
#define TRACING_LINK_WAITING 4096u

enum tracing_link_news {
    TRACING_LINK_UP,   /* a process has been started and must be sent everything */
    TRACING_LINK_DOWN, /* it has died */
    TRACING_LINK_MSG,  /* it has sent m */
};

/* Called from the loop; TRACING_LINK_UP also from within tracing_link_start. */
typedef void tracing_link_fn(void *arg, enum tracing_link_news news, const struct tracer_msg *m);

struct tracing_link {
    struct monitor_context *context;
    const unsigned *sessions; /* borrowed */
    struct child child;
    pid_t pid;      /* -1: not running */
    int channel_fd; /* -1: not running */
    bool wanted;    /* started once, so started again if it dies */
    bool ready;
    bool quitting;
    unsigned short_lives; /* number of early deaths in a row */
    uint64_t started_ms;
    struct heartbeat beat;
    unsigned killed_beats; /* beats since it was killed, plus 1; 0: not killed */
    struct event *readable;
    struct event *writable;
    struct event *respawn;
    struct tracing_link_outbox outbox;
    unsigned waiting;
    unsigned per_session; /* messages that may wait for each session */
    struct tracer_msg in;
    tracing_link_fn *fn;
    void *arg;
};

/* Returns 0 or -ENOMEM. Does not start a process. sessions (borrowed) is their current number. */
int tracing_link_init(struct tracing_link *l, struct monitor_context *context,
                      const unsigned *sessions, tracing_link_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void tracing_link_deinit(struct tracing_link *l);

/*
 * Goes on with the process of an earlier monitor, as if it had been started. Returns false if it
 * does not live, or cannot be watched; it ends then.
 */
bool tracing_link_adopt(struct tracing_link *l) __attribute__((warn_unused_result));

/* Starts a process, unless there is one. Tries again later if that fails. */
void tracing_link_start(struct tracing_link *l);

/* Returns true if there is a process to talk to. */
bool tracing_link_up(const struct tracing_link *l);

/* Sends m with fds (taken in every case; -1: none). Drops it if there is no process. */
void tracing_link_say_take(struct tracing_link *l, const struct tracer_msg *m, int fd, int fd2);

/* Checks every LIMIT_BEAT_MS that the process makes its turns, and kills it if it hangs. */
void tracing_link_beat(struct tracing_link *l);

/* Nothing more follows: the process writes what it has and exits. It is not started again. */
void tracing_link_quit(struct tracing_link *l);

#endif
