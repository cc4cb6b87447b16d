/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A client of the control socket, between control.c, which talks to it, and control_dispatch.c. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_CLIENT_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_CLIENT_H

#include <event2/event_struct.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "proxy/ipc/control_wire.h"

struct control;
struct monitor;

enum control_state {
    CONTROL_ASKED_NOTHING, /* its request is waited for */
    CONTROL_COUNTING,      /* … workers are, to say what has passed */
    CONTROL_ANSWERED,      /* it reads its answer, part by part */
    CONTROL_HOLDING,       /* a capture goes on until it closes, or ends by itself */
    CONTROL_DROPPED,       /* to be freed when the loop's turn is over */
};

/* What is next in an answer of many parts. */
enum control_part {
    CONTROL_PART_BROKER,
    CONTROL_PART_ROUTES,
    CONTROL_PART_SESSIONS,
    CONTROL_PART_TRACES,
    CONTROL_PART_TRACE_END, /* the last counts of a capture that was held */
    CONTROL_PART_END,       /* nothing but the mark */
};

struct control_client {
    TAILQ_ENTRY(control_client) link;
    struct control *control;
    struct monitor *monitor;
    int fd;
    int given_fd; /* came with the request; -1: none, or taken */
    struct ucred who;
    enum control_state state;
    struct control_request request;
    /* where the answer is */
    enum control_part part;
    enum control_status status; /* of what is answered next */
    size_t route;               /* the next one's index */
    uint64_t after;             /* number of the last session or capture that was told */
    uint64_t trace;             /* the capture that is held */
    bool stopped;               /* … has been told to end */
    bool over;                  /* … has ended */
    json_t *single;             /* the only part of an answer, owned; else NULL */
    /* what the socket did not take yet */
    char *unsent;
    size_t unsent_size;
    bool unsent_last;
    struct event readable;
    struct event writable;
};

/* Does what is asked. The answer's parts come from control_next_part. */
void control_obey(struct control_client *c);

/*
 * The next part of the answer, a new reference; NULL: no memory. *last: nothing follows; then a
 * client that holds a capture will be told the rest later.
 */
json_t *control_next_part(struct control_client *c, bool *last) __attribute__((warn_unused_result));

/* It closes, or wants what it holds to end. */
void control_let_go(struct control_client *c);

/* The answer is one object, which says why not, in printable ASCII. */
void control_refuse(struct control_client *c, enum control_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
