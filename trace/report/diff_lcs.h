/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What two sequences have in common: the fewest elements that only one has are marked. Pure. */
#ifndef POEMD_TRACE_REPORT_DIFF_LCS_H
#define POEMD_TRACE_REPORT_DIFF_LCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements of one sequence at the most. */
#define DIFF_LCS_MAX 4096u

/* Working memory, of some 64 KiB; the caller's, to be reused. */
struct diff_lcs {
    const uint32_t *a;
    const uint32_t *b;
    bool *only_a;
    bool *only_b;
    int32_t forward[2 * DIFF_LCS_MAX + 3]; /* by diagonal: how far from the beginning … */
    int32_t back[2 * DIFF_LCS_MAX + 3];    /* … and from the end */
};

/*
 * Sets only_a[i] (n of them, false before) for elements of a that are not in the common
 * subsequence, only_b[i] (m) for those of b. Time grows with n + m times the number marked; memory
 * does not.
 */
void diff_lcs_run(struct diff_lcs *l, const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                  bool *only_a, bool *only_b);

#endif
