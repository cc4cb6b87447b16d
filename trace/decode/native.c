/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Swaps the numbers of headers and payloads, by the description of their fields. Pure; bounded by
 * the bytes that are there, whatever sizes they claim.
 */
#include "trace/decode/native.h"

#include <string.h>

#include "base/wire/wire_command.h"

static void native_reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const uint8_t b = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = b;
    }
}

/* Swaps the structure's numbers that are there; returns its size, or 0 if it is incomplete. */
static size_t native_turn(const struct wire_struct *s, uint8_t *p, size_t n)
{
    for (const struct wire_field *f = s->fields; f < s->fields + s->n_fields; f++) {
        if (f->kind != WIRE_BYTES && wire_field_whole(f, n)) {
            native_reverse(p + f->offset, f->size);
        }
    }
    return n < s->size ? 0 : s->size;
}

/* Swaps the structure and the entries of its list that are there; returns the bytes swapped. */
static size_t native_turn_all(const struct wire_struct *s, uint8_t *p, size_t n)
{
    size_t at = native_turn(s, p, n);
    const uint64_t count = s->count ? wire_field_value(s->count, p, n) : UINT64_MAX;
    size_t step = at;

    for (uint64_t i = 0; s->entry && i < count && step > 0; i++) {
        step = native_turn(s->entry, p + at, n - at);
        at += step;
    }
    return at;
}

/* Swaps a region's capabilities, each once and forwards only, in wire_region_caps's order. */
static void native_turn_caps(uint8_t *p, size_t n)
{
    struct wire_region_info info;
    struct wire_cap cap;
    size_t least = sizeof info;

    if (!wire_get(p, n, &info, sizeof info) || !(info.flags & WIRE_REGION_FLAG_CAPS)) {
        return;
    }
    for (size_t at = info.cap_offset; at >= least && at < n; at = cap.next) {
        const struct wire_part *part;

        if (native_turn(&wire_cap_header, p + at, n - at) == 0 ||
            !wire_get(p + at, n - at, &cap, sizeof cap)) {
            return;
        }
        least = at + sizeof cap;
        part = wire_cap_find(cap.id);
        if (part) {
            (void)native_turn_all(part->structure, p + least, n - least);
        }
    }
}

static void native_turn_feature(uint8_t *p, size_t n, size_t at)
{
    struct wire_feature f;
    const struct wire_part *part;

    if (!wire_get(p, n, &f, sizeof f)) {
        return;
    }
    part = wire_feature_find(f.flags & WIRE_FEATURE_MASK);
    if (part && part->structure) {
        (void)native_turn_all(part->structure, p + at, n - at);
    }
}

static void native_turn_payload(const struct wire_hdr *hdr, uint8_t *p, size_t n)
{
    const struct wire_command_info *const c = wire_command_find(hdr->command);
    size_t at;

    if (!c || !c->structure) {
        return;
    }
    at = native_turn_all(c->structure, p, n);
    switch ((enum wire_tail)c->reply.tail) {
    case WIRE_TAIL_CAPS:
        native_turn_caps(p, n);
        break;
    case WIRE_TAIL_FEATURE:
        native_turn_feature(p, n, at);
        break;
    case WIRE_TAIL_REST:
        /* The count of a short reply has the size that is left for it. */
        if (n == c->reply.fixed) {
            native_reverse(p + c->structure->count->offset, n - c->structure->count->offset);
        }
        break;
    default:
        break;
    }
}

static bool native_foreign_flags(uint8_t flags)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, sizeof first);
    return (first == 0) != ((flags & TRACE_BIG_ENDIAN) != 0);
}

bool native_foreign(const struct trace_message *m)
{
    return native_foreign_flags(m->flags);
}

bool native_header(const struct trace_message *m, struct wire_hdr *hdr)
{
    if (m->kept < WIRE_HDR_SIZE) {
        return false;
    }
    memcpy(hdr, m->data, sizeof *hdr);
    if (native_foreign_flags(m->flags)) {
        (void)native_turn(&wire_header, (uint8_t *)hdr, sizeof *hdr);
    }
    return true;
}

size_t native_head(const uint8_t *head, size_t n, uint8_t flags, const struct wire_hdr *hdr,
                   void *out, size_t size)
{
    size_t length;

    if (n <= WIRE_HDR_SIZE) {
        return 0;
    }
    length = n - WIRE_HDR_SIZE < size ? n - WIRE_HDR_SIZE : size;
    memcpy(out, head + WIRE_HDR_SIZE, length);
    if (native_foreign_flags(flags)) {
        native_turn_payload(hdr, out, length);
    }
    return length;
}

size_t native_payload(const struct trace_message *m, const struct wire_hdr *hdr, void *out,
                      size_t n)
{
    return native_head(m->data, m->kept, m->flags, hdr, out, n);
}
