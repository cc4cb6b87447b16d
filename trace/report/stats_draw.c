/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Draws bars and maps as wide as a terminal, in block characters or ASCII. Without colours, so that
 * the terminal's own apply.
 */
#include "trace/report/stats_draw.h"

#include <inttypes.h>
#include <string.h>

#include "trace/report/stats_labels.h"

/* Columns beside a picture, for labels and counts. */
#define LABEL 12u
#define COUNTS 12u

/* Smallest and largest width of a picture, whatever the terminal's. */
#define PICTURE_MIN 16u
#define PICTURE_MAX 512u

static unsigned stats_draw_picture_width(const struct stats_canvas *c, unsigned beside)
{
    const unsigned width = c->width > beside + PICTURE_MIN ? c->width - beside : PICTURE_MIN;

    return width < PICTURE_MAX ? width : PICTURE_MAX;
}

/* ---- the histogram ---- */

/*
 * Draws a bar in eighths of a column, in ASCII in whole columns. A count above 0 is always visible.
 */
static void stats_draw_put_bar(uint64_t value, uint64_t most, unsigned width, bool utf8, FILE *f)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const unsigned length = (unsigned)((double)value / (double)most * (double)width * 8.0 + 0.5);

    for (unsigned i = 0; i < length / 8; i++) {
        fputs(utf8 ? "█" : "#", f);
    }
    if (utf8) {
        fputs(length == 0 && value > 0 ? eighths[1] : eighths[length % 8], f);
    } else if (length / 8 == 0 && value > 0) {
        fputc('.', f);
    }
}

/* Steps per line: an octave if there are many, else less. */
static unsigned stats_draw_steps_per_line(unsigned first, unsigned last)
{
    const unsigned n = last - first + 1;

    return n > 40 ? 4 : n > 20 ? 2 : 1;
}

static uint64_t stats_draw_line_count(const struct stats_histogram *h, unsigned from, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n && from + i < STATS_HISTOGRAM_STEPS; i++) {
        sum += stats_histogram_step_count(h, from + i);
    }
    return sum;
}

static void draw_histogram(const struct stats_histogram *h, const struct stats_canvas *c, FILE *f)
{
    const unsigned last = stats_histogram_step(h->max);
    const unsigned by = stats_draw_steps_per_line(stats_histogram_step(h->min), last);
    const unsigned first = stats_histogram_step(h->min) / by * by;
    uint64_t most = 1;
    char from[32];

    fprintf(f, "\nLatency of all requests\n");
    for (unsigned i = first; i <= last; i += by) {
        const uint64_t n = stats_draw_line_count(h, i, by);

        most = n > most ? n : most;
    }
    for (unsigned i = first; i <= last; i += by) {
        const uint64_t n = stats_draw_line_count(h, i, by);

        fprintf(f, "%*s %s", (int)LABEL - 2,
                stats_duration(stats_histogram_step_low(i), from, sizeof from),
                c->utf8 ? "│" : "|");
        stats_draw_put_bar(n, most, stats_draw_picture_width(c, LABEL + COUNTS), c->utf8, f);
        fprintf(f, " %" PRIu64 "\n", n);
    }
}

/* ---- the maps ---- */

/*
 * Fits n cells into at most room columns: sums cells if there are more, repeats them if fewer.
 * Returns the number of columns.
 */
static unsigned stats_draw_spread(const uint64_t *cells, size_t n, unsigned room, uint64_t *columns)
{
    if (n <= room) {
        const unsigned times = room / (unsigned)n;

        for (unsigned x = 0; x < (unsigned)n * times; x++) {
            columns[x] = cells[x / times];
        }
        return (unsigned)n * times;
    }
    memset(columns, 0, room * sizeof *columns);
    for (size_t i = 0; i < n; i++) {
        columns[i * room / n] += cells[i];
    }
    return room;
}

/*
 * Returns 0 for 0, else 1 to 8 by the logarithm, so that a polled register does not hide all
 * others.
 */
static unsigned stats_draw_level_of(uint64_t count, uint64_t most)
{
    const int bits = count > 0 ? 64 - __builtin_clzll(count) : 0;
    const int all = 64 - __builtin_clzll(most | 1);

    return count == 0 ? 0 : 1 + (unsigned)(7 * (bits - 1) / (all > 1 ? all - 1 : 1));
}

static void stats_draw_put_columns(const char *label, const uint64_t *columns, unsigned n,
                                   uint64_t most, bool utf8, FILE *f)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char ascii[] = " .:-=+*#@";

    fprintf(f, "%*s %s", (int)LABEL - 2, label, utf8 ? "│" : "|");
    for (unsigned x = 0; x < n; x++) {
        const unsigned level = stats_draw_level_of(columns[x], most);

        if (utf8) {
            fputs(blocks[level], f);
        } else {
            fputc(ascii[level], f);
        }
    }
    fprintf(f, "%s\n", utf8 ? "│" : "|");
}

static void draw_map(const struct stats_region *r, const struct stats_canvas *c, FILE *f)
{
    const struct stats_heat *const h = &r->heat;
    const unsigned room = stats_draw_picture_width(c, LABEL + 1);
    const size_t n = stats_heat_used(h);
    uint64_t reads[PICTURE_MAX];
    uint64_t writes[PICTURE_MAX];
    char label[LIMIT_NAME + 32];
    uint64_t most = 1;
    unsigned width;

    if (n == 0) {
        return;
    }
    width = stats_draw_spread(h->reads, n, room, reads);
    (void)stats_draw_spread(h->writes, n, room, writes);
    for (unsigned x = 0; x < width; x++) {
        most = reads[x] > most ? reads[x] : most;
        most = writes[x] > most ? writes[x] : most;
    }
    fprintf(f, "\nAccesses to %s at 0x0 to 0x%" PRIx64, stats_region_label(r, label, sizeof label),
            (((uint64_t)n << h->shift) - 1));
    if (r->size > 0) {
        fprintf(f, " of 0x%" PRIx64, r->size);
    }
    fprintf(f, ", at most %" PRIu64 " in a column\n", most);
    stats_draw_put_columns("read", reads, width, most, c->utf8, f);
    stats_draw_put_columns("write", writes, width, most, c->utf8, f);
}

void stats_draw(const struct stats *s, const struct stats_canvas *c, FILE *f)
{
    if (s->latency.count > 0) {
        draw_histogram(&s->latency, c, f);
    }
    for (size_t i = 0; i < s->n_regions; i++) {
        draw_map(s->regions[i], c, f);
    }
    draw_map(&s->others, c, f);
}
