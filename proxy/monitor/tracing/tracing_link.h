/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's link to the tracer: the process, started again where it dies, and its channel.
 *
 * What is said while the channel is full waits here, up to a limit: a tracer that lets more come
 * together does not keep up, and is ended like one that died.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_LINK_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/heartbeat.h"
#include "proxy/monitor/children.h"
#include "trace/capture/tracer_channel.h"

struct monitor;
struct tracing_link_unsent;
STAILQ_HEAD(tracing_link_outbox, tracing_link_unsent);

/*
 * Messages that may wait, beside per_session for each session that there is: a new tracer is told
 * of all of them at once, and a new capture of those of its route.
 */
#define TRACING_LINK_WAITING 4096u

enum tracing_link_news {
    TRACING_LINK_UP,   /* a process has been started: all is to be said anew */
    TRACING_LINK_DOWN, /* it has died */
    TRACING_LINK_MSG,  /* it has said m */
};

/* From the loop; TRACING_LINK_UP also from within tracing_link_start. */
typedef void tracing_link_fn(void *arg, enum tracing_link_news news, const struct tracer_msg *m);

struct tracing_link {
    struct monitor *monitor;
    struct child child;
    pid_t pid;      /* -1: not running */
    int channel_fd; /* -1: not running */
    bool wanted;    /* started once: started again where it dies */
    bool ready;
    bool quitting;
    unsigned short_lives; /* how often in a row it has died soon */
    uint64_t started_ms;
    struct heartbeat beat;
    unsigned killed_beats; /* since it was killed, and 1; 0: it was not */
    struct event *readable;
    struct event *writable;
    struct event *respawn;
    struct tracing_link_outbox outbox;
    unsigned waiting;
    unsigned per_session; /* messages that each may have waiting */
    struct tracer_msg in;
    tracing_link_fn *fn;
    void *arg;
};

/* 0 or -ENOMEM. No process is started. */
int tracing_link_init(struct tracing_link *l, struct monitor *m, tracing_link_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void tracing_link_deinit(struct tracing_link *l);

/* Has a process started, unless there is one. One that cannot be started is tried again. */
void tracing_link_start(struct tracing_link *l);

/* Whether there is a process to talk to. */
bool tracing_link_up(const struct tracing_link *l);

/* Says m, with fds (taken in every case; -1: none). Where there is no process it is forgotten. */
void tracing_link_say_take(struct tracing_link *l, const struct tracer_msg *m, int fd, int fd2);

/* Every LIMIT_BEAT_MS: asks the process whether it makes its turns, and kills one that hangs. */
void tracing_link_beat(struct tracing_link *l);

/* Everything has been said: the process writes it down and exits. It is not started again. */
void tracing_link_quit(struct tracing_link *l);

#endif
