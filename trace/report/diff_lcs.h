/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the longest common subsequence of two sequences, and marks the elements that only one has.
 * Pure.
 */
#ifndef POEMD_TRACE_REPORT_DIFF_LCS_H
#define POEMD_TRACE_REPORT_DIFF_LCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements of one sequence at most. */
#define DIFF_LCS_MAX 4096u

/* Working memory of some 64 KiB; the caller's, for any number of runs. */
struct diff_lcs {
    const uint32_t *a;
    const uint32_t *b;
    bool *only_a;
    bool *only_b;
    int32_t forward[2 * DIFF_LCS_MAX + 3]; /* per diagonal: progress from the beginning … */
    int32_t back[2 * DIFF_LCS_MAX + 3];    /* … and from the end */
};

/*
 * Sets only_a[i] (of n, initially false) for elements of a outside the common subsequence, and
 * only_b[i] (of m) for those of b. Time grows with n + m times the number of marks; memory does
 * not.
 */
void diff_lcs_run(struct diff_lcs *l, const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                  bool *only_a, bool *only_b);

#endif
