/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A gate that a test feeds with messages, from both sides of one lane. Whatever goes otherwise than
 * asked fails the test.
 */
#ifndef POEMD_TESTS_UNIT_RELAY_GATE_RIG_H
#define POEMD_TESTS_UNIT_RELAY_GATE_RIG_H

#include "proxy/relay/dma_gate.h"

#define R WIRE_DMA_READABLE
#define W WIRE_DMA_WRITEABLE

/* Whom a message comes from. */
#define TO_BACKEND true
#define TO_CLIENT false

struct gate_rig {
    struct report report;
    struct dma_gate gate;
    struct dma_gate_side channels;
    struct dma_denial denied; /* the last one */
    unsigned denials;
    unsigned told[DMA_MEMORY_MISSING + 1]; /* of the rest, by enum dma_what */
    bool eventfds;                         /* fds that come are eventfds alone */
};

extern struct gate_rig rig;

void gate_begin(const struct dma_settings *set, uint32_t max_maps, bool recorded);

/* Begins with "withhold", and an audit log. */
void gate_withhold(void);
void gate_end(void);

/* ---- messages, judged ---- */

/* hdr.size 0: what the payload makes it. */
enum dma_verdict gate_judge(bool from_client, struct wire_hdr hdr, const void *payload, size_t n,
                            unsigned n_fds);

enum dma_verdict gate_map_flags(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                                unsigned n_fds, uint32_t hdr_flags);

/* With one fd. */
enum dma_verdict gate_map(uint16_t id, uint64_t address, uint64_t size, uint32_t flags);

enum dma_verdict gate_unmap(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                            uint32_t hdr_flags);

/* A reply, empty as an error's, or as good ones that carry nothing; it goes on. */
void gate_answer(bool from_client, uint16_t id, uint16_t command, int err);

enum dma_verdict gate_ask_flags(uint16_t id, uint16_t command, uint64_t address, uint64_t count,
                                uint32_t hdr_flags);
enum dma_verdict gate_ask(uint16_t id, uint16_t command, uint64_t address, uint64_t count);

/* ---- what comes of them ---- */

/* The next reply that the broker makes for that side, which is taken. */
void gate_expect_reply(bool to_client, uint16_t id, uint16_t command, int err);
void gate_expect_no_reply(bool to_client);

/* Whether the memory can be reached; nothing is left of the question. */
bool gate_reads(uint64_t address, uint64_t count);
bool gate_writes(uint64_t address, uint64_t count);

/* The oldest range that was told of, which is forgotten. */
void gate_expect_export(uint64_t address, uint64_t size, uint32_t flags, enum ipc_how how);

#endif
