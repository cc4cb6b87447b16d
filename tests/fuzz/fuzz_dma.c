/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages of a client and of a backend, in any order, through the gate between them: its tables
 * keep to their limits, its replies are errors, and what it lets through lies in what is mapped.
 *
 * The input: a byte of settings; then for each message a byte of who sends it, its fds and what is
 * done with replies, a byte of its length, and so many bytes.
 */
#include <string.h>

#include "proxy/relay/dma_gate.h"
#include "tests/fuzz/fuzz.h"

#define MAX_MAPS 8u

static void on_gate(void *arg, const struct dma_denial *d)
{
    (void)arg;
    FUZZ_REQUIRE(!d || d->what != DMA_ACCESS_DENIED || d->malformed || d->count > 0);
}

/* The replies to one side are taken, so many bytes of them. */
static void take_replies(struct dma_gate_side *l, bool to_client, size_t most)
{
    const uint8_t *bytes;
    const size_t n = dma_gate_replies(l, to_client, &bytes);
    struct wire_hdr hdr;

    FUZZ_REQUIRE(n <= DMA_REPLIES * WIRE_HDR_SIZE);
    if (n > 0 && n % WIRE_HDR_SIZE == 0) {
        FUZZ_REQUIRE(wire_get_hdr(bytes, n, WIRE_HDR_SIZE, &hdr) == WIRE_FRAME_OK);
        FUZZ_REQUIRE(wire_is_reply(&hdr) && (hdr.flags & WIRE_ERROR) && hdr.error != 0);
    }
    dma_gate_replied(l, to_client, n < most ? n : most);
}

/* An access that went on lies in the maps, byte by byte at its ends. */
static void check_passed(struct dma_gate *g, const uint8_t *p, size_t n)
{
    struct wire_dma_access a;
    struct wire_hdr hdr;
    struct dma_span span;

    if (wire_get_hdr(p, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK || wire_is_reply(&hdr) ||
        hdr.command != WIRE_DMA_READ || !g->checks) {
        return;
    }
    FUZZ_REQUIRE(wire_get(p + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE, &a, sizeof a));
    if (a.count == 0) {
        return;
    }
    FUZZ_REQUIRE(dma_span_of(a.address, a.count, &span));
    FUZZ_REQUIRE(dma_maps_find(&g->maps, (struct dma_span){span.first, span.first}, UINT64_MAX));
    FUZZ_REQUIRE(dma_maps_find(&g->maps, (struct dma_span){span.last, span.last}, UINT64_MAX));
}

/* One message; n bytes, of a size as large or larger. */
static void feed(struct dma_gate_side *l, bool from_client, const uint8_t *p, size_t n,
                 struct dma_fds fds)
{
    struct dma_gate *g = l->gate;
    struct wire_hdr hdr;
    enum dma_verdict v;

    if (dma_gate_blocked(l, from_client)) {
        take_replies(l, from_client, SIZE_MAX);
        g->report->n = 0;
    }
    /* Of refusals that wait for replies there may be so many that nothing is read. */
    if (dma_gate_blocked(l, from_client) || wire_get_hdr(p, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
        return;
    }
    n = hdr.size < n ? hdr.size : n;
    if (n < hdr.size && n < DMA_GATE_HEAD) {
        return;
    }
    v = dma_gate_judge(l, from_client, &hdr, p + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE, fds);
    if (v == DMA_PASS && !from_client) {
        check_passed(g, p, n);
    }
    FUZZ_REQUIRE(v != DMA_STRIP || fds.n > 0);
    /* Where all memory is withheld, what passes with fds has eventfds alone. */
    FUZZ_REQUIRE(v != DMA_PASS || fds.n == 0 || fds.eventfds || !from_client || !g->set->withhold);
    /* Unmappings of a part make two of one. */
    FUZZ_REQUIRE(g->maps.n <= 4096);
    FUZZ_REQUIRE(g->report->n <= REPORT_RANGES);
}

static void feed_all(struct dma_gate_side *l, const uint8_t *p, size_t n)
{
    while (n >= 2) {
        const uint8_t how = p[0];
        const size_t size = p[1] < n - 2 ? p[1] : n - 2;

        const struct dma_fds fds = {.n = how >> 1 & 3, .eventfds = how & 128};

        feed(l, how & 1, p + 2, size, fds);
        if (how & 8) {
            take_replies(l, how & 16, how >> 5);
        }
        p += 2 + size;
        n -= 2 + size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct dma_settings set = {.withhold = 0};
    struct report report;
    struct dma_gate gate;
    struct dma_gate_side channels;

    if (n < 1) {
        return 0;
    }
    set.withhold = p[0] & 1;
    set.max_bytes = p[0] & 2 ? 0x3000 : 0;
    set.withhold_file_io = (p[0] & 128) != 0;
    set.max_maps = p[0] & 4 ? MAX_MAPS : 0;
    if (p[0] & 8) {
        set.n_ranges = 1;
        set.ranges[0] = (struct dma_span){0x1000, 0xffffffff};
    }
    report_init(&report, p[0] & 16);
    dma_gate_init(&gate, &set, p[0] & 32 ? MAX_MAPS : UINT32_MAX, &report, on_gate, NULL);
    dma_gate_side_init(&channels, &gate);
    feed_all(&channels, p + 1, n - 1);
    dma_gate_close(&channels, p[0] & 64);
    dma_gate_side_deinit(&channels);
    dma_gate_deinit(&gate);
    report_deinit(&report);
    return 0;
}
