/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a trace comes to: counts, bytes and latencies by command and by region, the broker's own
 * share, where regions are accessed, how all this goes over time, and excerpts of the sequence.
 *
 * Memory does not grow with the trace, but by a few bytes with each of its sessions, as the
 * reader's does. Pure except for that memory.
 *
 * A request's latency is from when it was read to when its reply was read: both of the first byte,
 * so the broker's time with the request is in it and that with the reply is not. The broker's own
 * share is from a message's first byte read to its last byte delivered. Nanoseconds, all of them.
 *
 * A message that the broker made, or made anew (TRACE_BROKER), is counted as such and no more: so
 * VERSION, of which a session has up to four packets, is one request.
 */
#ifndef POEMD_TRACE_REPORT_STATS_H
#define POEMD_TRACE_REPORT_STATS_H

#include "trace/decode/access.h"
#include "trace/report/stats_histogram.h"
#include "trace/report/stats_maps.h"

/* Rows for commands: by code; 0 is for all that the page has none for. */
#define STATS_COMMANDS 32u

/* Regions that have a row of their own, by route and index; others share the last one. */
#define STATS_REGIONS 64u

/* Distinct notes of what went unseen (FORMAT.trace, section 7) that are told; and of one, bytes. */
#define STATS_NOTES 32u
#define STATS_NOTE_BYTES 128u

/* Sessions that are told one by one. */
#define STATS_SESSIONS 256u

/* Requests of one kind, and what became of them. */
struct stats_row {
    uint64_t requests;
    uint64_t no_reply;   /* of which so many asked for none */
    uint64_t replies;    /* good and bad */
    uint64_t errors;     /* of which so many said so */
    uint64_t unanswered; /* known after stats_finish */
    uint64_t bytes;      /* messages, headers and all; of regions the bytes accessed */
    struct stats_histogram latency;
};

struct stats_region {
    char route[LIMIT_NAME + 1];
    uint32_t index;
    uint64_t size; /* as GET_REGION_INFO said last; 0: it did not */
    struct stats_row read;
    struct stats_row write; /* REGION_WRITE_MULTI: each of its writes, without a latency */
    struct stats_heat heat;
};

/* All messages of one sender. */
struct stats_sender {
    uint64_t messages;
    uint64_t bytes;
    uint64_t fds;
    struct stats_histogram passed; /* the broker's time with those seen on both legs */
};

struct stats_note {
    char text[STATS_NOTE_BYTES];
    uint64_t count;
};

/* A message of an excerpt. */
struct stats_step {
    uint64_t session;
    uint64_t number;
    uint64_t read_ns; /* since the trace's beginning */
    uint64_t passed_ns;
    uint64_t latency; /* of a reply; 0: not known */
    struct access access;
    uint32_t lost;
    uint16_t n_fds;
    uint8_t sender;
    uint8_t legs;
    uint8_t flags;
};

#define STATS_EXCERPT 240u

/* The messages at the beginning, at the end, and around the slowest reply. */
struct stats_excerpts {
    struct stats_step head[STATS_EXCERPT];
    size_t n_head;
    struct stats_step tail[STATS_EXCERPT]; /* a ring: the newest is before at */
    size_t n_tail;
    size_t at;
    struct stats_step slow[STATS_EXCERPT];
    size_t n_slow;
    size_t to_come; /* messages behind the slowest that are still wanted */
};

struct stats_session {
    const struct trace_session *session; /* NULL if none of its messages came */
    uint64_t messages;
    uint64_t lost; /* by the messages behind them */
};

struct stats {
    uint64_t begin_ns; /* since 1970: the first message of the file */
    uint64_t end_ns;   /* since 1970: the latest delivery */
    uint64_t messages;
    uint64_t made;    /* of which the broker made */
    uint64_t unasked; /* replies to nothing that was seen */
    uint64_t undelivered;
    uint64_t malformed; /* without a header, or neither command nor reply */
    uint64_t given_up;  /* requests forgotten for want of room, known after stats_finish */
    struct stats_sender senders[TRACE_SENDERS];
    uint64_t whole_ns;  /* of answered requests on both legs: first byte read to reply delivered */
    uint64_t broker_ns; /* of that the broker's own */
    struct stats_histogram latency; /* all requests */
    struct stats_row commands[STATS_COMMANDS];
    struct stats_region *regions[STATS_REGIONS];
    size_t n_regions;
    struct stats_region others; /* regions that found no room */
    struct stats_note notes[STATS_NOTES];
    size_t n_notes;
    uint64_t more_notes; /* that found no room */
    struct stats_time time;
    struct stats_excerpts excerpts;
    struct stats_session *sessions; /* by the index of the trace's session */
    size_t sessions_room;
    struct trace_pairs *pairs;
};

/* NULL: no memory. */
struct stats *stats_new(void) __attribute__((warn_unused_result));
void stats_free(struct stats *s);

/* Takes the next message; comment NULL if none. 0, or -ENOMEM: a new session could not be noted. */
int stats_feed(struct stats *s, const struct trace_session *session, const struct trace_message *m,
               const char *comment) __attribute__((warn_unused_result));

/* After the last message: counts what was never answered. The sessions must still live. */
void stats_finish(struct stats *s);

/* Messages of a session that are in no file: what its statistics say, or its messages, if more. */
uint64_t stats_session_lost(const struct stats_session *s);

/* … of all. */
uint64_t stats_lost(const struct stats *s);

/* The row's name: the command's, or "other". */
const char *stats_command_name(unsigned code);

#endif
