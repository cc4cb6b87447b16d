/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b: the middle of a
 * shortest way is found from both ends at once, and both halves are treated in the same manner, so
 * that no more memory is needed than for two rows.
 *
 * A place is x elements into a and y into b; diagonal k is where x - y = k. Going along a diagonal
 * costs nothing, since the elements are the same; a step to the next diagonal marks one.
 */
#include "trace/report/diff_lcs.h"

#include <string.h>

/* A part of both sequences: from x0 below x1, from y0 below y1. */
struct box {
    int32_t x0;
    int32_t x1;
    int32_t y0;
    int32_t y1;
};

/* Room for diagonals on both sides of 0. */
#define AT(row, k) ((row)[(k) + (int32_t)DIFF_LCS_MAX + 1])

/* From (x, x - k) along the diagonal as far as both agree. Returns the x where it ends. */
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

/* How far to look on both sides of a diagonal in the next round; beyond the box there is nothing.
 */
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
 * The middle of a shortest way through the box, which is empty on neither side and whose corners
 * agree in nothing: *x and *y.
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

/* A half has half the differences, so this goes no deeper than their logarithm: 13. */
/* NOLINTNEXTLINE(misc-no-recursion): as said. */
static void diff_lcs_run_it(struct diff_lcs *l, struct box b)
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
        diff_lcs_run_it(l, (struct box){b.x0, x, b.y0, y});
        diff_lcs_run_it(l, (struct box){x, b.x1, y, b.y1});
    }
}

void diff_lcs_run(struct diff_lcs *l, const uint32_t *a, size_t n, const uint32_t *b, size_t m,
                  bool *only_a, bool *only_b)
{
    l->a = a;
    l->b = b;
    l->only_a = only_a;
    l->only_b = only_b;
    diff_lcs_run_it(l, (struct box){0, (int32_t)n, 0, (int32_t)m});
}
