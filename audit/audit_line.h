/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A line of the audit log, and the known events: FORMAT.audit, sections 2 and 4.
 *
 *  {"seq":17,"time":"2026-11-23T10:15:00.123456789Z","prev":"0123456789abcdef","event":"verdict",…}
 *  {"seq":18,"prev":"0123456789abcdef","event":"checkpoint","note":"…"}
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

/*
 * Maximum length of a line without its newline: an entry in the public layout of such trees (C2SP's
 * tlog-tiles, "entry bundles") has a 16-bit length, and a log must fit into that layout. Longer
 * records are split (memory-exported) or cut (audit_fit.h).
 */
#define AUDIT_LINE_MAX 65535u

/* Bytes of "time" without quotes; fractions of a second always have nine digits. */
#define AUDIT_TIME_SIZE 30u

/* Hexadecimal digits of "prev": the first eight bytes of the hash of the previous leaf. */
#define AUDIT_PREV_SIZE 16u

/* Maximum size of the part before an event's own members; every line reserves room for it. */
#define AUDIT_HEAD_MAX 160u

#define AUDIT_CHECKPOINT "checkpoint"
#define AUDIT_ROTATED "log-rotated"
#define AUDIT_RECOVERED "log-recovered"
#define AUDIT_LOSS "loss-accepted"
#define AUDIT_LOST "records-lost"
#define AUDIT_CLOCK "clock-set-back"
#define AUDIT_REPEATED "sessions-repeated"

/* Maximum number of events: the size of arrays of counters by event. */
#define AUDIT_EVENTS_MAX 32u

struct audit_event {
    const char *name;
    bool seals;             /* a batch with such a record ends in a checkpoint */
    bool own;               /* written by the log itself */
    const char *members[8]; /* required members, NULL-terminated */
};

/* All events; the last entry has no name. */
extern const struct audit_event audit_events[];

/*
 * Returns a new reference to a JSON string of foreign bytes, or NULL if out of memory: printable
 * ASCII is copied, all other bytes, quotes and backslashes become \xNN; longer texts are cut with
 * "..." at 4,096 bytes. All names from peers and file systems enter a record through this function.
 */
json_t *audit_text(const void *p, size_t n) __attribute__((warn_unused_result));

/* Returns the event of that name, or NULL. */
const struct audit_event *audit_event_find(const char *name, size_t n);

/* The beginning of a line. Pointers point into the line. */
struct audit_head {
    uint64_t seq;
    const char *time; /* AUDIT_TIME_SIZE bytes; NULL for a checkpoint, which has no time */
    const char *prev; /* AUDIT_PREV_SIZE bytes */
    const struct audit_event *event;
    const char *rest; /* what follows the event's name: "}" or ",…}" */
    size_t rest_n;
};

/*
 * Reads the beginning of a line, without its newline, exactly as audit_line_head writes it. Returns
 * false if it is not a line of the log. Checks only strings and brackets of the rest.
 */
bool audit_line_read(struct audit_head *h, const char *line, size_t n)
    __attribute__((warn_unused_result));

/* Writes the "prev" of the record that follows leaf (NULL for the first record), with a NUL. */
void audit_line_prev(const struct audit_hash *leaf, char out[AUDIT_PREV_SIZE + 1]);

/* Writes a time of CLOCK_REALTIME as RFC 3339 in UTC, with a NUL. */
void audit_line_time(const struct timespec *t, char out[AUDIT_TIME_SIZE + 1]);

/* The present time in that form. */
void audit_line_now(char out[AUDIT_TIME_SIZE + 1]);

/*
 * Writes the part before an event's own members; out has AUDIT_HEAD_MAX bytes. time may be NULL.
 * Returns the number of bytes without the NUL.
 */
size_t audit_line_head(char *out, uint64_t seq, const char *time, const char *prev,
                       const char *event);

/*
 * Writes a checkpoint's complete line, without its newline, to out, which has room for
 * AUDIT_HEAD_MAX bytes plus twice the note; note must be in canonical form. Returns the number of
 * bytes without the NUL.
 */
size_t audit_line_checkpoint(char *out, uint64_t seq, const char *prev, const char *note);

/*
 * Copies the note of a checkpoint's line to out (AUDIT_NOTE_MAX bytes), with a NUL. Returns false
 * unless the line equals, byte for byte, the output of audit_line_checkpoint for that note.
 */
bool audit_line_note(const struct audit_head *h, char *out) __attribute__((warn_unused_result));

/*
 * Reads the tree that a log-rotated line continues. Returns false if the members do not conform to
 * FORMAT.audit, if the root does not match its peaks, or if libcrypto failed. latest
 * (AUDIT_TIME_SIZE + 1 bytes, or NULL) receives the latest time of the earlier records, "" if the
 * line has none.
 */
bool audit_line_rotated(const struct audit_head *h, struct audit_tree *out, char *latest)
    __attribute__((warn_unused_result));

/*
 * Returns a new reference to the members of log-rotated, or NULL if out of memory. file is the name
 * of the rotated file, latest the latest time in it.
 */
json_t *audit_line_rotate(const struct audit_tree *t, const char *file, const char *latest)
    __attribute__((warn_unused_result));

/*
 * Returns a new reference to the members of any line as an object, or NULL if they are not JSON or
 * memory ran out.
 */
json_t *audit_line_members(const struct audit_head *h) __attribute__((warn_unused_result));

#endif
