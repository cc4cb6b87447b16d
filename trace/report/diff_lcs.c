/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b: finds the middle of
 * a shortest path from both ends at once, then treats both halves in the same manner, so that
 * memory for two rows is enough.
 *
 * A point is x elements into a and y into b; diagonal k has x - y = k. A step along a diagonal
 * costs nothing, since the elements are equal; a step to the next diagonal marks an element.
 */
#include "trace/report/diff_lcs.h"

#include <string.h>

/* A part of both sequences: x0 up to x1, y0 up to y1, ends excluded. */
struct box {
    int32_t x0;
    int32_t x1;
    int32_t y0;
    int32_t y1;
};

/* An entry of a row, which has diagonals on both sides of 0. */
#define AT(row, k) ((row)[(k) + (int32_t)DIFF_LCS_MAX + 1])

/* Follows the diagonal from (x, x - k) while both are equal. Returns the x of its end. */
static int32_t diff_lcs_slide(const struct diff_lcs *l, const struct box *b, int32_t x, int32_t k)
{
    while (x < b->x1 && x - k < b->y1 && l->a[x] == l->b[x - k]) {
        x++;
    }
    return x;
}

static int32_t diff_lcs_slide_back(const struct diff_lcs *l, const struct box *b, int32_t x,
                                   int32_t k)
{
    while (x > b->x0 && x - k > b->y0 && l->a[x - 1] == l->b[x - k - 1]) {
        x--;
    }
    return x;
}

/* Diagonals to search on both sides in the next round, within the box. */
struct reach {
    int32_t low;
    int32_t high;
};

static void diff_lcs_widen(struct reach *r, int32_t least, int32_t most, int32_t *row,
                           int32_t nothing)
{
    if (r->low > least) {
        r->low--;
        AT(row, r->low - 1) = nothing;
    } else {
        r->low++;
    }
    if (r->high < most) {
        r->high++;
        AT(row, r->high + 1) = nothing;
    } else {
        r->high--;
    }
}

/*
 * Finds the middle *x, *y of a shortest path through the box, which has elements of both sides and
 * different ones at its corners.
 */
static void diff_lcs_middle(struct diff_lcs *l, const struct box *b, int32_t *x, int32_t *y)
{
    const int32_t least = b->x0 - b->y1;
    const int32_t most = b->x1 - b->y0;
    const int32_t from = b->x0 - b->y0;
    const int32_t to = b->x1 - b->y1;
    const bool odd = ((from - to) & 1) != 0;
    struct reach f = {from, from};
    struct reach r = {to, to};

    AT(l->forward, from) = b->x0;
    AT(l->back, to) = b->x1;
    for (;;) {
        diff_lcs_widen(&f, least, most, l->forward, -1);
        for (int32_t k = f.high; k >= f.low; k -= 2) {
            const int32_t below = AT(l->forward, k - 1);
            const int32_t above = AT(l->forward, k + 1);
            const int32_t at = diff_lcs_slide(l, b, below < above ? above : below + 1, k);

            AT(l->forward, k) = at;
            if (odd && r.low <= k && k <= r.high && AT(l->back, k) <= at) {
                *x = at;
                *y = at - k;
                return;
            }
        }
        diff_lcs_widen(&r, least, most, l->back, INT32_MAX);
        for (int32_t k = r.high; k >= r.low; k -= 2) {
            const int32_t below = AT(l->back, k - 1);
            const int32_t above = AT(l->back, k + 1);
            const int32_t at = diff_lcs_slide_back(l, b, below < above ? below : above - 1, k);

            AT(l->back, k) = at;
            if (!odd && f.low <= k && k <= f.high && at <= AT(l->forward, k)) {
                *x = at;
                *y = at - k;
                return;
            }
        }
    }
}

/* A half has half the differences, so recursion goes no deeper than their logarithm: 13. */
/* NOLINTNEXTLINE(misc-no-recursion): bounded, see above. */
static void diff_lcs_run_box(struct diff_lcs *l, struct box b)
{
    int32_t x;
    int32_t y;

    while (b.x0 < b.x1 && b.y0 < b.y1 && l->a[b.x0] == l->b[b.y0]) {
        b.x0++;
        b.y0++;
    }
    while (b.x0 < b.x1 && b.y0 < b.y1 && l->a[b.x1 - 1] == l->b[b.y1 - 1]) {
        b.x1--;
        b.y1--;
    }
    if (b.x0 == b.x1) {
        memset(l->only_b + b.y0, true, (size_t)(b.y1 - b.y0));
    } else if (b.y0 == b.y1) {
        memset(l->only_a + b.x0, true, (size_t)(b.x1 - b.x0));
    } else {
        diff_lcs_middle(l, &b, &x, &y);
        diff_lcs_run_box(l, (struct box){b.x0, x, b.y0, y});
        diff_lcs_run_box(l, (struct box){x, b.x1, y, b.y1});
    }
}

void diff_lcs_run(struct diff_lcs *l, const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                  bool *only_a, bool *only_b)
{
    l->a = a;
    l->b = b;
    l->only_a = only_a;
    l->only_b = only_b;
    diff_lcs_run_box(l, (struct box){0, (int32_t)n, 0, (int32_t)m});
}
