/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The reader of traces. A file that comes in two pieces, with a look at it in between, says the
 * same as one that was there as a whole; what is said of each item can be touched to its end.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "trace/file/reader.h"

struct told {
    uint64_t sum;
    uint64_t items;
    enum trace_outcome end;
};

static void add(struct told *t, const void *p, size_t n)
{
    const uint8_t *const bytes = p;

    for (size_t i = 0; i < n; i++) {
        t->sum = (t->sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
}

static void add_text(struct told *t, const char *text)
{
    FUZZ_REQUIRE(text != NULL);
    add(t, text, strlen(text) + 1);
}

static void add_message(struct told *t, const struct trace_message *m)
{
    FUZZ_REQUIRE(m->kept <= m->size && m->n_fds <= LIMIT_FDS_KERNEL);
    FUZZ_REQUIRE(m->sender < SIDES && m->legs != 0 && (m->legs & ~TRACE_LEGS) == 0);
    add(t, &m->number, sizeof m->number);
    add(t, &m->read_ns, sizeof m->read_ns);
    add(t, m->data, m->kept);
    for (unsigned i = 0; i < m->n_fds; i++) {
        FUZZ_REQUIRE(m->fds[i].kind < TRACE_FD_KINDS);
        add(t, &m->fds[i], sizeof m->fds[i]);
    }
}

static void read_on(struct told *t, struct trace_reader *r)
{
    struct trace_item item;

    while ((t->end = trace_reader_next(r, &item)) <= TRACE_STATISTICS) {
        FUZZ_REQUIRE(item.session != NULL);
        add(t, &t->end, sizeof t->end);
        add(t, &item.offset, sizeof item.offset);
        add(t, &item.session->index, sizeof item.session->index);
        add_text(t, item.session->name);
        add_text(t, item.session->ending);
        if (t->end == TRACE_MESSAGE) {
            add_message(t, &item.message);
            add_text(t, item.comment ? item.comment : "");
        }
        t->items++;
    }
    FUZZ_REQUIRE(t->end != TRACE_FAILED);
    FUZZ_REQUIRE((t->end == TRACE_END) == (trace_reader_why(r)[0] == '\0'));
    FUZZ_REQUIRE(trace_reader_section(r) != NULL);
}

static void put(int fd, const uint8_t *p, size_t n, size_t at)
{
    FUZZ_REQUIRE(pwrite(fd, p, n, (off_t)at) == (ssize_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    /* Where the pieces meet the file itself says. */
    const size_t first = n > 0 ? p[n / 2] * n / 256 : 0;
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct trace_reader *r = trace_reader_new_take(dup(fd));
    struct told whole = {0};
    struct told pieces = {0};

    FUZZ_REQUIRE(fd >= 0 && r);
    put(fd, p, first, 0);
    read_on(&pieces, r);
    put(fd, p + first, n - first, first);
    read_on(&pieces, r);
    trace_reader_free(r);
    /* Both share the file's position. */
    FUZZ_REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
    r = trace_reader_new_take(fd);
    FUZZ_REQUIRE(r);
    read_on(&whole, r);
    trace_reader_free(r);
    FUZZ_REQUIRE(whole.end == pieces.end && whole.items == pieces.items);
    FUZZ_REQUIRE(whole.sum == pieces.sum);
    return 0;
}
