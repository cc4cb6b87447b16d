/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log of a gate as a worker that was taken over could leave it: a gate either cannot be made of
 * it, or is one that leaves a log of its own, of which the next one is made.
 *
 * The input: a byte of settings, the log's first chunk and number of entries, 16 bits each, the
 * head of the chunks, and their entries.
 */
#include <stdlib.h>
#include <string.h>

#include "proxy/relay/gate_keep.h"
#include "tests/fuzz/fuzz.h"

enum { CHECKS = 1, RECORDS = 2, TWIN = 4 };

/* The worker's own chunks, and behind them two of the dead one's. */
static struct gate_chunk memory[LIMIT_GATE_CHUNKS + 2];
static struct session_page page;

struct made {
    struct gate_chunks chunks;
    struct report report;
    struct dma_gate gate;
    struct dma_gate_side sides[2];
    struct gate_keep keep;
};

static void made_on_gate(void *arg, const struct dma_denial *d)
{
    (void)arg;
    (void)d;
}

/* Makes a gate of the page. Returns whether it can be. */
static bool made_init(struct made *m, uint8_t settings)
{
    static const struct dma_settings set = {.withhold = 1, .max_maps = 100};
    static const struct dma_settings none;

    memset(m, 0, sizeof *m);
    FUZZ_REQUIRE(gate_chunks_init(&m->chunks, memory));
    report_init(&m->report, settings & RECORDS);
    dma_gate_init(&m->gate, settings & CHECKS ? &set : &none, 100, &m->report, made_on_gate, NULL);
    dma_gate_side_init(&m->sides[0], &m->gate);
    dma_gate_side_init(&m->sides[1], &m->gate);
    gate_keep_init(&m->keep, &m->gate, &m->sides[0], settings & TWIN ? &m->sides[1] : NULL, &page,
                   &m->chunks);
    return gate_keep_restore(&m->keep, NULL);
}

static void made_deinit(struct made *m)
{
    gate_keep_deinit(&m->keep);
    FUZZ_REQUIRE(m->chunks.n_used == m->chunks.n_free);
    dma_gate_side_deinit(&m->sides[0]);
    dma_gate_side_deinit(&m->sides[1]);
    dma_gate_deinit(&m->gate);
    report_deinit(&m->report);
    gate_chunks_deinit(&m->chunks);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const size_t head = offsetof(struct gate_chunk, entries);
    struct made m;
    uint16_t where[2];
    size_t maps;
    size_t requests;
    bool good;

    if (n < 1 + sizeof where) {
        return 0;
    }
    memcpy(where, p + 1, sizeof where);
    memset(&page, 0, sizeof page);
    memset(&memory[LIMIT_GATE_CHUNKS], 0, 2 * sizeof *memory);
    n -= 1 + sizeof where;
    memcpy(&memory[LIMIT_GATE_CHUNKS], p + 1 + sizeof where,
           n < 2 * sizeof *memory ? n : 2 * sizeof *memory);
    /* Other chunks are empty. */
    page.gate_log = GATE_LOG(where[0] % 4 == 0 ? where[0] : LIMIT_GATE_CHUNKS + 1,
                             where[1] % (2 * GATE_CHUNK_ENTRIES + 2));
    if (gate_log_first(page.gate_log) > LIMIT_GATE_CHUNKS + 2 ||
        memory[LIMIT_GATE_CHUNKS].next > LIMIT_GATE_CHUNKS + 2 ||
        memory[LIMIT_GATE_CHUNKS + 1].next > LIMIT_GATE_CHUNKS + 2 || n < head) {
        return 0;
    }
    good = made_init(&m, p[0]);
    maps = m.gate.maps.n;
    requests = m.sides[0].client.requests.n;
    FUZZ_REQUIRE(!good || m.gate.checks || maps == 0);
    if (good && !m.keep.lost && page.gate_log != 0) {
        /* The log lies in chunks of the worker's, which is the dead one of the next. */
        struct made next;

        memset(&next, 0, sizeof next);
        FUZZ_REQUIRE(m.chunks.n_used <= LIMIT_GATE_CHUNKS / 2);
        FUZZ_REQUIRE(gate_log_first(page.gate_log) <= m.chunks.n_used);
        memcpy(&memory[LIMIT_GATE_CHUNKS], &memory[gate_log_first(page.gate_log) - 1],
               sizeof *memory);
        if (gate_log_entries(page.gate_log) <= GATE_CHUNK_ENTRIES) {
            page.gate_log = GATE_LOG(LIMIT_GATE_CHUNKS + 1, gate_log_entries(page.gate_log));
            FUZZ_REQUIRE(made_init(&next, p[0]));
            FUZZ_REQUIRE(next.gate.maps.n == maps);
            FUZZ_REQUIRE(next.sides[0].client.requests.n == requests);
            made_deinit(&next);
        }
    }
    made_deinit(&m);
    return 0;
}
