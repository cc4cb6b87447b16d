/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the tracer's parts know of each other.
 *
 *   tracer.c          the process, its loop and its channel
 *   tracer_session.c  sessions, and which captures take them
 *   tracer_capture.c  a capture: filter, file, rotation, counts
 *   tracer_flight.c   a capture that keeps the newest in memory
 *   tracer_rings.c    the workers' rings
 *   tracer_sandbox.c  what rights it keeps
 *
 * A session in a capture is a view: an interface of the capture's file.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_PARTS_H
#define POEMD_TRACE_CAPTURE_TRACER_PARTS_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <stdbool.h>

#include "trace/decode/filter.h"
#include "trace/file/snap_length.h"
#include "trace/file/reader.h"
#include "trace/capture/ring.h"
#include "trace/capture/tracer_channel.h"
#include "trace/capture/tracer_memory.h"
#include "trace/capture/tracer_out.h"

/* Workers, at most: as many as a configuration may ask for. */
#define TRACER_WORKERS LIMIT_WORKERS

#define TRACER_BUCKETS 1024u

/* Statistics are written so often, in ms. */
#define TRACER_STATISTICS_MS 5000u

struct tracer_start;
struct tracer_capture;
struct tracer_session;

struct tracer_view {
    LIST_ENTRY(tracer_view) session_link;
    LIST_ENTRY(tracer_view) capture_link; /* while the session is there */
    struct tracer_session *session;       /* NULL: it has ended; blocks of it are in memory */
    struct tracer_capture *capture;
    char *name; /* what the session had, once it has ended */
    char *description;
    char *comment;
    bool late;
    uint64_t file;      /* number of the capture's file that has its interface; 0 if none */
    bool changed;       /* since the last statistics */
    uint32_t interface; /* … under this number */
    unsigned held;      /* blocks of it in the flight recorder */
    uint64_t base;      /* number of the last message before the first that was captured */
    uint64_t begin_ns;  /* time of that first one; 0 if none yet */
    uint64_t last;      /* number of the last message that was seen */
    uint64_t missed;    /* lost ones that no packet tells of yet */
    uint64_t lost;      /* all of them */
};

struct tracer_session {
    LIST_ENTRY(tracer_session) link;
    struct trace_session about; /* for filters */
    uint32_t worker;
    char *name;
    char *description;
    char *comment;
    LIST_HEAD(, tracer_view) views;
};

struct tracer_capture {
    LIST_ENTRY(tracer_capture) link;
    struct tracer *tracer;
    uint64_t id;
    struct tracer_settings settings;
    struct filter *filter; /* NULL: everything */
    struct snap_length keep;
    char *filter_text; /* "": everything */
    struct tracer_out out;
    struct tracer_memory *memory; /* NULL: no flight recorder */
    struct event *writable;       /* of a pipe that is full */
    LIST_HEAD(, tracer_view) views;
    uint64_t file;        /* its number, from 1 */
    uint32_t interfaces;  /* in the file */
    uint64_t begun_ms;    /* of the file */
    uint64_t begun_bytes; /* of the file when it was begun, or when no next one could be had */
    bool wants_file;
    bool dumping;       /* a file is waited for, to dump into */
    uint64_t dump_upto; /* … so many of the blocks that were ever in memory */
    bool failed;        /* to be stopped when the turn is over */
    uint32_t why;
    struct tracer_counts counts;
    struct tracer_counts told;
};

struct tracer_ring {
    struct tracer *tracer;
    struct ring_reader *reader; /* NULL if none */
    struct event *bell;
    unsigned stalls; /* turns for which a session was not known */
};

struct tracer {
    struct event_base *base;
    struct event *channel;
    struct event *look;       /* while records flow: now and then */
    struct event *statistics; /* always, and seldom */
    LIST_HEAD(, tracer_capture) captures;
    LIST_HEAD(, tracer_session) sessions[TRACER_BUCKETS];
    struct tracer_ring rings[TRACER_WORKERS];
    unsigned empty_looks;
    uint64_t told_ms;    /* when counts were told last */
    uint64_t patient_ms; /* no reader of a full pipe is waited for before this */
    bool quit_asked;     /* once no flight recorder waits for its file */
    bool quitting;
    struct tracer_msg in;
    struct tracer_msg out;
};

/* Sends t->out, waiting for room in the channel. */
void tracer_say(struct tracer *t);

/* Takes all that the monitor has said. */
void tracer_listen(struct tracer *t);

/* ---- sessions ---- */

struct tracer_session *tracer_session_find(struct tracer *t, uint64_t number);

/* A session, or more of it: t->in. */
void tracer_session_told(struct tracer *t);

/* The capture takes the session: t->in. */
void tracer_session_attach(struct tracer *t);

/* It has ended: t->in. What its ring still holds is taken first. */
void tracer_session_ended(struct tracer *t);

/* A message of the session: to all captures that take it. */
void tracer_session_message(const struct tracer_session *s, const struct trace_message *m);

/* The view leaves its session and its capture; freed unless blocks of it are in memory. */
void tracer_view_leave(struct tracer_view *v);

/* One block of it less in memory: for tracer_memory. */
void tracer_view_released(void *view);

void tracer_sessions_free(struct tracer *t);

/* ---- captures ---- */

struct tracer_capture *tracer_capture_find(struct tracer *t, uint64_t id);

/* Begins one: t->in; takes fd, -1 if none. */
void tracer_capture_begin_take(struct tracer *t, int fd);

/* Its next file, or none: t->in. Takes fd. */
void tracer_capture_file_take(struct tracer *t, int fd);

/* Ends and frees it, with the last statistics, and tells the monitor. */
void tracer_capture_stop(struct tracer_capture *c, uint32_t why);

/* A message that the capture's filter wants: to be written. */
void tracer_capture_put(struct tracer_view *v, const struct trace_message *m, const char *comment);

/*
 * The view's statistics; ending: NULL, or the last ones' comment. Nothing where nothing was seen.
 */
void tracer_capture_statistics(struct tracer_view *v, const char *ending);

/* The turn is over: writes what there is, asks for the next file where one is due. */
void tracer_captures_turn(struct tracer *t);

/* Stops what has failed. Not from within anything of a capture. */
void tracer_captures_reap(struct tracer *t);

/* Tells the monitor how far the captures are, where that has changed. */
void tracer_captures_tell(struct tracer *t);

/* For the flight recorder: the beginning of a file; room in it (NULL if none) and what was put
 * there; the view's interface, unless it is written. False: it does not fit. */
bool tracer_capture_section(struct tracer_capture *c);
void *tracer_capture_room(struct tracer_capture *c, size_t n);
bool tracer_capture_interface(struct tracer_view *v);
void tracer_capture_fail(struct tracer_capture *c, int err);

/* Closes its file. What is still buffered is lost. */
void tracer_capture_close(struct tracer_capture *c);

/* Writes what has been added; a full pipe goes on when it can be written. */
void tracer_capture_flush(struct tracer_capture *c);

/* ---- the flight recorder ---- */

/* Writes down what it holds: asks for a file where it has none. */
void tracer_flight_dump(struct tracer_capture *c);

/*
 * There is a file: writes what was to be dumped, and closes it unless it was given. A pipe that is
 * full gets the rest at a later turn.
 */
void tracer_flight_write(struct tracer_capture *c);

/* Whether something is still to be written to a pipe. */
bool tracer_flight_unwritten(const struct tracer_capture *c);

/* ---- rings ---- */

/* A worker's new ring: t->in; takes both fds. */
void tracer_ring_take(struct tracer *t, int ring_fd, int bell_fd);

/* Takes what the worker's ring holds now. */
void tracer_ring_drain(struct tracer *t, uint32_t worker);

/* Starts to look and to sleep: once all is set up. 0 or -errno. */
int tracer_rings_init(struct tracer *t) __attribute__((warn_unused_result));
void tracer_rings_free(struct tracer *t);

/* Gives up all rights but to write to files that are handed over. 0 or -errno. */
int tracer_sandbox(const struct tracer_start *s) __attribute__((warn_unused_result));

#endif
