/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Compares two traces: turns messages into lines that contain their contents but not their times,
 * and finds the lines that both have.
 *
 * A line leaves out values that differ from run to run for equal contents: ids, times, numbers of
 * messages and sessions, devices and inodes (an fd is the n-th object of its kind), and in VERSION
 * strings of 32 or 64 hexadecimal digits, which are challenges, proofs and identities. All else
 * that was kept of a message counts, whether its text shows it or not.
 *
 * Memory is bounded: lines are aligned in windows of DIFF_WINDOW on each side. If more messages
 * than that differ at once, they are reported as different, and alignment starts again behind them.
 */
#ifndef POEMD_TRACE_REPORT_DIFF_H
#define POEMD_TRACE_REPORT_DIFF_H

#include "trace/report/diff_lcs.h"
#include "trace/file/message.h"
#include "trace/file/reader.h"

/* ---- lines ---- */

#define DIFF_DIGEST 16u

struct diff_line {
    uint64_t message; /* index in the trace, from 1 */
    uint64_t session; /* the session's number in the trace */
    uint64_t read_ns; /* since the trace's first message */
    uint8_t digest[DIFF_DIGEST];
    size_t n;
    char text[]; /* n bytes of printable ASCII, and a NUL */
};

/* Turns the messages of one trace into lines. */
struct diff_maker;

struct diff_maker *diff_maker_new(void) __attribute__((warn_unused_result));
void diff_maker_free(struct diff_maker *d);

/*
 * Returns the line of the next message, which the caller frees with free(), or NULL if memory runs
 * out.
 */
struct diff_line *diff_maker_line(struct diff_maker *d, const struct trace_session *s,
                                  const struct trace_message *m)
    __attribute__((warn_unused_result));

/* ---- the comparison ---- */

#define DIFF_WINDOW DIFF_LCS_MAX

enum diff_kind { DIFF_BOTH, DIFF_ONLY_A, DIFF_ONLY_B };

struct diff_calls {
    /*
     * Returns the next line of a side (0 or 1), which the comparison frees: 1; 0 at the end;
     * -errno.
     */
    int (*next)(unsigned side, struct diff_line **out, void *arg);
    /*
     * Called in order. a is NULL for DIFF_ONLY_B, b for DIFF_ONLY_A; both are valid during the
     * call.
     */
    void (*tell)(enum diff_kind kind, const struct diff_line *a, const struct diff_line *b,
                 void *arg);
};

/* Compares until both sides end. Returns 0, -ENOMEM, or the error of next. */
int diff_run(const struct diff_calls *calls, void *arg) __attribute__((warn_unused_result));

#endif
