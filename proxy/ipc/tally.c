/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/ipc/tally.h"

/* From below the time of a device on the same CPU's caches to LIMIT_STALL_MS and beyond. */
const uint64_t tally_bounds[TALLY_BOUNDS] = {
    10000,   25000,    50000,    100000,    250000,    500000,     1000000,
    2500000, 10000000, 25000000, 100000000, 250000000, 1000000000, 10000000000,
};

static const char *const class_words[TALLY_CLASSES] = {
    [TALLY_OTHER] = "other",
    [TALLY_REGION_READ] = "region-read",
    [TALLY_REGION_WRITE] = "region-write",
    [TALLY_DMA] = "dma",
    [TALLY_MAP] = "map",
    [TALLY_DEVICE] = "device",
    [TALLY_MIGRATION] = "migration",
};

static const uint8_t classes[TALLY_COMMANDS] = {
    [WIRE_DMA_MAP] = TALLY_MAP,
    [WIRE_DMA_UNMAP] = TALLY_MAP,
    [WIRE_DEVICE_GET_INFO] = TALLY_DEVICE,
    [WIRE_DEVICE_GET_REGION_INFO] = TALLY_DEVICE,
    [WIRE_DEVICE_GET_REGION_IO_FDS] = TALLY_DEVICE,
    [WIRE_DEVICE_GET_IRQ_INFO] = TALLY_DEVICE,
    [WIRE_DEVICE_SET_IRQS] = TALLY_DEVICE,
    [WIRE_REGION_READ] = TALLY_REGION_READ,
    [WIRE_REGION_WRITE] = TALLY_REGION_WRITE,
    [WIRE_DMA_READ] = TALLY_DMA,
    [WIRE_DMA_WRITE] = TALLY_DMA,
    [WIRE_DEVICE_RESET] = TALLY_DEVICE,
    [WIRE_REGION_WRITE_MULTI] = TALLY_REGION_WRITE,
    [WIRE_DEVICE_FEATURE] = TALLY_DEVICE,
    [WIRE_MIG_DATA_READ] = TALLY_MIGRATION,
    [WIRE_MIG_DATA_WRITE] = TALLY_MIGRATION,
};

const char *tally_class_word(enum tally_class class)
{
    return class_words[class];
}

unsigned tally_bucket(uint64_t ns)
{
    unsigned i = 0;

    while (i < TALLY_BOUNDS && ns > tally_bounds[i]) {
        i++;
    }
    return i;
}

/* ---- sums ---- */

static void tally_add_times(struct tally_times *sum, const struct tally_times *more)
{
    for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
        sum->buckets[i] += more->buckets[i];
    }
    sum->ns += more->ns;
    if (more->slowest.session != 0 && more->slowest.ns >= sum->slowest.ns) {
        sum->slowest = more->slowest;
    }
}

void tally_add(struct tally *sum, const struct tally *more)
{
    for (int side = 0; side < SIDES; side++) {
        for (unsigned i = 0; i < TALLY_COMMANDS; i++) {
            ipc_count_add(&sum->by[side][i], &more->by[side][i]);
        }
    }
    for (unsigned i = 0; i < TALLY_CLASSES; i++) {
        tally_add_times(&sum->times[i], &more->times[i]);
    }
}

/* ---- the worker's part ---- */

/* Identifies a request: its session, whether on the twin sockets, its sender, its id. */
#define TALLY_KEY(session, twin, from, id) \
    ((uint64_t)(session) << 18 | (uint64_t)(twin) << 17 | (uint64_t)(from) << 16 | (uint64_t)(id))

/* The requests that await their replies, each in the only place that it can have. */
static struct tally_request {
    uint64_t key; /* 0: unused */
    uint64_t ns;  /* clock_ns of the look that found it */
} requests[LIMIT_TALLY_REQUESTS];

/* clock_ns of the last look. */
static uint64_t look_ns;

void tally_look(uint64_t now_ns)
{
    look_ns = now_ns;
}

static struct tally_request *tally_place(uint64_t key)
{
    _Static_assert(LIMIT_TALLY_REQUESTS == 1u << 12, "the shift follows from the number");

    return &requests[key * 0x9e3779b97f4a7c15u >> (64 - 12)];
}

static void tally_measure(const struct tally_meter *m, unsigned command, uint64_t ns)
{
    struct tally_times *const t = &m->tally->times[classes[command]];

    t->buckets[tally_bucket(ns)]++;
    t->ns += ns;
    if (ns >= t->slowest.ns || look_ns - t->slowest.at_ns > LIMIT_EXEMPLAR_NS) {
        t->slowest = (struct tally_exemplar){.session = m->subject->session,
                                             .record = m->subject->record,
                                             .ns = ns,
                                             .at_ns = look_ns};
    }
}

void tally_time(const struct tally_meter *m, bool twin, enum side from, const struct wire_hdr *hdr)
{
    const enum side asker = wire_is_reply(hdr) ? side_other(from) : from;
    const uint64_t key = TALLY_KEY(m->subject->session, twin, asker, hdr->id);
    struct tally_request *const r = tally_place(key);

    if (!wire_is_reply(hdr)) {
        if (!(hdr->flags & WIRE_NO_REPLY)) {
            *r = (struct tally_request){.key = key, .ns = look_ns};
        }
    } else if (r->key == key) {
        r->key = 0;
        tally_measure(m, tally_command(hdr->command), look_ns - r->ns);
    }
}
