/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace's statistics: counts, bytes and latencies by command and by region, the broker's own
 * share, the accessed parts of regions, the course of all this over time, and excerpts of the
 * sequence.
 *
 * Memory does not grow with the trace, except by a few bytes for each session, as the reader's
 * does. Pure except for that memory.
 *
 * A request's latency is the time from reading its first byte to reading its reply's first byte, so
 * it includes the broker's time with the request, but not with the reply. The broker's own share is
 * the time from a message's first byte read to its last byte delivered. All times are nanoseconds.
 *
 * A message that the broker made or changed (TRACE_BROKER) is only counted as such: so VERSION,
 * with up to four packets per session, is one request.
 */
#ifndef POEMD_TRACE_REPORT_STATS_H
#define POEMD_TRACE_REPORT_STATS_H

#include "trace/decode/access.h"
#include "trace/report/stats_histogram.h"
#include "trace/report/stats_maps.h"

/* Rows for commands by code; row 0 is for all codes without a name. */
#define STATS_COMMANDS 32u

/* Regions with a row of their own, by route and index; the others share the last one. */
#define STATS_REGIONS 64u

/* Distinct notes of bypasses (FORMAT.trace, section 7) that are listed, and bytes of one. */
#define STATS_NOTES 32u
#define STATS_NOTE_BYTES 128u

/* Sessions that are listed one by one. */
#define STATS_SESSIONS 256u

/* Requests of one kind, and their outcomes. */
struct stats_row {
    uint64_t requests;
    uint64_t no_reply;   /* of these, without a reply wanted */
    uint64_t replies;    /* good and bad */
    uint64_t errors;     /* of these, errors */
    uint64_t unanswered; /* known after stats_finish */
    uint64_t bytes;      /* messages with headers; for regions the bytes accessed */
    struct stats_histogram latency;
};

struct stats_region {
    char route[LIMIT_NAME + 1];
    uint32_t index;
    uint64_t size; /* by the last GET_REGION_INFO; 0: unknown */
    struct stats_row read;
    struct stats_row write; /* REGION_WRITE_MULTI: each of its writes, without latency */
    struct stats_heat heat;
};

/* All messages of one sender. */
struct stats_sender {
    uint64_t messages;
    uint64_t bytes;
    uint64_t fds;
    /* the broker's time with messages seen on both legs */
    struct stats_histogram passed;
};

struct stats_note {
    char text[STATS_NOTE_BYTES];
    uint64_t count;
};

/* A message of an excerpt. */
struct stats_step {
    uint64_t session;
    uint64_t number;
    uint64_t read_ns; /* since the trace's first message */
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
    size_t to_come; /* messages behind the slowest still to be kept */
};

struct stats_session {
    const struct trace_session *session; /* NULL: no message of it yet */
    uint64_t messages;
    uint64_t lost; /* reported by later messages */
};

struct stats {
    uint64_t begin_ns; /* first message of the file, since 1970 */
    uint64_t end_ns;   /* latest delivery, since 1970 */
    uint64_t messages;
    uint64_t made;    /* of these, by the broker */
    uint64_t unasked; /* replies to no captured request */
    uint64_t undelivered;
    uint64_t malformed; /* without a header, or neither command nor reply */
    /* requests forgotten for lack of room, known after stats_finish */
    uint64_t given_up;
    struct stats_sender senders[SIDES];
    /* for answered requests on both legs: from first byte read to reply delivered */
    uint64_t whole_ns;
    uint64_t broker_ns;             /* of this, the broker's own */
    struct stats_histogram latency; /* all requests */
    struct stats_row commands[STATS_COMMANDS];
    struct stats_region *regions[STATS_REGIONS];
    size_t n_regions;
    struct stats_region others; /* regions without a row of their own */
    struct stats_note notes[STATS_NOTES];
    size_t n_notes;
    uint64_t more_notes; /* notes that were not kept */
    struct stats_time time;
    struct stats_excerpts excerpts;
    struct stats_session *sessions; /* by the session's index in the trace */
    size_t sessions_room;
    struct trace_pairs *pairs;
};

/* Returns NULL if memory runs out. */
struct stats *stats_new(void) __attribute__((warn_unused_result));
void stats_free(struct stats *s);

/*
 * Takes the next message; comment may be NULL. Returns 0, or -ENOMEM if there is no memory for a
 * new session.
 */
int stats_feed(struct stats *s, const struct trace_session *session, const struct trace_message *m,
               const char *comment) __attribute__((warn_unused_result));

/* Counts unanswered requests after the last message. The sessions must still live. */
void stats_finish(struct stats *s);

/*
 * Messages of a session that are in no file: by its statistics or by its messages, whichever is
 * more.
 */
uint64_t stats_session_lost(const struct stats_session *s);

/* The same for all sessions. */
uint64_t stats_lost(const struct stats *s);

/* Returns the row's name: the command's, or "other". */
const char *stats_command_name(unsigned code);

#endif
