/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Compares two traces. While both sides are equal, one line of each is held. At a difference, both
 * windows are filled and aligned, and reported up to the last common line; lines behind it may
 * still match later ones.
 */
#include "trace/report/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lines that wait on one side, oldest first. */
struct diff_input {
    struct diff_line *lines[DIFF_WINDOW];
    size_t n;
    bool ended;
    bool only[DIFF_WINDOW];
    uint32_t classes[DIFF_WINDOW]; /* of the lines that the other side has too … */
    uint32_t places[DIFF_WINDOW];  /* … and their indexes in lines */
    bool marks[DIFF_WINDOW];
};

struct entry {
    const struct diff_line *line;
    uint32_t side;
    uint32_t place;
};

struct diff {
    const struct diff_calls *calls;
    void *arg;
    struct diff_input sides[2];
    struct diff_lcs lcs;
    struct entry sorted[2 * DIFF_WINDOW];
};

/* Reads lines until a side has `want`, or has ended. */
static int diff_fill(struct diff *d, unsigned side, size_t want)
{
    struct diff_input *const s = &d->sides[side];

    while (s->n < want && !s->ended) {
        const int got = d->calls->next(side, &s->lines[s->n], d->arg);

        if (got < 0) {
            return got;
        }
        s->n += (size_t)got;
        s->ended = got == 0;
    }
    return 0;
}

static bool diff_same(const struct diff_line *a, const struct diff_line *b)
{
    return memcmp(a->digest, b->digest, DIFF_DIGEST) == 0;
}

/* Frees the first n lines of a side, which have been reported. */
static void diff_drop(struct diff_input *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(s->lines[i]);
    }
    memmove(s->lines, s->lines + n, (s->n - n) * sizeof *s->lines);
    s->n -= n;
}

/* ---- alignment ---- */

static int diff_by_digest(const void *p, const void *q)
{
    const struct entry *const a = p;
    const struct entry *const b = q;

    return memcmp(a->line->digest, b->line->digest, DIFF_DIGEST);
}

/* Gives equal lines a common number; marks lines that only one side has. */
static void diff_classify(struct diff *d)
{
    uint32_t class[2][DIFF_WINDOW];
    size_t n = 0;

    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < d->sides[side].n; i++) {
            d->sorted[n++] = (struct entry){d->sides[side].lines[i], side, i};
        }
    }
    qsort(d->sorted, n, sizeof *d->sorted, diff_by_digest);
    for (size_t i = 0, end; i < n; i = end) {
        bool has[2] = {false, false};

        for (end = i; end < n && diff_same(d->sorted[end].line, d->sorted[i].line); end++) {
            has[d->sorted[end].side] = true;
        }
        for (size_t k = i; k < end; k++) {
            const struct entry *const e = &d->sorted[k];

            d->sides[e->side].only[e->place] = !has[0] || !has[1];
            class[e->side][e->place] = (uint32_t)i;
        }
    }
    for (unsigned side = 0; side < 2; side++) {
        struct diff_input *const s = &d->sides[side];
        size_t kept = 0;

        for (uint32_t i = 0; i < s->n; i++) {
            if (!s->only[i]) {
                s->classes[kept] = class[side][i];
                s->places[kept++] = i;
            }
        }
        memset(s->marks, 0, kept * sizeof *s->marks);
    }
}

static size_t diff_kept_of(const struct diff_input *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        n += !s->only[i];
    }
    return n;
}

static void diff_align(struct diff *d)
{
    struct diff_input *const a = &d->sides[0];
    struct diff_input *const b = &d->sides[1];
    size_t n[2];

    diff_classify(d);
    n[0] = diff_kept_of(a);
    n[1] = diff_kept_of(b);
    diff_lcs_run(&d->lcs, a->classes, n[0], b->classes, n[1], a->marks, b->marks);
    for (unsigned side = 0; side < 2; side++) {
        struct diff_input *const s = &d->sides[side];

        for (size_t i = 0; i < n[side]; i++) {
            s->only[s->places[i]] |= s->marks[i];
        }
    }
}

/* Number of lines up to and including the last common one. */
static size_t diff_aligned(const struct diff_input *s)
{
    size_t n = s->n;

    while (n > 0 && s->only[n - 1]) {
        n--;
    }
    return n;
}

/* Reports n lines of one side and m of the other, lines of one side before common ones. */
static void diff_notify(struct diff *d, size_t n, size_t m)
{
    const struct diff_input *const a = &d->sides[0];
    const struct diff_input *const b = &d->sides[1];
    size_t i = 0;
    size_t j = 0;

    while (i < n || j < m) {
        if (i < n && a->only[i]) {
            d->calls->tell(DIFF_ONLY_A, a->lines[i++], NULL, d->arg);
        } else if (j < m && b->only[j]) {
            d->calls->tell(DIFF_ONLY_B, NULL, b->lines[j++], d->arg);
        } else {
            d->calls->tell(DIFF_BOTH, a->lines[i++], b->lines[j++], d->arg);
        }
    }
    diff_drop(&d->sides[0], n);
    diff_drop(&d->sides[1], m);
}

/* Handles a place at which the sides differ. */
static int diff_part(struct diff *d)
{
    struct diff_input *const a = &d->sides[0];
    struct diff_input *const b = &d->sides[1];
    int err = diff_fill(d, 0, DIFF_WINDOW);
    size_t n;
    size_t m;

    err = err ? err : diff_fill(d, 1, DIFF_WINDOW);
    if (err < 0) {
        return err;
    }
    diff_align(d);
    n = diff_aligned(a);
    m = diff_aligned(b);
    if (a->ended && b->ended) {
        n = a->n;
        m = b->n;
    } else if (n == 0 && m == 0) {
        /* Whole windows without a common line: reports half of each, to go on. */
        n = a->n == DIFF_WINDOW ? DIFF_WINDOW / 2 : a->n;
        m = b->n == DIFF_WINDOW ? DIFF_WINDOW / 2 : b->n;
    }
    diff_notify(d, n, m);
    return 0;
}

/* Returns how many lines at the beginning are equal. */
static size_t diff_alike(struct diff_input *a, struct diff_input *b)
{
    size_t n = 0;

    for (; n < a->n && n < b->n && diff_same(a->lines[n], b->lines[n]); n++) {
        a->only[n] = false;
        b->only[n] = false;
    }
    return n;
}

static int diff_run_windows(struct diff *d)
{
    struct diff_input *const a = &d->sides[0];
    struct diff_input *const b = &d->sides[1];
    size_t n;

    for (;;) {
        int err = diff_fill(d, 0, 1);

        err = err ? err : diff_fill(d, 1, 1);
        if (err < 0) {
            return err;
        }
        if (a->n == 0 && b->n == 0) {
            return 0;
        }
        n = diff_alike(a, b);
        if (n > 0) {
            diff_notify(d, n, n);
        } else {
            err = diff_part(d);
            if (err < 0) {
                return err;
            }
        }
    }
}

int diff_run(const struct diff_calls *calls, void *arg)
{
    struct diff *const d = calloc(1, sizeof *d);
    int err;

    if (!d) {
        return -ENOMEM;
    }
    d->calls = calls;
    d->arg = arg;
    err = diff_run_windows(d);
    diff_drop(&d->sides[0], d->sides[0].n);
    diff_drop(&d->sides[1], d->sides[1].n);
    free(d);
    return err;
}
