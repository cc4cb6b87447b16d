/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rig of the gate's suites. */
#include "tests/unit/relay/gate_rig.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"

struct gate_rig rig;

static void on_gate(void *arg, const struct dma_denial *d)
{
    ck_assert_ptr_eq(arg, &rig.gate);
    if (d && d->what != DMA_ACCESS_DENIED) {
        rig.told[d->what]++;
    } else if (d) {
        rig.denied = *d;
        rig.denials++;
    }
}

void gate_begin(const struct dma_settings *set, uint32_t max_maps, bool recorded)
{
    static struct dma_settings kept;

    kept = *set;
    rig.denials = 0;
    rig.eventfds = false;
    memset(rig.told, 0, sizeof rig.told);
    report_init(&rig.report, recorded);
    dma_gate_init(&rig.gate, &kept, max_maps, &rig.report, on_gate, &rig.gate);
    dma_gate_side_init(&rig.channels, &rig.gate);
}

void gate_withhold(void)
{
    const struct dma_settings set = {.withhold = 1};

    gate_begin(&set, 65535, true);
}

void gate_end(void)
{
    dma_gate_side_deinit(&rig.channels);
    dma_gate_deinit(&rig.gate);
    report_deinit(&rig.report);
}

/* ---- messages ---- */

enum dma_verdict gate_judge(bool from_client, struct wire_hdr hdr, const void *payload, size_t n,
                            unsigned n_fds)
{
    /* A larger one is told by its header alone. */
    hdr.size = hdr.size ? hdr.size : (uint32_t)(WIRE_HDR_SIZE + n);
    return dma_gate_judge(&rig.channels, from_client, &hdr, payload, n,
                          (struct dma_fds){.n = n_fds, .eventfds = rig.eventfds});
}

enum dma_verdict gate_map_flags(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                                unsigned n_fds, uint32_t hdr_flags)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = flags, .address = address, .size = size};

    return gate_judge(TO_BACKEND,
                      (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP, .flags = hdr_flags}, &m,
                      sizeof m, n_fds);
}

enum dma_verdict gate_map(uint16_t id, uint64_t address, uint64_t size, uint32_t flags)
{
    return gate_map_flags(id, address, size, flags, 1, 0);
}

enum dma_verdict gate_unmap(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                            uint32_t hdr_flags)
{
    const struct wire_dma_unmap u = {
        .argsz = sizeof u, .flags = flags, .address = address, .size = size};

    return gate_judge(TO_BACKEND,
                      (struct wire_hdr){.id = id, .command = WIRE_DMA_UNMAP, .flags = hdr_flags},
                      &u, sizeof u, 0);
}

/* A reply, empty as an error's, or as good ones that carry nothing. */
void gate_answer(bool from_client, uint16_t id, uint16_t command, int err)
{
    const struct wire_hdr hdr = {.id = id,
                                 .command = command,
                                 .flags = WIRE_TYPE_REPLY | (err ? WIRE_ERROR : 0),
                                 .error = (uint32_t)err};

    ck_assert_int_eq(gate_judge(from_client, hdr, "", 0, 0), DMA_PASS);
}

enum dma_verdict gate_ask_flags(uint16_t id, uint16_t command, uint64_t address, uint64_t count,
                                uint32_t hdr_flags)
{
    const struct wire_dma_access a = {.address = address, .count = count};
    struct wire_hdr hdr = {.id = id, .command = command, .flags = hdr_flags};

    if (command == WIRE_DMA_WRITE) {
        hdr.size = (uint32_t)(WIRE_HDR_SIZE + sizeof a + (count < 1u << 20 ? count : 0));
    }
    return gate_judge(TO_CLIENT, hdr, &a, sizeof a, 0);
}

enum dma_verdict gate_ask(uint16_t id, uint16_t command, uint64_t address, uint64_t count)
{
    return gate_ask_flags(id, command, address, count, 0);
}

/* The next reply that the broker makes for that side. */
void gate_expect_reply(bool to_client, uint16_t id, uint16_t command, int err)
{
    const uint8_t *bytes;
    const size_t n = dma_gate_replies(&rig.channels, to_client, &bytes);
    struct wire_hdr hdr;

    ck_assert_uint_ge(n, WIRE_HDR_SIZE);
    ck_assert_int_eq(wire_get_hdr(bytes, n, WIRE_HDR_SIZE, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.id, id);
    ck_assert_uint_eq(hdr.command, command);
    ck_assert_uint_eq(hdr.size, WIRE_HDR_SIZE);
    ck_assert_uint_eq(hdr.flags, WIRE_TYPE_REPLY | WIRE_ERROR);
    ck_assert_uint_eq(hdr.error, (uint32_t)err);
    dma_gate_replied(&rig.channels, to_client, WIRE_HDR_SIZE);
}

void gate_expect_no_reply(bool to_client)
{
    const uint8_t *bytes;

    ck_assert_uint_eq(dma_gate_replies(&rig.channels, to_client, &bytes), 0);
}

/* Whether the memory can be reached; a refusal is taken off. */
static bool reached(uint16_t command, uint64_t address, uint64_t count)
{
    const bool goes_on = gate_ask(77, command, address, count) == DMA_PASS;

    if (goes_on) {
        gate_answer(TO_BACKEND, 77, command, 0);
    } else {
        gate_expect_reply(false, 77, command, EFAULT);
    }
    gate_expect_no_reply(false);
    return goes_on;
}

bool gate_reads(uint64_t address, uint64_t count)
{
    return reached(WIRE_DMA_READ, address, count);
}

bool gate_writes(uint64_t address, uint64_t count)
{
    return reached(WIRE_DMA_WRITE, address, count);
}

/* The oldest range that was told of, which is forgotten. */
void gate_expect_export(uint64_t address, uint64_t size, uint32_t flags, enum ipc_how how)
{
    ck_assert_uint_gt(rig.report.n, 0);
    ck_assert_uint_eq(rig.report.ranges[0].address, address);
    ck_assert_uint_eq(rig.report.ranges[0].size, size);
    ck_assert_uint_eq(rig.report.ranges[0].flags, flags);
    ck_assert_uint_eq(rig.report.ranges[0].how, how);
    memmove(rig.report.ranges, rig.report.ranges + 1, --rig.report.n * sizeof *rig.report.ranges);
}
