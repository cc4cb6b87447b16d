/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Two traces side by side: messages as lines that say what was said and not when, and which of them
 * both have.
 *
 * Of a line is left out what differs from run to run though nothing else was said: ids, times,
 * numbers of messages and sessions, devices and inodes (an fd is the n-th object of its kind), and
 * in VERSION the strings of 32 or 64 hexadecimal digits, which are challenges, proofs and
 * identities. Everything else that was kept of a message counts, whether its text shows it or not.
 *
 * Memory is bounded: lines are aligned DIFF_WINDOW at a time on each side. Where more messages than
 * that differ at once, those are told as different and what comes after them is aligned anew.
 */
#ifndef POEMD_TRACE_REPORT_DIFF_H
#define POEMD_TRACE_REPORT_DIFF_H

#include "trace/report/diff_lcs.h"
#include "trace/file/message.h"
#include "trace/file/reader.h"

/* ---- lines ---- */

#define DIFF_DIGEST 16u

struct diff_line {
    uint64_t message; /* its place in the trace, from 1 */
    uint64_t session; /* the trace's own number of it */
    uint64_t read_ns; /* since the trace's first message */
    uint8_t digest[DIFF_DIGEST];
    size_t n;
    char text[]; /* n bytes of printable ASCII, and a NUL */
};

/* Makes the lines of one trace. */
struct diff_maker;

struct diff_maker *diff_maker_new(void) __attribute__((warn_unused_result));
void diff_maker_free(struct diff_maker *d);

/* The line of the next message, to be freed by free(). NULL: no memory. */
struct diff_line *diff_maker_line(struct diff_maker *d, const struct trace_session *s,
                                  const struct trace_message *m)
    __attribute__((warn_unused_result));

/* ---- the comparison ---- */

#define DIFF_WINDOW DIFF_LCS_MAX

enum diff_kind { DIFF_BOTH, DIFF_ONLY_A, DIFF_ONLY_B };

struct diff_calls {
    /* The next line of a side (0 or 1), to be freed by the comparison: 1; 0 if none; -errno. */
    int (*next)(unsigned side, struct diff_line **out, void *arg);
    /* In order. a is NULL for DIFF_ONLY_B, b for DIFF_ONLY_A; good during the call. */
    void (*tell)(enum diff_kind kind, const struct diff_line *a, const struct diff_line *b,
                 void *arg);
};

/* Compares to the end of both. 0; -ENOMEM; what next failed with. */
int diff_run(const struct diff_calls *calls, void *arg) __attribute__((warn_unused_result));

#endif
