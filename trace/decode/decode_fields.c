/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The printers of fields, one for each kind. Pure; reads no byte that was not kept. */
#include "trace/decode/decode_fields.h"

#include "trace/decode/decode_region.h"
#include "trace/decode/native.h"

void decode_raw(struct printer *printer, const uint8_t *p, size_t n, size_t total, size_t from)
{
    if (total > from) {
        printer_data(printer, "raw", n > from ? p + from : p, n > from ? n - from : 0,
                     total - from);
    }
}

size_t decode_asked(const struct trace_request *request, uint8_t out[static TRACE_REMEMBERED])
{
    return native_head(request->head, request->kept, request->flags, &request->hdr, out,
                       TRACE_REMEMBERED);
}

/* Returns when the field is shown, WIRE_HIDDEN if these bytes do not show it. */
static enum wire_show decode_shown(const struct decode_at *at, const struct wire_struct *s,
                                   const struct wire_field *f, const uint8_t *p, size_t n)
{
    const enum wire_show show = at->reply ? f->reply : f->request;
    const bool json = at->printer->json;
    bool shown = wire_field_whole(f, n);

    switch (show) {
    case WIRE_JSON:
        shown = shown && json;
        break;
    case WIRE_VERBOSE:
        shown = shown && (json || at->printer->verbose);
        break;
    case WIRE_NONZERO:
        shown = (shown && json) || wire_field_value(f, p, n) != 0;
        break;
    case WIRE_RESERVED:
        shown = wire_reserved_set(s, p, n);
        break;
    case WIRE_HIDDEN:
    case WIRE_SHOWN:
    case WIRE_BARE:
        break;
    }
    return shown ? show : WIRE_HIDDEN;
}

/* The number of another field of the structure; 0 if there is none. */
static uint64_t decode_sibling(const struct wire_struct *s, enum wire_kind kind, const uint8_t *p,
                               size_t n)
{
    const struct wire_field *const f = wire_field_find(s, kind);

    return f ? wire_field_value(f, p, n) : 0;
}

static void decode_version(struct printer *printer, const struct wire_field *major,
                           const uint8_t *p, size_t n)
{
    printer_label(printer, printer->json ? "version" : NULL);
    strbuf_str(printer->t, printer->json ? "\"" : "");
    strbuf_dec(printer->t, wire_field_value(major, p, n));
    strbuf_char(printer->t, '.');
    strbuf_dec(printer->t, wire_field_value(major + 1, p, n));
    strbuf_str(printer->t, printer->json ? "\"" : "");
}

/* A reply repeats its request's index and methods; people see them only if they differ. */
static void decode_feature_flags(const struct decode_at *at, const struct wire_field *f,
                                 uint32_t flags)
{
    const uint32_t index = flags & WIRE_FEATURE_MASK;
    struct printer *const printer = at->printer;
    uint8_t asked[TRACE_REMEMBERED];
    size_t n;

    if (at->request && !printer->json) {
        n = decode_asked(at->request, asked);
        if (wire_field_whole(f, n) && wire_field_value(f, asked, n) == flags) {
            return;
        }
    }
    printer_flags(printer, "methods", f->names, flags & ~WIRE_FEATURE_MASK);
    if (!printer->json) {
        strbuf_char(printer->t, ' ');
        printer->first = true;
    }
    printer_word_bare(printer, "feature", wire_feature_name(index), index);
}

static void decode_region_field(const struct decode_at *at, const struct wire_struct *s,
                                uint32_t region, const uint8_t *p, size_t n)
{
    if (wire_field_find(s, WIRE_OFFSET)) {
        decode_place(at->printer, at->config, region, decode_sibling(s, WIRE_OFFSET, p, n),
                     decode_sibling(s, WIRE_COUNT, p, n));
    } else {
        decode_region(at->printer, region);
    }
}

static void decode_bytes(const struct decode_at *at, const struct wire_struct *s,
                         const struct wire_field *f, const uint8_t *p, size_t n)
{
    const uint64_t count = decode_sibling(s, WIRE_COUNT, p, n);

    decode_region_data(at->printer, (uint32_t)decode_sibling(s, WIRE_REGION, p, n),
                       decode_sibling(s, WIRE_OFFSET, p, n), p + f->offset,
                       count < f->size ? (size_t)count : f->size, count);
}

static void decode_field(const struct decode_at *at, const struct wire_struct *s,
                         const struct wire_field *f, enum wire_show show, const uint8_t *p,
                         size_t n)
{
    struct printer *const printer = at->printer;
    const uint64_t v = wire_field_value(f, p, n);
    const char *const name = show == WIRE_BARE && !printer->json ? NULL : f->name;

    switch ((enum wire_kind)f->kind) {
    case WIRE_DEC:
    case WIRE_ARGSZ:
    case WIRE_COUNT:
        printer_dec(printer, name, v);
        break;
    case WIRE_FLAGS:
        if (show != WIRE_RESERVED) {
            printer_flags(printer, name, f->names, v);
            break;
        }
        /* fall through */
    case WIRE_HEX:
    case WIRE_ADDRESS:
    case WIRE_LENGTH:
        printer_hex(printer, name, v);
        break;
    case WIRE_NAMED:
        printer_word(printer, name, wire_name_of(f->names, v), v);
        break;
    case WIRE_REGION:
        decode_region_field(at, s, (uint32_t)v, p, n);
        break;
    case WIRE_MAJOR:
        decode_version(printer, f, p, n);
        break;
    case WIRE_FEATURE:
        decode_feature_flags(at, f, (uint32_t)v);
        break;
    case WIRE_MATCH:
        printer_hex(
            printer,
            decode_sibling(s, WIRE_NAMED, p, n) == WIRE_IO_FD_IOREGIONFD ? "user_data" : name, v);
        break;
    case WIRE_BYTES:
        decode_bytes(at, s, f, p, n);
        break;
    case WIRE_OFFSET: /* with its region */
        break;
    }
}

void decode_fields(const struct decode_at *at, const struct wire_struct *s, const uint8_t *p,
                   size_t n)
{
    for (const struct wire_field *f = s->fields; f < s->fields + s->n_fields; f++) {
        const enum wire_show show = decode_shown(at, s, f, p, n);

        if (show != WIRE_HIDDEN) {
            decode_field(at, s, f, show, p, n);
        }
    }
}

void decode_entries(const struct decode_at *at, const struct wire_struct *s, const uint8_t *p,
                    size_t n, size_t stride)
{
    struct printer *const printer = at->printer;
    const uint64_t count = n < s->size ? 0 : wire_field_value(s->count, p, n);
    const uint32_t max = printer_list_max(printer);
    const size_t size = s->entry->size;
    uint64_t i = 0;

    printer_open_list(printer, s->list);
    for (size_t pos = s->size; i < count && i < max && stride >= size && n - pos >= size;
         i++, pos += stride) {
        printer_open(printer, NULL);
        decode_fields(at, s->entry, p + pos, size);
        printer_close(printer);
    }
    printer_more(printer, count - i);
    printer_close_list(printer);
}

void decode_feature(const struct decode_at *at, uint32_t flags, const uint8_t *p, size_t n,
                    size_t total)
{
    const struct wire_part *const part = wire_feature_find(flags & WIRE_FEATURE_MASK);
    const struct wire_struct *const s = part ? part->structure : NULL;

    if (total == 0) {
        return;
    }
    if (!s || (s->whole && n < s->size)) {
        decode_raw(at->printer, p, n, total, 0);
        return;
    }
    decode_fields(at, s, p, n);
    if (s->count) {
        decode_entries(at, s, p, n, s->entry->size);
    } else if (!s->entry) {
        decode_raw(at->printer, p, n, total, s->size);
    } else if (total > s->size) {
        printer_data(at->printer, s->list, p + s->size, n - s->size, total - s->size);
    }
}
