/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges replies against their requests, and learns the device and its maps from them. Pure except
 * for the maps' memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/unconst.h"
#include "trace/lint/lint_session.h"
#include "trace/decode/decode_fields.h"

/* Reads the remembered request's fixed part. Returns false if it was not kept whole. */
static bool lint_reply_asked(const struct lint_at *at, void *out, size_t size)
{
    uint8_t payload[TRACE_REMEMBERED];
    const size_t n = decode_asked(at->request, payload);

    return wire_get(payload, n, out, size);
}

uint32_t lint_asked(const struct lint_at *at)
{
    uint8_t payload[TRACE_REMEMBERED];
    const size_t n = decode_asked(at->request, payload);

    return wire_asks(&at->request->hdr, payload, n);
}

static void lint_reply_write_count(const struct lint_at *at, uint64_t got, uint64_t wanted)
{
    if (!lint_judged(at) || got == wanted) {
        return;
    }
    lint_say(at, got > wanted ? LINT_REPLY_COUNT : LINT_REPLY_SHORT, "%" PRIu64 " of %" PRIu64, got,
             wanted);
}

/* ---- argsz ---- */

/*
 * Returns true if the reply's own argsz can be judged: some replies repeat the request's, and the
 * specification's arithmetic for IO fds contradicts itself.
 */
static bool lint_reply_own_argsz(const struct lint_at *at)
{
    struct wire_feature f;

    switch (at->v.hdr.command) {
    case WIRE_DMA_UNMAP:
    case WIRE_DEVICE_GET_REGION_IO_FDS:
        return false;
    case WIRE_DEVICE_FEATURE:
        return wire_get(at->v.p, at->v.n, &f, sizeof f) && (f.flags & WIRE_FEATURE_GET) &&
               !(f.flags & WIRE_FEATURE_PROBE);
    default:
        return true;
    }
}

static void lint_reply_judge_argsz(const struct lint_at *at)
{
    const size_t total = at->v.total;
    uint32_t wanted;
    uint32_t argsz;

    if (!at->info->structure || !at->info->structure->argsz || at->info->reply.fixed == 0 ||
        !lint_reply_asked(at, &wanted, sizeof wanted) ||
        !wire_get(at->v.p, at->v.n, &argsz, sizeof argsz)) {
        return;
    }
    if (total > wanted) {
        lint_say(at, LINT_REPLY_OVER_ARGSZ, "%zu bytes, asked for %" PRIu32, total, wanted);
    }
    if (lint_reply_own_argsz(at) && (argsz < total || (argsz > total && argsz <= wanted))) {
        lint_say(at, LINT_REPLY_ARGSZ, "%" PRIu32 ", the payload has %zu bytes", argsz, total);
    }
}

/*
 * Judges a reply cut after its header, such as one too large to be relayed: its size must match the
 * data asked for.
 */
static void lint_reply_judge_size(const struct lint_at *at)
{
    const struct wire_body *const body = &at->info->reply;
    uint8_t asked[TRACE_REMEMBERED];
    const struct wire_field *count;
    uint64_t wanted;
    size_t n;

    if (at->v.n > 0 || at->v.total == 0 || body->tail != WIRE_TAIL_DATA || !body->repeats) {
        return;
    }
    count = at->info->structure->count;
    n = decode_asked(at->request, asked);
    if (!wire_field_whole(count, n)) {
        return;
    }
    wanted = body->fixed + wire_field_value(count, asked, n);
    if (at->v.total != wanted) {
        lint_say(at, LINT_COUNT, "%zu bytes, %" PRIu64 " were asked for", at->v.total, wanted);
    }
}

/* ---- memory ---- */

static void lint_reply_dma_map(const struct lint_at *at, bool failed)
{
    struct lint_session *s = at->known;
    struct wire_dma_map m;

    if (!lint_reply_asked(at, &m, sizeof m)) {
        return;
    }
    if (failed && (at->request->tag & LINT_TAG_MAPPED)) {
        lint_maps_remove(&s->maps, m.address, m.size, false);
    }
    if ((at->request->tag & LINT_TAG_OVERLAP) && lint_judged(at) &&
        !(failed && at->v.hdr.error == EEXIST)) {
        lint_say(at, LINT_MAP_OVERLAP_TAKEN, "0x%" PRIx64 " bytes at 0x%" PRIx64, m.size,
                 m.address);
    }
}

static void lint_reply_dma_unmap(const struct lint_at *at, bool failed)
{
    struct wire_dma_unmap u;
    struct wire_dma_unmap got;

    if (!lint_reply_asked(at, &u, sizeof u)) {
        return;
    }
    if (failed) {
        lint_maps_stay(&at->known->maps, u.address, u.size);
        return;
    }
    lint_maps_remove(&at->known->maps, u.address, u.size, true);
    if (lint_judged(at) && wire_get(at->v.p, at->v.n, &got, sizeof got) &&
        (got.address != u.address || got.size != u.size)) {
        lint_say(at, LINT_REPLY_DIFFERS, "0x%" PRIx64 " bytes at 0x%" PRIx64, got.size,
                 got.address);
    }
}

static void lint_reply_dma_access(const struct lint_at *at)
{
    struct wire_dma_access a;
    struct wire_dma_access got = {0};
    const size_t n = at->v.n < sizeof got ? at->v.n : sizeof got;

    if (!lint_judged(at) || !lint_reply_asked(at, &a, sizeof a) || n < WIRE_DMA_WRITE_REPLY_MIN) {
        return;
    }
    /* The count has 4 bytes in the short form of DMA_WRITE's reply. */
    memcpy(&got, at->v.p, n);
    if (got.address != a.address) {
        lint_say(at, LINT_REPLY_DIFFERS, "0x%" PRIx64 " to 0x%" PRIx64, got.address, a.address);
    }
    lint_reply_write_count(at, got.count, a.count);
}

/* ---- regions and interrupts ---- */

static void lint_reply_region_access(const struct lint_at *at)
{
    struct wire_region_access a;
    struct wire_region_access got;
    char name[24];

    if (!lint_judged(at) || !lint_reply_asked(at, &a, sizeof a) ||
        !wire_get(at->v.p, at->v.n, &got, sizeof got)) {
        return;
    }
    if (got.offset != a.offset || got.region != a.region) {
        lint_say(at, LINT_REPLY_DIFFERS, "%s at 0x%" PRIx64, lint_region_text(got.region, name),
                 got.offset);
    }
    lint_reply_write_count(at, got.count, a.count);
}

static void lint_reply_write_multi(const struct lint_at *at)
{
    struct wire_write_multi m;
    struct wire_write_multi got;

    if (lint_reply_asked(at, &m, sizeof m) && wire_get(at->v.p, at->v.n, &got, sizeof got)) {
        lint_reply_write_count(at, got.wr_cnt, m.wr_cnt);
    }
}

static void lint_reply_write_index(const struct lint_at *at, uint32_t got, uint32_t wanted)
{
    if (lint_judged(at) && got != wanted) {
        lint_say(at, LINT_REPLY_DIFFERS, "index %" PRIu32 " to %" PRIu32, got, wanted);
    }
}

static void lint_reply_get_info(const struct lint_at *at)
{
    at->known->info_known = wire_get(at->v.p, at->v.n, &at->known->info, sizeof at->known->info);
}

/* A list of mappable areas: as many as it says. */
static void lint_reply_cap(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    const struct lint_at *const at = arg;
    const size_t fixed = sizeof *cap + sizeof(struct wire_sparse);
    const size_t begin = (size_t)((const uint8_t *)p - at->v.p);
    struct wire_sparse s;

    if (cap->next > begin) {
        n = cap->next - begin;
    }
    if (cap->id == WIRE_CAP_SPARSE_MMAP && n >= fixed &&
        wire_get((const uint8_t *)p + sizeof *cap, n - sizeof *cap, &s, sizeof s) &&
        s.nr_areas > (n - fixed) / sizeof(struct wire_sparse_area)) {
        lint_say(at, LINT_COUNT, "nr_areas %" PRIu32 ", room for %zu", s.nr_areas,
                 (n - fixed) / sizeof(struct wire_sparse_area));
    }
}

static void lint_reply_get_region_info(const struct lint_at *at)
{
    struct wire_region_info a;
    struct wire_region_info i;

    if (!lint_reply_asked(at, &a, sizeof a) || !wire_get(at->v.p, at->v.n, &i, sizeof i)) {
        return;
    }
    lint_reply_write_index(at, i.index, a.index);
    if (i.index < LINT_REGIONS) {
        at->known->device->region[i.index] =
            (struct lint_region){.known = true, .flags = i.flags, .size = i.size};
    }
    if (lint_judged(at) && at->v.n == at->v.total) {
        (void)wire_region_caps(at->v.p, at->v.n, lint_reply_cap, unconst_pointer(at));
    }
    /* If argsz was too small, the fd comes with the second reply. */
    if (lint_judged(at) && (i.flags & WIRE_REGION_FLAG_MMAP) && at->v.m->n_fds == 0 &&
        i.argsz <= at->v.total) {
        lint_say(at, LINT_FDS_MISSING, "%s", "none for a region that can be mapped");
    }
}

static void lint_reply_get_io_fds(const struct lint_at *at)
{
    struct wire_region_io_fds a;
    struct wire_region_io_fds f;
    struct wire_io_fd sub;

    if (!lint_judged(at) || !lint_reply_asked(at, &a, sizeof a) ||
        !wire_get(at->v.p, at->v.n, &f, sizeof f)) {
        return;
    }
    lint_reply_write_index(at, f.index, a.index);
    for (uint32_t i = 0; wire_io_fd_at(at->v.p, at->v.n, i, &sub); i++) {
        if (sub.fd_index >= at->v.m->n_fds) {
            lint_say(at, LINT_FD_INDEX, "%" PRIu32 " of %u", sub.fd_index, at->v.m->n_fds);
        }
    }
}

static void lint_reply_get_irq_info(const struct lint_at *at)
{
    struct wire_irq_info a;
    struct wire_irq_info i;

    if (!lint_reply_asked(at, &a, sizeof a) || !wire_get(at->v.p, at->v.n, &i, sizeof i)) {
        return;
    }
    lint_reply_write_index(at, i.index, a.index);
    if (i.index < LINT_IRQS) {
        at->known->device->irq[i.index] =
            (struct lint_irq){.known = true, .flags = i.flags, .count = i.count};
    }
}

/* ---- features, migration ---- */

static void lint_reply_feature(const struct lint_at *at)
{
    struct {
        struct wire_feature f;
        struct wire_feature_mig_state s;
    } a;
    struct wire_feature f;

    if (!lint_reply_asked(at, &a.f, sizeof a.f) || !wire_get(at->v.p, at->v.n, &f, sizeof f)) {
        return;
    }
    if (lint_judged(at) && f.flags != a.f.flags) {
        lint_say(at, LINT_REPLY_DIFFERS, "flags 0x%" PRIx32 " to 0x%" PRIx32, f.flags, a.f.flags);
    }
    if ((a.f.flags & WIRE_FEATURE_MASK) == WIRE_FEATURE_MIG_DEVICE_STATE &&
        (a.f.flags & WIRE_FEATURE_SET) && !(a.f.flags & WIRE_FEATURE_PROBE) &&
        lint_reply_asked(at, &a, sizeof a)) {
        lint_set_state(at->known, a.s.device_state);
    }
}

static void lint_reply_mig_data_read(const struct lint_at *at)
{
    struct wire_mig_data a;
    struct wire_mig_data m;

    /* Less data than asked for marks the end of the data. */
    if (lint_judged(at) && lint_reply_asked(at, &a, sizeof a) &&
        wire_get(at->v.p, at->v.n, &m, sizeof m) && m.size > a.size) {
        lint_reply_write_count(at, m.size, a.size);
    }
}

static void lint_reply_error(struct lint_at *at)
{
    struct wire_feature f;

    if (at->v.hdr.command == WIRE_DMA_MAP) {
        lint_reply_dma_map(at, true);
    } else if (at->v.hdr.command == WIRE_DMA_UNMAP) {
        lint_reply_dma_unmap(at, true);
    } else if (at->v.hdr.command == WIRE_DEVICE_FEATURE && lint_reply_asked(at, &f, sizeof f) &&
               (f.flags & WIRE_FEATURE_SET)) {
        /* The device may have entered ERROR. */
        at->known->state_known = false;
    }
}

void lint_reply(struct lint_at *at)
{
    if (at->v.hdr.flags & WIRE_ERROR) {
        lint_reply_error(at);
        return;
    }
    if (at->info && lint_judged(at)) {
        lint_reply_judge_argsz(at);
        lint_reply_judge_size(at);
    }
    switch (at->v.hdr.command) {
    case WIRE_DMA_MAP:
        lint_reply_dma_map(at, false);
        break;
    case WIRE_DMA_UNMAP:
        lint_reply_dma_unmap(at, false);
        break;
    case WIRE_DEVICE_GET_INFO:
        lint_reply_get_info(at);
        break;
    case WIRE_DEVICE_GET_REGION_INFO:
        lint_reply_get_region_info(at);
        break;
    case WIRE_DEVICE_GET_REGION_IO_FDS:
        lint_reply_get_io_fds(at);
        break;
    case WIRE_DEVICE_GET_IRQ_INFO:
        lint_reply_get_irq_info(at);
        break;
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        lint_reply_region_access(at);
        break;
    case WIRE_DMA_READ:
    case WIRE_DMA_WRITE:
        lint_reply_dma_access(at);
        break;
    case WIRE_DEVICE_RESET:
        lint_set_state(at->known, WIRE_MIG_RUNNING);
        break;
    case WIRE_REGION_WRITE_MULTI:
        lint_reply_write_multi(at);
        break;
    case WIRE_DEVICE_FEATURE:
        lint_reply_feature(at);
        break;
    case WIRE_MIG_DATA_READ:
        lint_reply_mig_data_read(at);
        break;
    default:
        break;
    }
}
