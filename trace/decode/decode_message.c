/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints a request's arguments and a reply's result by the form of their payloads. Pure; reads no
 * byte that was not kept. Fields that a reply repeats from its request are left out for people, and
 * shown if they differ.
 */
#include "trace/decode/decode_fields.h"
#include "trace/decode/decode_region.h"

/* ---- what follows the fixed part ---- */

static void decode_data(const struct decode_at *at, const struct decode_view *v,
                        const struct wire_command_info *c, size_t fixed)
{
    struct wire_region_access a;

    if (wire_field_find(c->structure, WIRE_REGION) && wire_get(v->p, v->n, &a, sizeof a)) {
        decode_region_data(at->printer, a.region, a.offset, v->p + fixed, v->n - fixed,
                           v->total - fixed);
    } else if (v->n > fixed || at->printer->json || at->reply || !c->guest) {
        /* The data of a DMA_WRITE is mostly not kept, and its size is the count. */
        printer_data(at->printer, "data", v->p + fixed, v->n - fixed, v->total - fixed);
    }
}

static void decode_bools(const struct decode_at *at, const struct decode_view *v)
{
    const uint32_t max = printer_list_max(at->printer);
    struct wire_irq_set s;
    uint32_t i = 0;

    if (!wire_get(v->p, v->n, &s, sizeof s)) {
        return;
    }
    if (!(s.flags & WIRE_IRQ_SET_DATA_BOOL)) {
        decode_raw(at->printer, v->p, v->n, v->total, sizeof s);
        return;
    }
    printer_open_list(at->printer, "data");
    for (; i < s.count && i < max && sizeof s + i < v->n; i++) {
        printer_dec(at->printer, NULL, v->p[sizeof s + i]);
    }
    printer_more(at->printer, s.count - i);
    printer_close_list(at->printer);
}

static void decode_capability(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    const struct decode_at *const at = arg;
    const struct wire_part *const part = wire_cap_find(cap->id);
    const struct wire_struct *const s = part ? part->structure : NULL;
    const uint8_t *const inner = (const uint8_t *)p + sizeof *cap;

    n -= sizeof *cap;
    printer_open(at->printer, NULL);
    printer_word_bare(at->printer, "id", wire_cap_name(cap->id), cap->id);
    if (at->printer->json || cap->version != 1) {
        printer_dec(at->printer, "version", cap->version);
    }
    if (s && n >= s->size) {
        decode_fields(at, s, inner, n);
    }
    if (s && s->list) {
        decode_entries(at, s, inner, n, s->entry->size);
    }
    printer_close(at->printer);
}

static void decode_caps(struct decode_at *at, const struct decode_view *v)
{
    struct wire_region_info i;

    if (!wire_get(v->p, v->n, &i, sizeof i) || !(i.flags & WIRE_REGION_FLAG_CAPS)) {
        decode_raw(at->printer, v->p, v->n, v->total, sizeof i);
        return;
    }
    printer_open_list(at->printer, "caps");
    /* The message's check reports a broken list. */
    (void)wire_region_caps(v->p, v->n, decode_capability, at);
    printer_close_list(at->printer);
}

/* Prints the part behind the structure. */
static void decode_tail(struct decode_at *at, const struct decode_view *v,
                        const struct wire_command_info *c, const struct wire_body *body)
{
    const struct wire_struct *const s = c->structure;
    const uint64_t count = s->count ? wire_field_value(s->count, v->p, v->n) : 0;

    switch ((enum wire_tail)body->tail) {
    case WIRE_TAIL_NONE:
        decode_raw(at->printer, v->p, v->n, v->total, s->size);
        break;
    case WIRE_TAIL_REST:
        decode_raw(at->printer, v->p, v->n, v->total, v->total < s->size ? body->fixed : s->size);
        break;
    case WIRE_TAIL_DATA:
        decode_data(at, v, c, body->fixed);
        break;
    case WIRE_TAIL_WRITES:
        decode_entries(at, s, v->p, v->n, s->entry->size);
        break;
    case WIRE_TAIL_IO_FDS:
        decode_entries(at, s, v->p, v->n, count > 0 ? (v->n - s->size) / (size_t)count : 0);
        break;
    case WIRE_TAIL_BOOLS:
        decode_bools(at, v);
        break;
    case WIRE_TAIL_JSON:
        if (v->n > s->size) {
            printer_json(at->printer, "data", v->p + s->size, v->n - s->size);
        }
        break;
    case WIRE_TAIL_CAPS:
        decode_caps(at, v);
        break;
    case WIRE_TAIL_FEATURE:
        decode_feature(at, (uint32_t)wire_field_value(wire_field_find(s, WIRE_FEATURE), v->p, v->n),
                       v->p + s->size, v->n - s->size, v->total - s->size);
        break;
    }
}

/* Returns true if the payload is shown as bytes unless its whole fixed part was kept. */
static bool decode_whole(const struct wire_struct *s, const struct wire_body *body)
{
    return s->whole || body->tail == WIRE_TAIL_DATA || body->tail == WIRE_TAIL_IO_FDS;
}

static void decode_body(struct decode_at *at, const struct decode_view *v)
{
    const struct wire_command_info *const c = wire_command_find(v->hdr.command);
    const struct wire_body *const body = !c ? NULL : at->reply ? &c->reply : &c->request;
    uint8_t rest[sizeof(struct wire_dma_access)] = {0};

    if (!c || !c->structure || (decode_whole(c->structure, body) && v->n < body->fixed)) {
        decode_raw(at->printer, v->p, v->n, v->total, 0);
        return;
    }
    if (body->tail == WIRE_TAIL_REST && v->n < c->structure->size) {
        memcpy(rest, v->p, v->n);
        decode_fields(at, c->structure, rest, c->structure->size);
    } else {
        decode_fields(at, c->structure, v->p, v->n);
    }
    decode_tail(at, v, c, body);
}

void decode_request(struct printer *printer, const struct decode_view *v,
                    const struct decode_config *config)
{
    decode_body(&(struct decode_at){.printer = printer, .config = config}, v);
}

/* ---- replies ---- */

/* Opens the braces round several values, for people. For programs the caller has opened them. */
static void decode_open_result(struct printer *printer)
{
    if (!printer->json) {
        strbuf_char(printer->t, '{');
        printer->first = true;
    }
}

static void decode_close_result(struct printer *printer)
{
    if (!printer->json) {
        strbuf_char(printer->t, '}');
        printer->first = false;
    }
}

/* Returns true if the payload's first n bytes repeat the request's. */
static bool decode_repeats(const struct decode_at *at, const struct decode_view *v, size_t n)
{
    uint8_t asked[TRACE_REMEMBERED];

    return at->request && v->n >= n && decode_asked(at->request, asked) >= n &&
           memcmp(asked, v->p, n) == 0;
}

/* Returns true if a reply to DEVICE_FEATURE is its whole request again: to SET or PROBE. */
static bool decode_repeats_all(const struct decode_at *at, const struct decode_view *v)
{
    const struct trace_request *const r = at->request;

    return r && r->kept == r->hdr.size && v->total == r->hdr.size - WIRE_HDR_SIZE &&
           decode_repeats(at, v, v->total);
}

/*
 * Prints, for people, a reply of which only the data or one number is new. Returns false if it must
 * be printed in full.
 */
static bool decode_brief(struct decode_at *at, const struct decode_view *v,
                         const struct wire_command_info *c)
{
    const struct wire_struct *const s = c->structure;
    const struct wire_body *const body = &c->reply;
    const bool fits = v->total >= body->fixed && v->total <= s->size;
    uint64_t count;
    bool brief;

    if (at->printer->json || v->n < body->fixed) {
        return false;
    }
    if (body->tail == WIRE_TAIL_DATA &&
        (body->repeats ? decode_repeats(at, v, body->fixed) : !at->printer->verbose)) {
        decode_data(at, v, c, body->fixed);
        return true;
    }
    count = s->count ? wire_field_value(s->count, v->p, v->n) : 0;
    if (body->tail == WIRE_TAIL_FEATURE) {
        brief = decode_repeats_all(at, v);
    } else if (body->repeats) {
        brief = fits && count <= UINT32_MAX && decode_repeats(at, v, body->fixed);
    } else {
        brief = fits && s->n_fields == 1;
    }
    if (brief) {
        strbuf_dec(at->printer->t, count);
    }
    return brief;
}

void decode_reply(struct printer *printer, const struct decode_view *v,
                  const struct trace_request *request, const struct decode_config *config)
{
    const struct wire_command_info *const c = wire_command_find(v->hdr.command);
    const bool answers = request && request->hdr.command == v->hdr.command;
    struct decode_at at = {
        .printer = printer, .config = config, .request = answers ? request : NULL, .reply = true};

    if ((!c || c->reply.fixed == 0) && v->total == 0) {
        if (!printer->json) {
            strbuf_char(printer->t, '0');
            printer->first = false;
        }
        return;
    }
    if (c && c->reply.fixed > 0 && decode_brief(&at, v, c)) {
        return;
    }
    decode_open_result(printer);
    if (c && c->reply.fixed > 0) {
        decode_body(&at, v);
    } else {
        decode_raw(printer, v->p, v->n, v->total, 0);
    }
    decode_close_result(printer);
}
