/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What is made of traces. Whatever is in one: its statistics and its trace events are JSON, its
 * page has no markup but its own, a copy of it says the same as it does, and it does not differ
 * from itself.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "trace/report/chrome.h"
#include "trace/report/diff.h"
#include "trace/report/extract.h"
#include "trace/report/stats_text.h"

/* A stream into memory, and what came of it. */
struct sink {
    char *p;
    size_t n;
    FILE *f;
};

static void sink_open(struct sink *s)
{
    s->f = open_memstream(&s->p, &s->n);
    FUZZ_REQUIRE(s->f != NULL);
}

static void sink_close(struct sink *s)
{
    FUZZ_REQUIRE(fclose(s->f) == 0);
}

static struct trace_reader *reader_of(const void *p, size_t n)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct trace_reader *r;

    FUZZ_REQUIRE(fd >= 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
    r = trace_reader_new_take(fd);
    FUZZ_REQUIRE(r != NULL);
    return r;
}

struct made {
    struct stats *stats;
    struct chrome *chrome;
    struct extract *extract;
    struct diff_maker *maker;
    struct sink events;
    struct sink copy;
    bool begun;
};

static void take(struct made *m, const struct trace_item *item)
{
    struct diff_line *const line = diff_maker_line(m->maker, item->session, &item->message);

    FUZZ_REQUIRE(line != NULL && strlen(line->text) == line->n);
    for (size_t i = 0; i < line->n; i++) {
        FUZZ_REQUIRE(isprint((unsigned char)line->text[i]));
    }
    free(line);
    FUZZ_REQUIRE(stats_feed(m->stats, item->session, &item->message, item->comment) == 0);
    FUZZ_REQUIRE(chrome_feed(m->chrome, item->session, &item->message) == 0);
    FUZZ_REQUIRE(extract_count(m->extract, item->session, &item->message) == 0);
    FUZZ_REQUIRE(extract_message(m->extract, item->session, &item->message, item->comment) == 0);
}

static void take_all(struct made *m, struct trace_reader *r)
{
    enum trace_outcome outcome;
    struct trace_item item;

    while ((outcome = trace_reader_next(r, &item)) <= TRACE_STATISTICS) {
        if (!m->begun) {
            m->begun = true;
            FUZZ_REQUIRE(extract_section(m->extract, trace_reader_section(r), "fds") == 0);
        }
        if (outcome == TRACE_MESSAGE) {
            take(m, &item);
        } else if (outcome == TRACE_STATISTICS) {
            FUZZ_REQUIRE(extract_statistics(m->extract, item.session) == 0);
        }
    }
    stats_finish(m->stats);
    chrome_finish(m->chrome);
    FUZZ_REQUIRE(extract_finish(m->extract) == 0);
}

static void check_json(const char *p, size_t n)
{
    /* Numbers of 64 bits without a sign are JSON, too. */
    json_t *const o = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);

    FUZZ_REQUIRE(json_is_object(o));
    json_decref(o);
}

/* What stands in the page's data element, up to the tag that ends it, is all of its data. */
static void check_page(const struct stats *s, const struct stats_about *about)
{
    static const char begin[] = "id=\"data\">";
    struct sink page;
    const char *from;
    const char *to;

    sink_open(&page);
    FUZZ_REQUIRE(stats_html(s, about, page.f) == 0);
    sink_close(&page);
    from = strstr(page.p, begin);
    FUZZ_REQUIRE(from != NULL);
    from += strlen(begin);
    to = strchr(from, '<');
    FUZZ_REQUIRE(to != NULL && strncmp(to, "</script>", 9) == 0);
    check_json(from, (size_t)(to - from));
    free(page.p);
}

static void check_stats(const struct stats *s)
{
    const struct stats_about about = {.file = "<a>", .filter = "]]>", .broken = "</script>"};
    const struct stats_canvas canvas = {.width = 80, .utf8 = true};
    json_t *const o = stats_json(s, &about, false);
    struct sink text;

    FUZZ_REQUIRE(o != NULL);
    json_decref(o);
    check_page(s, &about);
    sink_open(&text);
    stats_text(s, &about, &canvas, text.f);
    sink_close(&text);
    for (size_t i = 0; i < text.n; i++) {
        FUZZ_REQUIRE((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
    }
    free(text.p);
}

static void open_all(struct made *m)
{
    *m = (struct made){.stats = stats_new(), .maker = diff_maker_new()};
    sink_open(&m->events);
    sink_open(&m->copy);
    m->chrome = chrome_new(m->events.f);
    m->extract = extract_new(m->copy.f, false);
    FUZZ_REQUIRE(m->stats && m->maker && m->chrome && m->extract);
}

static void close_all(struct made *m)
{
    diff_maker_free(m->maker);
    chrome_free(m->chrome);
    extract_free(m->extract);
    sink_close(&m->events);
    sink_close(&m->copy);
}

static void free_all(struct made *m)
{
    stats_free(m->stats);
    free(m->events.p);
    free(m->copy.p);
}

/* A copy is a whole trace, and comes to the same. */
static void check_copy(const struct made *m)
{
    struct trace_reader *const r = reader_of(m->copy.p, m->copy.n);
    struct made again;

    open_all(&again);
    take_all(&again, r);
    close_all(&again);
    FUZZ_REQUIRE(trace_reader_why(r)[0] == '\0');
    FUZZ_REQUIRE(again.stats->messages == m->stats->messages);
    FUZZ_REQUIRE(again.stats->begin_ns == m->stats->begin_ns);
    FUZZ_REQUIRE(again.stats->unasked == m->stats->unasked);
    FUZZ_REQUIRE(again.stats->latency.sum == m->stats->latency.sum);
    trace_reader_free(r);
    free_all(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct trace_reader *const r = reader_of(p, n);
    struct made m;

    open_all(&m);
    take_all(&m, r);
    close_all(&m);
    check_json(m.events.p, m.events.n);
    check_stats(m.stats);
    if (m.begun) {
        check_copy(&m);
    }
    trace_reader_free(r);
    free_all(&m);
    return 0;
}
