/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A gate that is made anew from what another one has left: it is in the same state. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/relay/gate_keep.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/gate_rig.h"

#define MAPS 12u
#define IDS 6u

static struct gate_chunk memory[GATE_LAST_CHUNK];
static struct gate_chunks chunks;
static struct session_page page;
static struct gate_keep keep;
static uint64_t position[SIDES];

static const struct dma_settings settings = {
    .max_bytes = 5 * 4096, .max_maps = MAPS, .n_ranges = 1, .ranges = {{0, 0xffff}}};

static void begin(const struct dma_settings *set)
{
    memset(&page, 0, sizeof page);
    memset(position, 0, sizeof position);
    gate_begin(set, 65535, true);
    ck_assert(gate_chunks_init(&chunks, memory));
    gate_keep_init(&keep, &rig.gate, &rig.channels, NULL, &page, &chunks);
}

static void end(void)
{
    gate_keep_deinit(&keep);
    ck_assert_uint_eq(chunks.n_used, chunks.n_free);
    gate_chunks_deinit(&chunks);
    gate_end();
}

/* ---- another gate ---- */

struct other {
    struct gate_chunks chunks;
    struct session_page page;
    struct report report;
    struct dma_gate gate;
    struct dma_gate_side side;
    struct gate_keep keep;
};

static void other_on_gate(void *arg, const struct dma_denial *d)
{
    (void)arg;
    (void)d;
    ck_abort_msg("nothing is reported twice");
}

/* Makes it of the page. Returns whether it can be. */
static bool other_restore(struct other *o)
{
    memset(o, 0, sizeof *o);
    ck_assert(gate_chunks_init(&o->chunks, memory));
    o->chunks.n_used = chunks.n_used;
    o->page = page;
    report_init(&o->report, true);
    memcpy(o->report.taint, rig.report.taint, sizeof o->report.taint);
    dma_gate_init(&o->gate, rig.gate.set, 65535, &o->report, other_on_gate, NULL);
    dma_gate_side_init(&o->side, &o->gate);
    gate_keep_init(&o->keep, &o->gate, &o->side, NULL, &o->page, &o->chunks);
    return gate_keep_restore(&o->keep, NULL);
}

static void other_end(struct other *o)
{
    gate_keep_deinit(&o->keep);
    dma_gate_side_deinit(&o->side);
    dma_gate_deinit(&o->gate);
    report_deinit(&o->report);
    gate_chunks_deinit(&o->chunks);
}

struct maps {
    struct dma_map maps[2 * MAPS];
    unsigned n;
};

static void maps_add(void *arg, const struct dma_map *m)
{
    struct maps *const to = arg;

    ck_assert_uint_lt(to->n, 2 * MAPS);
    to->maps[to->n++] = *m;
}

static void expect_same_maps(const struct dma_maps *a, const struct dma_maps *b)
{
    struct maps of_a = {.n = 0};
    struct maps of_b = {.n = 0};

    dma_maps_each(a, maps_add, &of_a);
    dma_maps_each(b, maps_add, &of_b);
    ck_assert_uint_eq(of_a.n, of_b.n);
    for (unsigned i = 0; i < of_a.n; i++) {
        unsigned found = 0;

        for (unsigned k = 0; k < of_b.n; k++) {
            found += of_a.maps[i].number == of_b.maps[k].number &&
                     of_a.maps[i].span.first == of_b.maps[k].span.first &&
                     of_a.maps[i].span.last == of_b.maps[k].span.last &&
                     of_a.maps[i].flags == of_b.maps[k].flags &&
                     of_a.maps[i].passed == of_b.maps[k].passed;
        }
        ck_assert_uint_eq(found, 1);
    }
    ck_assert_uint_eq(dma_maps_passed(a), dma_maps_passed(b));
}

/* The requests of an id, in their order. */
struct requests {
    struct dma_request requests[2048];
    unsigned n;
    uint16_t id;
};

static void requests_add(void *arg, const struct dma_request *r)
{
    struct requests *const to = arg;

    if (r->id == to->id) {
        ck_assert_uint_lt(to->n, 2048);
        to->requests[to->n++] = *r;
    }
}

static void expect_same_way(const struct dma_way *a, const struct dma_way *b)
{
    static struct requests of[2];

    ck_assert_uint_eq(a->requests.n, b->requests.n);
    ck_assert_uint_eq(a->requests.refused, b->requests.refused);
    for (uint16_t id = 0; id < IDS; id++) {
        of[0].n = 0;
        of[0].id = id;
        of[1].n = 0;
        of[1].id = id;
        dma_requests_each(&a->requests, requests_add, &of[0]);
        dma_requests_each(&b->requests, requests_add, &of[1]);
        ck_assert_uint_eq(of[0].n, of[1].n);
        for (unsigned i = 0; i < of[0].n; i++) {
            ck_assert_uint_eq(of[0].requests[i].command, of[1].requests[i].command);
            ck_assert_int_eq(of[0].requests[i].refused, of[1].requests[i].refused);
            ck_assert_int_eq(of[0].requests[i].unmaps, of[1].requests[i].unmaps);
            ck_assert_uint_eq(of[0].requests[i].map.number, of[1].requests[i].map.number);
        }
    }
    ck_assert_uint_eq(a->reply_end - a->reply_start, b->reply_end - b->reply_start);
    if (a->replies) {
        ck_assert_mem_eq(a->replies + a->reply_start, b->replies + b->reply_start,
                         a->reply_end - a->reply_start);
    }
    ck_assert_int_eq(a->closed, b->closed);
}

static void expect_same(void)
{
    struct other o;

    ck_assert(other_restore(&o));
    expect_same_maps(&rig.gate.maps, &o.gate.maps);
    expect_same_way(&rig.channels.client, &o.side.client);
    expect_same_way(&rig.channels.backend, &o.side.backend);
    ck_assert_uint_eq(rig.gate.last_map, o.gate.last_map);
    ck_assert_int_eq(rig.gate.stripped, o.gate.stripped);
    ck_assert_uint_eq(rig.report.n, o.report.n);
    if (o.report.n > 0) {
        ck_assert_mem_eq(rig.report.ranges, o.report.ranges, o.report.n * sizeof *o.report.ranges);
    }
    other_end(&o);
}

/* ---- messages ---- */

/* Judges a message as a relay direction does; if it is not noted, the worker died meanwhile. */
static enum dma_verdict pass(bool from_client, struct wire_hdr hdr, const void *payload, size_t n,
                             unsigned n_fds, bool noted)
{
    struct relay_mark *const m = &page.marks[from_client ? 0 : 1];
    uint64_t *const at = &position[from_client ? SIDE_CLIENT : SIDE_BACKEND];
    const struct dma_fds fds = {.n = n_fds};
    enum dma_verdict v;

    hdr.size = (uint32_t)(WIRE_HDR_SIZE + n);
    gate_keep_before(&rig.channels);
    v = dma_gate_judge(&rig.channels, from_client, &hdr, payload, n, fds);
    gate_keep_seen(&rig.channels, from_client, *at, &hdr, payload, n, fds);
    if (noted) {
        m->judged = v == DMA_PASS ? *at + hdr.size : *at;
        m->verdict = (uint8_t)v;
        *at += hdr.size;
    }
    return v;
}

static enum dma_verdict pass_map(uint16_t id, uint64_t address, uint64_t size, uint32_t hdr_flags,
                                 bool noted)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = R | W, .address = address, .size = size};

    return pass(TO_BACKEND,
                (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP, .flags = hdr_flags}, &m,
                sizeof m, 1, noted);
}

static void pass_unmap(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                       uint32_t hdr_flags)
{
    const struct wire_dma_unmap u = {
        .argsz = sizeof u, .flags = flags, .address = address, .size = size};

    (void)pass(TO_BACKEND,
               (struct wire_hdr){.id = id, .command = WIRE_DMA_UNMAP, .flags = hdr_flags}, &u,
               sizeof u, 0, true);
}

static void pass_access(uint16_t id, uint64_t address)
{
    const struct wire_dma_access a = {.address = address, .count = 64};

    (void)pass(TO_CLIENT, (struct wire_hdr){.id = id, .command = WIRE_DMA_READ}, &a, sizeof a, 0,
               true);
}

static void pass_reply(bool from_client, uint16_t id, uint16_t command, int err)
{
    const struct wire_hdr hdr = {.id = id,
                                 .command = command,
                                 .flags = WIRE_TYPE_REPLY | (err ? WIRE_ERROR : 0),
                                 .error = (uint32_t)err};

    (void)pass(from_client, hdr, "", 0, 0, true);
}

static void send_replies(bool to_client, size_t most)
{
    const uint8_t *bytes;
    size_t n = dma_gate_replies(&rig.channels, to_client, &bytes);

    n = n < most ? n : most;
    gate_keep_sending(&rig.channels, to_client);
    gate_keep_sent(&rig.channels, to_client, n);
    dma_gate_replied(&rig.channels, to_client, n);
}

static void record(unsigned n)
{
    rig.report.sent = n < rig.report.n ? n : rig.report.n;
    gate_keep_exporting(&keep, rig.report.sent);
    gate_keep_recorded(&keep, rig.report.sent);
    report_answered(&rig.report);
}

static void refuse(bool from_client, uint16_t id)
{
    const struct wire_hdr hdr = {.id = id, .command = WIRE_REGION_READ, .size = 3};
    uint64_t *const at = &position[from_client ? SIDE_CLIENT : SIDE_BACKEND];

    gate_keep_before(&rig.channels);
    ck_assert(dma_gate_invalid(&rig.channels, from_client, &hdr));
    gate_keep_invalid(&rig.channels, from_client, *at, &hdr);
    *at += WIRE_HDR_SIZE;
    page.marks[from_client ? 0 : 1].total.taken = *at;
}

static void answer(uint16_t id)
{
    gate_keep_before(&rig.channels);
    ck_assert(dma_gate_answer(&rig.channels, true, id, WIRE_REGION_READ, 110));
    gate_keep_answered(&rig.channels, true, id, WIRE_REGION_READ, 110);
}

static void do_something(unsigned r)
{
    const uint16_t id = (uint16_t)(r / 16 % IDS);
    const uint64_t address = (uint64_t)(r / 128 % 24) * 0x1000;
    const uint32_t quiet = r / 4096 % 7 == 0 ? WIRE_NO_REPLY : 0;

    switch (r % 12) {
    case 0:
    case 1:
        (void)pass_map(id, address, (1 + r / 32768 % 3) * 0x1000u, quiet, true);
        break;
    case 2:
        pass_unmap(id, address, 0x1000, 0, quiet);
        break;
    case 3:
        pass_unmap(id, 0, 0, r % 5 == 0 ? WIRE_UNMAP_ALL : 0, quiet);
        break;
    case 4:
    case 5:
        pass_reply(TO_CLIENT, id, r / 64 % 2 ? WIRE_DMA_MAP : WIRE_DMA_UNMAP, r / 512 % 3 == 0);
        break;
    case 6:
        pass_access(id, address);
        break;
    case 7:
        pass_reply(TO_BACKEND, id, WIRE_DMA_READ, 0);
        break;
    case 8:
        send_replies(r / 16 % 2, r / 32 % 200);
        break;
    case 9:
        record(r / 16 % 40);
        break;
    case 10:
        refuse(r / 16 % 2, id);
        break;
    default:
        answer(id);
        break;
    }
    if (dma_gate_blocked(&rig.channels, true) || dma_gate_blocked(&rig.channels, false)) {
        send_replies(true, SIZE_MAX);
        send_replies(false, SIZE_MAX);
        record(UINT32_MAX);
        pass_unmap(id, 0, 0, WIRE_UNMAP_ALL, WIRE_NO_REPLY);
        for (uint16_t i = 0; i < IDS; i++) {
            while (rig.channels.client.requests.n > 0 &&
                   dma_requests_oldest(&rig.channels.client.requests, i)) {
                pass_reply(TO_CLIENT, i, WIRE_DMA_UNMAP, 0);
            }
            while (rig.channels.backend.requests.n > 0 &&
                   dma_requests_oldest(&rig.channels.backend.requests, i)) {
                pass_reply(TO_BACKEND, i, WIRE_DMA_READ, 0);
            }
        }
        send_replies(true, SIZE_MAX);
        send_replies(false, SIZE_MAX);
        record(UINT32_MAX);
    }
}

START_TEST(whatever_has_happened_another_gate_is_the_same)
{
    unsigned random = 20261130u + (unsigned)_i;

    begin(&settings);
    for (size_t i = 0; i < 3000; i++) {
        random = random * 1103515245u + 12345u;
        do_something(random >> 3);
        ck_assert(!keep.lost);
        if (i % unit_step(13) == 0) {
            expect_same();
        }
    }
    expect_same();
    end();
}
END_TEST

START_TEST(a_message_whose_verdict_is_not_stored_is_judged_again)
{
    struct other o;

    begin(&settings);
    (void)pass_map(1, 0, 0x1000, 0, true);
    (void)pass_map(2, 0x1000, 0x1000, 0, false);
    ck_assert_uint_eq(rig.gate.maps.n, 2);
    ck_assert(other_restore(&o));
    ck_assert_uint_eq(o.gate.maps.n, 1);
    ck_assert_uint_eq(o.side.client.requests.n, 1);
    other_end(&o);
    end();
}
END_TEST

START_TEST(a_message_that_does_not_go_on_is_judged_once)
{
    struct other o;

    begin(&settings);
    pass_access(1, 0x1000);
    ck_assert_uint_eq(page.marks[1].verdict, DMA_DROP);
    ck_assert(other_restore(&o));
    ck_assert_uint_eq(o.side.backend.reply_end, WIRE_HDR_SIZE);
    other_end(&o);
    end();
}
END_TEST

START_TEST(a_log_stays_short)
{
    begin(&settings);
    for (unsigned i = 0; i < 100 * GATE_CHUNK_ENTRIES; i++) {
        pass_access(1, 0x1000);
        send_replies(false, SIZE_MAX);
    }
    ck_assert_uint_le(chunks.n_used, 8);
    expect_same();
    end();
}
END_TEST

/* Without words about memory nothing is left when all is recorded. */
START_TEST(what_is_recorded_needs_no_log)
{
    static const struct dma_settings none;

    begin(&none);
    (void)pass_map(1, 0, 0x1000, 0, true);
    ck_assert(gate_keep_rest(&keep));
    ck_assert_uint_ne(page.gate_log, 0);
    expect_same();
    record(1);
    ck_assert(gate_keep_rest(&keep));
    ck_assert_uint_eq(page.gate_log, 0);
    expect_same();
    end();
}
END_TEST

START_TEST(without_room_the_session_is_the_workers_alone)
{
    const struct dma_settings all = {.withhold = 1};
    const struct gate_entry e = {.kind = GATE_ENTRY_CLOSED};
    struct gate_log other = {.chunks = &chunks};

    begin(&all);
    while (chunks.n_used < LIMIT_GATE_CHUNKS / 2) {
        ck_assert(gate_log_add(&other, &e));
    }
    /* This one has as many as are free. */
    for (unsigned i = 0; i < 2 * GATE_CHUNK_ENTRIES; i++) {
        if (!gate_log_add(&other, &e)) {
            break;
        }
    }
    ck_assert(!gate_log_add(&other, &e));
    (void)pass_map(1, 0, 0x1000, 0, true);
    ck_assert_uint_eq(page.outside, 0);
    chunks.n_used = LIMIT_GATE_CHUNKS;
    for (unsigned i = 0; i < GATE_CHUNK_ENTRIES; i++) {
        pass_access(1, 0x2000);
        send_replies(false, SIZE_MAX);
    }
    ck_assert_uint_eq(page.outside, 1);
    ck_assert(!gate_keep_rest(&keep));
    gate_log_drop(&other);
    gate_chunks_deinit(&chunks);
    gate_end();
}
END_TEST

START_TEST(a_log_that_cannot_be_is_refused)
{
    struct other o;

    begin(&settings);
    (void)pass_map(1, 0, 0x1000, 0, true);
    switch (_i) {
    case 0:
        page.gate_log = GATE_LOG(GATE_LAST_CHUNK + 1, 1);
        break;
    case 1:
        page.gate_log = GATE_LOG(1, UINT32_MAX);
        break;
    case 2:
        memory[0].entries[0].kind = GATE_ENTRY_KINDS;
        break;
    case 3:
        memory[0].entries[0].way = SESSION_PAGE_TWIN_TO_BACKEND;
        break;
    default:
        memory[0].entries[0].n = GATE_ENTRY_BODY + 1;
        break;
    }
    ck_assert(!other_restore(&o));
    other_end(&o);
    memory[0].entries[0].kind = GATE_ENTRY_SEEN;
    end();
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("gate_keep");
    TCase *const tc = unit_case(suite, "gate_keep");

    tcase_add_loop_test(tc, whatever_has_happened_another_gate_is_the_same, 0, 4);
    tcase_add_test(tc, a_message_whose_verdict_is_not_stored_is_judged_again);
    tcase_add_test(tc, a_message_that_does_not_go_on_is_judged_once);
    tcase_add_test(tc, a_log_stays_short);
    tcase_add_test(tc, what_is_recorded_needs_no_log);
    tcase_add_test(tc, without_room_the_session_is_the_workers_alone);
    tcase_add_loop_test(tc, a_log_that_cannot_be_is_refused, 0, 5);
    return unit_run(suite);
}
