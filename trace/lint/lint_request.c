/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges requests after their form has been found right. Pure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trace/lint/lint_session.h"

const char *lint_region_text(uint32_t region, char out[static 24])
{
    const char *name = wire_name_of(wire_regions, region);

    if (name) {
        snprintf(out, 24, "%s", name);
    } else {
        snprintf(out, 24, "region %" PRIu32, region);
    }
    return out;
}

void lint_set_state(struct lint_session *s, uint32_t state)
{
    s->state = state;
    s->state_known = !s->partial;
}

/*
 * Judges the size of data that a request carries or, if `asked`, asks for: then its sender must
 * also keep to the limit that it announced itself.
 */
static void lint_request_data_size(const struct lint_at *at, uint64_t count, bool asked)
{
    const unsigned sender = at->v.m->sender & 1u;
    const struct lint_limits *l = &at->known->limits[sender];
    const struct lint_limits *own = &at->known->limits[sender ^ 1u];

    if (l->known && count > l->takes.max_data) {
        lint_say(at, LINT_DATA_OVER_MAX, "%" PRIu64 " bytes, at most %" PRIu32, count,
                 l->takes.max_data);
    } else if (asked && own->known && count > own->takes.max_data) {
        lint_say(at, LINT_ASKED_OVER_MAX, "%" PRIu64 " bytes, its own limit is %" PRIu32, count,
                 own->takes.max_data);
    }
}

/* ---- regions and interrupts ---- */

static const struct lint_region *lint_request_region_of(const struct lint_at *at, uint32_t region)
{
    const struct lint_session *s = at->known;
    char name[24];

    if (s->info_known && region >= s->info.num_regions) {
        lint_say(at, LINT_REGION_UNKNOWN, "%s of %" PRIu32, lint_region_text(region, name),
                 s->info.num_regions);
        return NULL;
    }
    return region < LINT_REGIONS && s->device->region[region].known ? &s->device->region[region]
                                                                    : NULL;
}

static void lint_request_region_access(const struct lint_at *at, uint32_t region, uint64_t offset,
                                       uint64_t count, bool write)
{
    const struct lint_region *r = lint_request_region_of(at, region);
    const uint32_t needed = write ? WIRE_REGION_FLAG_WRITE : WIRE_REGION_FLAG_READ;
    char name[24];

    if (!r) {
        return;
    }
    if (offset > r->size || count > r->size - offset) {
        lint_say(at, LINT_REGION_BEYOND,
                 "%" PRIu64 " bytes at 0x%" PRIx64 " of %s, which has 0x%" PRIx64, count, offset,
                 lint_region_text(region, name), r->size);
    } else if (!(r->flags & needed)) {
        lint_say(at, LINT_REGION_FLAG, "%s %s", write ? "a write to" : "a read of",
                 lint_region_text(region, name));
    }
}

static void lint_request_region_request(const struct lint_at *at, bool write)
{
    struct wire_region_access a;

    if (wire_get(at->v.p, at->v.n, &a, sizeof a)) {
        lint_request_data_size(at, a.count, !write);
        lint_request_region_access(at, a.region, a.offset, a.count, write);
    }
}

static void lint_request_write_multi(const struct lint_at *at)
{
    struct wire_single_write w;

    if (at->known->answered && !at->known->partial && !at->known->write_multiple) {
        lint_say(at, LINT_MULTI_NOT_NEGOTIATED, "%s", "");
    }
    for (size_t i = sizeof(struct wire_write_multi);
         i < at->v.n && wire_get(at->v.p + i, at->v.n - i, &w, sizeof w); i += sizeof w) {
        lint_request_region_access(at, w.region, w.offset, w.count, true);
    }
}

static const struct lint_irq *lint_request_irq_of(const struct lint_at *at, uint32_t index)
{
    const struct lint_session *s = at->known;

    if (s->info_known && index >= s->info.num_irqs) {
        lint_say(at, LINT_IRQ_UNKNOWN, "%" PRIu32 " of %" PRIu32, index, s->info.num_irqs);
        return NULL;
    }
    return index < LINT_IRQS && s->device->irq[index].known ? &s->device->irq[index] : NULL;
}

static void lint_request_irq_actions(const struct lint_at *at, const struct wire_irq_set *s,
                                     const struct lint_irq *irq)
{
    if (s->start > irq->count || s->count > irq->count - s->start) {
        lint_say(at, LINT_IRQ_BEYOND, "%" PRIu32 " from %" PRIu32 ", of %" PRIu32, s->count,
                 s->start, irq->count);
    }
    if ((s->flags & WIRE_IRQ_SET_DATA_EVENTFD) && !(irq->flags & WIRE_IRQ_INFO_EVENTFD)) {
        lint_say(at, LINT_IRQ_FLAG, "%s", "no eventfds");
    }
    if ((s->flags & (WIRE_IRQ_SET_ACTION_MASK | WIRE_IRQ_SET_ACTION_UNMASK)) &&
        !(irq->flags & WIRE_IRQ_INFO_MASKABLE)) {
        lint_say(at, LINT_IRQ_FLAG, "%s", "not maskable");
    }
}

static void lint_request_set_irqs(const struct lint_at *at)
{
    const struct lint_irq *irq;
    struct wire_irq_set s;

    if (!wire_get(at->v.p, at->v.n, &s, sizeof s)) {
        return;
    }
    if (s.argsz != at->v.total) {
        lint_say(at, LINT_ARGSZ_WRONG, "%" PRIu32 ", the payload has %zu bytes", s.argsz,
                 at->v.total);
    }
    if (s.flags & WIRE_IRQ_SET_DATA_EVENTFD ? at->v.m->n_fds != 0 && at->v.m->n_fds != s.count
                                            : at->v.m->n_fds != 0) {
        lint_say(at, LINT_FDS_MISSING, "%u for %" PRIu32 " interrupts", at->v.m->n_fds,
                 s.flags & WIRE_IRQ_SET_DATA_EVENTFD ? s.count : 0);
    }
    irq = lint_request_irq_of(at, s.index);
    if (irq) {
        lint_request_irq_actions(at, &s, irq);
    }
}

/* ---- memory ---- */

static void lint_request_map_form(const struct lint_at *at, const struct wire_dma_map *m)
{
    const struct lint_session *s = at->known;

    if (m->argsz != sizeof *m) {
        lint_say(at, LINT_ARGSZ_WRONG, "%" PRIu32 ", the structure has %zu bytes", m->argsz,
                 sizeof *m);
    }
    if (m->flags & ~WIRE_DMA_KNOWN) {
        lint_say(at, LINT_FLAGS, "flags 0x%" PRIx32, m->flags);
    }
    if ((m->flags & (WIRE_DMA_MMAP | WIRE_DMA_FILE_IO)) && at->v.m->n_fds == 0) {
        lint_say(at, LINT_FDS_MISSING, "%s", "none, although a flag requires one");
    }
    if (at->v.m->n_fds > 1) {
        lint_say(at, LINT_FDS_MISSING, "%u for one region", at->v.m->n_fds);
    }
    if (m->offset && at->v.m->n_fds == 0) {
        lint_say(at, LINT_MAP_OFFSET, "0x%" PRIx64, m->offset);
    }
    if ((m->address | m->size) & (s->page - 1)) {
        lint_say(at, LINT_MAP_PAGE, "0x%" PRIx64 " bytes at 0x%" PRIx64 ", pages of 0x%" PRIx64,
                 m->size, m->address, s->page);
    }
}

static uint64_t lint_request_dma_map(const struct lint_at *at)
{
    struct lint_session *s = at->known;
    struct wire_dma_map m;

    if (!wire_get(at->v.p, at->v.n, &m, sizeof m)) {
        return 0;
    }
    lint_request_map_form(at, &m);
    if (!lint_maps_range(m.address, m.size)) {
        lint_say(at, LINT_MAP_RANGE, "0x%" PRIx64 " bytes at 0x%" PRIx64, m.size, m.address);
        return 0;
    }
    if (!s->maps_known) {
        return 0;
    }
    switch (lint_maps_add(&s->maps, m.address, m.size, m.flags)) {
    case LINT_MAPS_OK:
        if (s->maps.n > s->max_dma_maps) {
            lint_say(at, LINT_MAP_TOO_MANY, "%zu, at most %" PRIu64, s->maps.n, s->max_dma_maps);
        }
        return LINT_TAG_MAPPED;
    case LINT_MAPS_OVERLAP:
        lint_say(at, LINT_MAP_OVERLAP, "0x%" PRIx64 " bytes at 0x%" PRIx64, m.size, m.address);
        return LINT_TAG_OVERLAP;
    case LINT_MAPS_FULL:
        s->maps_known = false;
        break;
    }
    return 0;
}

static void lint_request_dma_unmap(const struct lint_at *at)
{
    struct lint_session *s = at->known;
    struct wire_dma_unmap u;

    if (!wire_get(at->v.p, at->v.n, &u, sizeof u)) {
        return;
    }
    if (s->maps_known && !(at->v.hdr.flags & WIRE_NO_REPLY
                               ? lint_maps_post_leave(&s->maps, u.address, u.size, at->v.m->number)
                               : lint_maps_leave(&s->maps, u.address, u.size))) {
        lint_say(at, LINT_UNMAP_UNKNOWN, "0x%" PRIx64 " bytes at 0x%" PRIx64, u.size, u.address);
    }
}

static void lint_request_dma_access(const struct lint_at *at, uint32_t needed)
{
    const struct lint_session *s = at->known;
    struct wire_dma_access a;
    uint32_t flags;

    if (!wire_get(at->v.p, at->v.n, &a, sizeof a)) {
        return;
    }
    lint_request_data_size(at, a.count, needed == WIRE_DMA_READABLE);
    if (!s->maps_known || a.count == 0) {
        return;
    }
    if (!lint_maps_range(a.address, a.count) ||
        !lint_maps_cover(&s->maps, a.address, a.count, &flags)) {
        lint_say(at, LINT_DMA_OUTSIDE, "%" PRIu64 " bytes at 0x%" PRIx64, a.count, a.address);
    } else if (!(flags & needed)) {
        lint_say(at, LINT_DMA_FLAGS, "0x%" PRIx64 " is not %s", a.address,
                 needed == WIRE_DMA_READABLE ? "readable" : "writeable");
    }
}

/* ---- reset, features, migration ---- */

static void lint_request_reset(const struct lint_at *at)
{
    const struct lint_session *s = at->known;

    if (s->info_known && !(s->info.flags & WIRE_DEVICE_FLAG_RESET)) {
        lint_say(at, LINT_RESET_UNSUPPORTED, "%s", "");
    }
}

static void lint_request_new_state(const struct lint_at *at, uint32_t state)
{
    const struct lint_session *s = at->known;

    if (state == WIRE_MIG_RUNNING_P2P || state == WIRE_MIG_PRE_COPY_P2P ||
        state > WIRE_MIG_PRE_COPY_P2P) {
        lint_say(at, LINT_STATE_UNUSED, "state %" PRIu32, state);
    } else if (state == WIRE_MIG_ERROR) {
        lint_say(at, LINT_STATE_FORBIDDEN, "%s", "to ERROR");
    } else if (s->state_known && s->state == WIRE_MIG_STOP_COPY && state == WIRE_MIG_PRE_COPY) {
        lint_say(at, LINT_STATE_FORBIDDEN, "%s", "STOP_COPY to PRE_COPY");
    }
}

/* DMA_LOGGING_START: as many ranges as it says. */
static void lint_request_ranges(const struct lint_at *at)
{
    const size_t fixed = sizeof(struct wire_feature) + sizeof(struct wire_dma_logging);
    struct wire_dma_logging l;

    if (at->v.total < fixed || !wire_get(at->v.p + sizeof(struct wire_feature),
                                         at->v.n - sizeof(struct wire_feature), &l, sizeof l)) {
        return;
    }
    if ((at->v.total - fixed) / sizeof(struct wire_dma_logging_range) != l.num_ranges ||
        (at->v.total - fixed) % sizeof(struct wire_dma_logging_range) != 0) {
        lint_say(at, LINT_COUNT, "num_ranges %" PRIu32 ", %zu bytes of ranges", l.num_ranges,
                 at->v.total - fixed);
    }
}

static void lint_request_feature(const struct lint_at *at)
{
    struct wire_feature_mig_state state;
    struct wire_feature f;

    if (!wire_get(at->v.p, at->v.n, &f, sizeof f)) {
        return;
    }
    if (!wire_feature_name(f.flags & WIRE_FEATURE_MASK)) {
        lint_say(at, LINT_FEATURE_UNKNOWN, "%" PRIu32, f.flags & WIRE_FEATURE_MASK);
    }
    if ((f.flags & WIRE_FEATURE_MASK) == WIRE_FEATURE_MIG_DEVICE_STATE &&
        (f.flags & WIRE_FEATURE_SET) && !(f.flags & WIRE_FEATURE_PROBE) &&
        wire_get(at->v.p + sizeof f, at->v.n - sizeof f, &state, sizeof state)) {
        lint_request_new_state(at, state.device_state);
    }
    if ((f.flags & WIRE_FEATURE_MASK) == WIRE_FEATURE_DMA_LOGGING_START &&
        (f.flags & WIRE_FEATURE_SET) && !(f.flags & WIRE_FEATURE_PROBE)) {
        lint_request_ranges(at);
    }
}

static void lint_request_mig_data(const struct lint_at *at, bool write)
{
    const struct lint_session *s = at->known;
    struct wire_mig_data m;
    bool fits;

    if (!wire_get(at->v.p, at->v.n, &m, sizeof m)) {
        return;
    }
    lint_request_data_size(at, m.size, !write);
    fits = write ? s->state == WIRE_MIG_RESUMING
                 : s->state == WIRE_MIG_STOP_COPY || s->state == WIRE_MIG_PRE_COPY;
    if (s->state_known && !fits) {
        lint_say(at, LINT_MIG_STATE, "%s", wire_name_of(wire_mig_states, s->state));
    }
}

/* ---- the form, by the description of the command ---- */

/* Fields that must be 0. */
static void lint_request_reserved(const struct lint_at *at, const struct wire_struct *s)
{
    char text[160] = "";
    size_t n = 0;

    if (!wire_reserved_set(s, at->v.p, at->v.n)) {
        return;
    }
    for (const struct wire_field *f = s->fields; f < s->fields + s->n_fields; f++) {
        const uint64_t v = wire_field_value(f, at->v.p, at->v.n);
        const bool decimal = f->kind == WIRE_DEC || f->kind == WIRE_COUNT;

        if (f->request >= WIRE_NONZERO && n < sizeof text) {
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  decimal ? "%s%s %" PRIu64 : "%s%s 0x%" PRIx64, n > 0 ? ", " : "",
                                  f->name, v);
        }
    }
    lint_say(at, LINT_NOT_ZERO, "%s", text);
}

/* The room that argsz has for the reply, the index asked for, and fields that must be 0. */
static void lint_request_form(const struct lint_at *at)
{
    const struct wire_struct *const s = at->info->structure;
    uint32_t value;

    if (!s || at->v.n < s->size) {
        return;
    }
    value = s->argsz ? (uint32_t)wire_field_value(s->argsz, at->v.p, at->v.n) : UINT32_MAX;
    if (value < at->info->reply.fixed) {
        lint_say(at, LINT_ARGSZ_SMALL, "%" PRIu32 ", at least %" PRIu32, value,
                 at->info->reply.fixed);
    }
    if (wire_field_find(s, WIRE_REGION) && !wire_field_find(s, WIRE_OFFSET)) {
        value = (uint32_t)wire_field_value(wire_field_find(s, WIRE_REGION), at->v.p, at->v.n);
        (void)lint_request_region_of(at, value);
    } else if (at->info->code == WIRE_DEVICE_GET_IRQ_INFO) {
        value = (uint32_t)wire_field_value(wire_field_find(s, WIRE_NAMED), at->v.p, at->v.n);
        (void)lint_request_irq_of(at, value);
    }
    lint_request_reserved(at, s);
}

uint64_t lint_request(struct lint_at *at)
{
    lint_request_form(at);
    switch (at->v.hdr.command) {
    case WIRE_DMA_MAP:
        return lint_request_dma_map(at);
    case WIRE_DMA_UNMAP:
        lint_request_dma_unmap(at);
        break;
    case WIRE_DEVICE_SET_IRQS:
        lint_request_set_irqs(at);
        break;
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        lint_request_region_request(at, at->v.hdr.command == WIRE_REGION_WRITE);
        break;
    case WIRE_DMA_READ:
        lint_request_dma_access(at, WIRE_DMA_READABLE);
        break;
    case WIRE_DMA_WRITE:
        lint_request_dma_access(at, WIRE_DMA_WRITEABLE);
        break;
    case WIRE_DEVICE_RESET:
        lint_request_reset(at);
        break;
    case WIRE_REGION_WRITE_MULTI:
        lint_request_write_multi(at);
        break;
    case WIRE_DEVICE_FEATURE:
        lint_request_feature(at);
        break;
    case WIRE_MIG_DATA_READ:
    case WIRE_MIG_DATA_WRITE:
        lint_request_mig_data(at, at->v.hdr.command == WIRE_MIG_DATA_WRITE);
        break;
    default:
        break;
    }
    return 0;
}
