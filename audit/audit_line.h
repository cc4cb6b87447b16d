/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A line of the audit log and the events that there are: FORMAT.audit, sections 2 and 4.
 *
 *   {"seq":17,"time":"2026-11-23T10:15:00.123456789Z","prev":"0123456789abcdef","event":"verdict",…}
 *   {"seq":18,"prev":"0123456789abcdef","event":"checkpoint","note":"…"}
 *
 * Reading is pure.
 */
#ifndef POEMD_AUDIT_AUDIT_LINE_H
#define POEMD_AUDIT_AUDIT_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "audit/audit_tree.h"

/* Bytes of "time" without quotes: always nine digits of a second. */
#define AUDIT_TIME_SIZE 30u

/* Hexadecimal digits of "prev": the first eight bytes of the hash of the leaf before. */
#define AUDIT_PREV_SIZE 16u

/* What is before an event's own members, at the most: room for it is kept in every line. */
#define AUDIT_HEAD_MAX 160u

#define AUDIT_CHECKPOINT "checkpoint"
#define AUDIT_ROTATED "log-rotated"
#define AUDIT_RECOVERED "log-recovered"
#define AUDIT_LOSS "loss-accepted"
#define AUDIT_LOST "records-lost"
#define AUDIT_CLOCK "clock-set-back"
#define AUDIT_REPEATED "sessions-repeated"

/* Events that there are, at the most: what is counted by event has so many counters. */
#define AUDIT_EVENTS_MAX 32u

struct audit_event {
    const char *name;
    bool seals;             /* a batch with one is closed by a checkpoint */
    bool own;               /* the log writes it itself */
    const char *members[8]; /* that it must have, NULL-terminated */
};

/* The events, last one without name. */
extern const struct audit_event audit_events[];

/* The event of that name, or NULL. */
const struct audit_event *audit_event_find(const char *name, size_t n);

/* A line's beginning. Pointers go into the line. */
struct audit_head {
    uint64_t seq;
    const char *time; /* AUDIT_TIME_SIZE bytes; NULL: a checkpoint, which has none */
    const char *prev; /* AUDIT_PREV_SIZE bytes */
    const struct audit_event *event;
    const char *rest; /* from behind the event's name: "}" or ",…}" */
    size_t rest_n;
};

/*
 * Reads the beginning of a line, without its end, exactly as audit_line_head writes it. False: it
 * is none of the log's. Of the rest only strings and brackets are looked at.
 */
bool audit_line_read(struct audit_head *h, const char *line, size_t n)
    __attribute__((warn_unused_result));

/* "prev" for whoever follows the leaf; NULL: for the first record of all. With a NUL. */
void audit_line_prev(const struct audit_hash *leaf, char out[AUDIT_PREV_SIZE + 1]);

/* A moment of CLOCK_REALTIME as RFC 3339, UTC. With a NUL. */
void audit_line_time(const struct timespec *t, char out[AUDIT_TIME_SIZE + 1]);

/*
 * Writes what stands before an event's own members: out has AUDIT_HEAD_MAX bytes. time NULL: none.
 * Returns the bytes without the NUL.
 */
size_t audit_line_head(char *out, uint64_t seq, const char *time, const char *prev,
                       const char *event);

/*
 * Writes a checkpoint's whole line, without its end, to out, which has room for AUDIT_HEAD_MAX and
 * twice the note; note is a canonical one. Returns the bytes without the NUL.
 */
size_t audit_line_checkpoint(char *out, uint64_t seq, const char *prev, const char *note);

/*
 * The note of a checkpoint's line, into out (AUDIT_NOTE_MAX bytes) with a NUL. False: the line is
 * not, byte for byte, what audit_line_checkpoint writes for it.
 */
bool audit_line_note(const struct audit_head *h, char *out) __attribute__((warn_unused_result));

/*
 * The tree that a log-rotated line goes on from. False: the members are not the page's, or its root
 * is not that of its peaks, or libcrypto failed. latest (AUDIT_TIME_SIZE + 1 bytes, or NULL) is the
 * latest time of the records before, "" where the line has none.
 */
bool audit_line_rotated(const struct audit_head *h, struct audit_tree *out, char *latest)
    __attribute__((warn_unused_result));

/*
 * The members of log-rotated, a new reference; NULL without memory. file is what was rotated,
 * latest the latest time in it.
 */
json_t *audit_line_rotate(const struct audit_tree *t, const char *file, const char *latest)
    __attribute__((warn_unused_result));

/*
 * The members of any line as an object, a new reference; NULL: they are not JSON, or no memory.
 */
json_t *audit_line_members(const struct audit_head *h) __attribute__((warn_unused_result));

#endif
