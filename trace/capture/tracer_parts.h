/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by the tracer's parts.
 *
 *   tracer.c          the process, its loop and its channel
 *   tracer_session.c  sessions, and the captures that they belong to
 *   tracer_capture.c  a capture: filter, file, rotation, counts
 *   tracer_flight.c   a capture that keeps the newest blocks in memory
 *   tracer_rings.c    the workers' rings
 *   tracer_sandbox.c  the rights that the process keeps
 *
 * A view is a session in a capture: an interface of the capture's file.
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

/* Workers at most: as many as a configuration may ask for, and as many that retire. */
#define TRACER_WORKERS (2 * LIMIT_WORKERS)

#define TRACER_BUCKETS 1024u

/* Interval of statistics, in ms. */
#define TRACER_STATISTICS_MS 5000u

struct tracer_start;
struct tracer_capture;
struct tracer_session;

struct tracer_view {
    LIST_ENTRY(tracer_view) session_link;
    LIST_ENTRY(tracer_view) capture_link; /* while the session exists */
    struct tracer_session *session;       /* NULL: it has ended; its blocks are in memory */
    struct tracer_capture *capture;
    char *name; /* copied from the session when it ended */
    char *description;
    char *comment;
    bool late;
    /* number of the capture's file that has its interface; 0 if none */
    uint64_t file;
    bool changed;       /* since the last statistics */
    uint32_t interface; /* … under this number */
    unsigned held;      /* its blocks in the flight recorder */
    /* number of the last message before the first captured one */
    uint64_t base;
    uint64_t begin_ns; /* time of that first one; 0 before it */
    uint64_t last;     /* number of the last message */
    uint64_t missed;   /* lost ones not yet reported in a packet */
    uint64_t lost;     /* all lost ones */
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
    struct filter *filter; /* NULL: selects all messages */
    struct snap_length keep;
    char *filter_text; /* "": selects all messages */
    struct tracer_out out;
    struct tracer_memory *memory; /* NULL: no flight recorder */
    struct event *writable;       /* for a full pipe */
    struct event *hangup;         /* for a pipe whose reader goes while nothing is written */
    LIST_HEAD(, tracer_view) views;
    uint64_t file;       /* its number, from 1 */
    uint32_t interfaces; /* in the file */
    uint64_t begun_ms;   /* of the file */
    /* bytes of the file at its beginning, or when no next one was to be had */
    uint64_t begun_bytes;
    bool full; /* the monitor knows that its disk is */
    bool wants_file;
    /* waits for a file to dump into */
    bool dumping;
    uint64_t dump_upto; /* … this many of all blocks ever added */
    bool failed;        /* to be stopped at the end of the turn */
    uint32_t why;
    struct tracer_counts counts;
    struct tracer_counts told;
};

struct tracer_ring {
    struct tracer *tracer;
    struct ring_reader *reader; /* NULL if none */
    struct event *bell;
    unsigned stalls; /* looks at which a session was unknown */
};

struct tracer {
    struct event_base *base;
    struct event *channel;
    struct event *look;       /* timer, while records flow */
    struct event *statistics; /* slow timer, always on */
    LIST_HEAD(, tracer_capture) captures;
    LIST_HEAD(, tracer_session) sessions[TRACER_BUCKETS];
    struct tracer_ring rings[TRACER_WORKERS];
    unsigned empty_looks;
    uint64_t told_ms; /* when counts were last sent */
    /* sessions or captures have ended since memory was last given back to the kernel */
    bool freed;
    /* until then, no reader of a full pipe is waited for */
    uint64_t patient_ms;
    /* quits when no flight recorder waits for a file */
    bool quit_asked;
    bool quitting;
    struct tracer_msg in;
    struct tracer_msg out;
};

/* Sends t->out; blocks until the channel has room. */
void tracer_say(struct tracer *t);

/* ---- sessions ---- */

struct tracer_session *tracer_session_find(struct tracer *t, uint64_t number);

/* Adds or updates the session in t->in. */
void tracer_session_told(struct tracer *t);

/* Adds the session in t->in to its capture. */
void tracer_session_attach(struct tracer *t);

/* Ends the session in t->in, after draining its ring. */
void tracer_session_ended(struct tracer *t);

/* Passes a message of the session to all of its captures. */
void tracer_session_message(const struct tracer_session *s, const struct trace_message *m);

/* Removes the view from its session and its capture; frees it unless its blocks are in memory. */
void tracer_view_leave(struct tracer_view *v);

/* Counts one block of the view less in memory; called by tracer_memory. */
void tracer_view_released(void *view);

void tracer_sessions_free(struct tracer *t);

/* ---- captures ---- */

struct tracer_capture *tracer_capture_find(struct tracer *t, uint64_t id);

/* Starts the capture in t->in; takes fd, -1 if none. */
void tracer_capture_begin_take(struct tracer *t, int fd);

/* Gives the capture in t->in its next file; takes fd, -1 if none. */
void tracer_capture_file_take(struct tracer *t, int fd);

/* Reports the capture's counts to the monitor, in a message of this type. */
void tracer_capture_notify(struct tracer_capture *c, enum tracer_type type, uint32_t why);

/* Writes the last statistics, ends and frees the capture, and reports to the monitor. */
void tracer_capture_stop(struct tracer_capture *c, uint32_t why);

/* Writes a message that the capture's filter selected. */
void tracer_capture_put(struct tracer_view *v, const struct trace_message *m, const char *comment);

/*
 * Writes the view's statistics, unless it saw no message. ending: the last ones' comment, else
 * NULL.
 */
void tracer_capture_statistics(struct tracer_view *v, const char *ending);

/* Ends a turn: writes the buffers out, and asks for next files that are due. */
void tracer_captures_turn(struct tracer *t);

/* Stops captures that have failed. Must not be called from within a function of a capture. */
void tracer_captures_reap(struct tracer *t);

/* Reports the captures' progress to the monitor if it has changed. */
void tracer_captures_notify(struct tracer *t);

/*
 * For the flight recorder: returns room in the file (NULL if none); writes the view's interface
 * unless it is there (false if it does not fit).
 */
void *tracer_capture_room(struct tracer_capture *c, size_t n);
bool tracer_capture_interface(struct tracer_view *v);

/* Closes the capture's file. Bytes still in the buffer are lost. */
void tracer_capture_close(struct tracer_capture *c);

/* Writes the added blocks; goes on later if a pipe is full. */
void tracer_capture_flush(struct tracer_capture *c);

/* ---- the flight recorder ---- */

/* Dumps the memory; asks for a file if none is open. */
void tracer_flight_dump(struct tracer_capture *c);

/*
 * Writes the dump to the file, and closes it unless it came as an fd. If a pipe is full, it gets
 * the rest in later turns.
 */
void tracer_flight_write(struct tracer_capture *c);

/* Returns true if a part of the dump still waits for a pipe. */
bool tracer_flight_unwritten(const struct tracer_capture *c);

/* ---- rings ---- */

/* Takes both fds: the new ring of the worker in t->in. */
void tracer_ring_take(struct tracer *t, int ring_fd, int bell_fd);

/* Handles all records that the worker's ring holds now. */
void tracer_ring_drain(struct tracer *t, uint32_t worker);

/* Starts to poll the rings, after all else is set up. Returns 0 or -errno. */
int tracer_rings_init(struct tracer *t) __attribute__((warn_unused_result));
void tracer_rings_free(struct tracer *t);

/* Drops all rights except to write to files received open. Returns 0 or -errno. */
int tracer_sandbox(const struct tracer_start *s) __attribute__((warn_unused_result));

#endif
