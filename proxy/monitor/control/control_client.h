/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A client of the control socket, shared by control.c, which does its input and output, and
 * control_dispatch.c.
 */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_CLIENT_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_CLIENT_H

#include <event2/event_struct.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "proxy/ipc/control_wire.h"

struct control;
struct control_subject;

enum control_state {
    CONTROL_ASKED_NOTHING, /* waits for its request */
    CONTROL_COUNTING,      /* waits for the workers' counts */
    CONTROL_RELOADING,     /* waits for the end of the reload that it requested */
    CONTROL_UPGRADING,     /* waits for the check of the program that it requested */
    CONTROL_REPLACING,     /* waits for the end of the replacement that it requested */
    CONTROL_ANSWERED,      /* reads its answer, part by part */
    CONTROL_HOLDING,       /* holds a capture until it closes, or the capture ends by itself; or
                            * waits for the broker's end */
    CONTROL_DROPPED,       /* to be freed when the loop's turn is over */
};

/* The next part of an answer that has several. */
enum control_part {
    CONTROL_PART_BROKER,
    CONTROL_PART_ROUTES,
    CONTROL_PART_SESSIONS,
    CONTROL_PART_TRACES,
    CONTROL_PART_LIST,      /* the objects of a list */
    CONTROL_PART_TRACE_END, /* the last counts of a capture that was held */
    CONTROL_PART_END,       /* only the end mark */
};

struct control_client {
    TAILQ_ENTRY(control_client) link;
    struct control *control;
    const struct control_subject *subject;
    int fd;
    int given_fd; /* came with the request; -1: none, or taken */
    struct ucred who;
    enum control_state state;
    struct control_request request;
    /* how far the answer has come */
    enum control_part part;
    enum control_status status; /* of the next part */
    unsigned route;             /* number of the next one, or of the only one */
    uint64_t after;             /* number of the last session or capture that was sent */
    uint64_t trace;             /* the capture it holds */
    bool stopped;               /* … has been asked to end */
    bool over;                  /* … has ended */
    bool stays;                 /* until the broker has stopped */
    json_t *list;               /* the parts of CONTROL_PART_LIST, owned; otherwise NULL */
    size_t list_at;             /* … the next one */
    json_t *single;             /* the only part of an answer, owned; otherwise NULL */
    /* the bytes that the socket has not taken yet */
    char *unsent;
    size_t unsent_size;
    bool unsent_last;
    struct event readable;
    struct event writable;
};

/* Carries out the request. control_next_part makes the parts of the answer. */
void control_dispatch_request(struct control_client *c);

/*
 * Returns the next part of the answer, a new reference, or NULL if out of memory. Sets *last if it
 * is the last one; a client that holds a capture gets the rest when that ends.
 */
json_t *control_next_part(struct control_client *c, bool *last) __attribute__((warn_unused_result));

/* Sends the answer of a client that waited for its request to be carried out. */
void control_go_on(struct control_client *c);

/* Ends the capture that the client holds, since it closes or asks for the end. */
void control_let_go(struct control_client *c);

/* Makes the answer one object with the reason, in printable ASCII. */
void control_refuse(struct control_client *c, enum control_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
