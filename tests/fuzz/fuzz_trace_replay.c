/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Scripts to be played, out of traces, and masks. The first byte says which:
 *
 *   b, c  a trace, the backend's leg or the client's; its first session becomes a script
 *   m     the text of a mask
 *
 * Partners know each other, waits are within bounds, every message is equal to itself, and every
 * request of a script stands for one that is like it.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "trace/replay/replay_compare.h"
#include "trace/replay/replay_index.h"

static void check_message(const struct replay_script *s, size_t i)
{
    const struct replay_message *const m = &s->messages[i];
    char text[256];

    FUZZ_REQUIRE(m->kept >= WIRE_HDR_SIZE && m->socket < REPLAY_SOCKETS);
    FUZZ_REQUIRE(m->after[REPLAY_MAIN] + m->after[REPLAY_TWIN] <= s->n && m->ordinal < s->n);
    if (m->partner != REPLAY_NONE) {
        FUZZ_REQUIRE(m->partner < s->n && s->messages[m->partner].partner == i);
        FUZZ_REQUIRE(m->reply != s->messages[m->partner].reply);
    }
    FUZZ_REQUIRE(strlen(replay_name(m, text, sizeof text)) > 0);
    FUZZ_REQUIRE(replay_place(m, text, sizeof text) == text);
}

/* As if it had come again, which is possible where all of it was kept. */
static void check_equal(const struct replay_script *s, size_t i)
{
    static const struct replay_masks none;
    const struct replay_message *const m = &s->messages[i];
    const struct replay_message *const request =
        m->reply && m->partner != REPLAY_NONE ? &s->messages[m->partner] : NULL;
    uint8_t kinds[LIMIT_FDS_KERNEL];
    const struct replay_got got = {
        .hdr = m->hdr, .payload = m->data + WIRE_HDR_SIZE, .n_fds = m->n_fds, .fd_kinds = kinds};
    struct replay_difference d;
    char text[256];

    for (unsigned k = 0; k < m->n_fds; k++) {
        kinds[k] = m->fds[k].kind;
    }
    FUZZ_REQUIRE(replay_compare(m, request, &got, &none, &d) == REPLAY_EQUAL);
    FUZZ_REQUIRE(replay_difference_text(&d, text, sizeof text) == text);
}

static void check_script(const struct replay_script *s)
{
    struct replay_index *const x = replay_index_new(s);

    FUZZ_REQUIRE(x);
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const m = &s->messages[i];
        size_t place;
        bool repeated;

        check_message(s, i);
        check_equal(s, i);
        if (m->sender == SIDE_CLIENT && !m->reply) {
            place = replay_index_find(x, &m->hdr, m->data + WIRE_HDR_SIZE, m->kept - WIRE_HDR_SIZE,
                                      &repeated);
            FUZZ_REQUIRE(place < s->n && s->messages[place].hdr.command == m->hdr.command);
        }
    }
    replay_index_free(x);
}

static void fuzz_trace(unsigned leg, const uint8_t *p, size_t n)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct trace_reader *r;
    struct replay_script s;
    struct trace_item item;
    enum trace_outcome o;
    char why[256];

    FUZZ_REQUIRE(fd >= 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
    r = trace_reader_new_take(fd);
    FUZZ_REQUIRE(r);
    replay_script_init(&s);
    while ((o = trace_reader_next(r, &item)) <= TRACE_STATISTICS) {
        if (o == TRACE_MESSAGE && item.session->index == 0) {
            FUZZ_REQUIRE(replay_script_add(&s, &item.message) == 0);
        }
    }
    if (replay_script_finish(&s, leg, why, sizeof why)) {
        check_script(&s);
    } else {
        FUZZ_REQUIRE(strlen(why) > 0);
    }
    replay_script_deinit(&s);
    trace_reader_free(r);
}

static void fuzz_mask(const uint8_t *p, size_t n)
{
    const struct replay_about about = {
        .command = WIRE_REGION_READ, .has_region = true, .data_from = 16, .has_data = true};
    struct replay_masks m = {.n = 0};
    char *const text = strndup((const char *)p, n);
    char why[320] = "";

    FUZZ_REQUIRE(text);
    if (replay_mask_add(&m, text, why, sizeof why)) {
        /* What lets all differ lets each byte. */
        FUZZ_REQUIRE(m.n == 1);
        FUZZ_REQUIRE(!replay_mask_all(&m, &about) || replay_mask_byte(&m, &about, 16));
    } else {
        FUZZ_REQUIRE(m.n == 0 && strlen(why) > 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n > 0 && p[0] == 'm') {
        fuzz_mask(p + 1, n - 1);
    } else if (n > 0) {
        fuzz_trace(p[0] == 'c' ? TRACE_LEG_CLIENT : TRACE_LEG_BACKEND, p + 1, n - 1);
    }
    return 0;
}
