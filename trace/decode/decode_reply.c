/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Decodes every reply. Pure; reads only bytes that were kept. For people, fields that repeat the
 * request are printed only if they differ from it.
 */
#include "trace/decode/decode_parts.h"
#include "trace/decode/native.h"

#include <stdlib.h>

typedef void result_fn(struct printer *printer, const struct decode_view *v,
                       const struct trace_request *request, const struct decode_config *config);

/*
 * Opens the braces round several values, for people. For programs, the caller has opened an object.
 */
static void decode_reply_open_result(struct printer *printer)
{
    if (!printer->json) {
        strbuf_char(printer->t, '{');
        printer->first = true;
    }
}

static void decode_reply_close_result(struct printer *printer)
{
    if (!printer->json) {
        strbuf_char(printer->t, '}');
        printer->first = false;
    }
}

/* Decodes a reply that reports success only. */
static void decode_reply_nothing(struct printer *printer, const struct decode_view *v)
{
    if (v->total > 0) {
        decode_reply_open_result(printer);
        decode_raw(printer, v, 0);
        decode_reply_close_result(printer);
    } else if (!printer->json) {
        strbuf_char(printer->t, '0');
        printer->first = false;
    }
}

static void decode_reply_unreadable(struct printer *printer, const struct decode_view *v)
{
    decode_reply_open_result(printer);
    decode_raw(printer, v, 0);
    decode_reply_close_result(printer);
}

/* Returns true if the payload's first n bytes equal the request's. */
static bool decode_reply_repeats(const struct decode_view *v, const struct trace_request *r,
                                 size_t n)
{
    uint8_t asked[TRACE_REMEMBERED];

    return r && v->n >= n &&
           native_head(r->head, r->kept, r->flags, &r->hdr, asked, sizeof asked) >= n &&
           memcmp(asked, v->p, n) == 0;
}

static void decode_reply_version(struct printer *printer, const struct decode_view *v,
                                 const struct trace_request *r, const struct decode_config *c)
{
    (void)r;
    decode_reply_open_result(printer);
    decode_request(printer, v, c);
    decode_reply_close_result(printer);
}

static void decode_reply_success(struct printer *printer, const struct decode_view *v,
                                 const struct trace_request *r, const struct decode_config *c)
{
    (void)r;
    (void)c;
    decode_reply_nothing(printer, v);
}

static void decode_reply_dma_unmap(struct printer *printer, const struct decode_view *v,
                                   const struct trace_request *r, const struct decode_config *c)
{
    struct wire_dma_unmap u;

    if (!printer->json && v->total == sizeof u && decode_reply_repeats(v, r, sizeof u)) {
        strbuf_char(printer->t, '0');
        return;
    }
    decode_reply_open_result(printer);
    decode_request(printer, v, c);
    decode_reply_close_result(printer);
}

static void decode_reply_get_info(struct printer *printer, const struct decode_view *v,
                                  const struct trace_request *r, const struct decode_config *c)
{
    struct wire_device_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    decode_reply_open_result(printer);
    decode_argsz(printer, v, i.argsz);
    if (DECODE_HAS(v, struct wire_device_info, flags)) {
        printer_flags(printer, "flags", wire_device_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_device_info, num_regions)) {
        printer_dec(printer, "num_regions", i.num_regions);
    }
    if (DECODE_HAS(v, struct wire_device_info, num_irqs)) {
        printer_dec(printer, "num_irqs", i.num_irqs);
    }
    decode_raw(printer, v, sizeof i);
    decode_reply_close_result(printer);
}

/* ---- regions ---- */

static void decode_reply_sparse(struct printer *printer, const void *p, size_t n)
{
    const uint32_t max = printer_list_max(printer);
    struct wire_sparse_area area;
    struct wire_sparse s;
    uint32_t i = 0;

    printer_open_list(printer, "areas");
    for (; i < max && wire_sparse_area_at(p, n, i, &area); i++) {
        printer_open(printer, NULL);
        printer_hex(printer, "offset", area.offset);
        printer_hex(printer, "size", area.size);
        printer_close(printer);
    }
    if (n >= sizeof(struct wire_cap) && wire_get((const uint8_t *)p + sizeof(struct wire_cap),
                                                 n - sizeof(struct wire_cap), &s, sizeof s)) {
        printer_more(printer, s.nr_areas - i);
    }
    printer_close_list(printer);
}

static void decode_reply_capability(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct printer *printer = arg;
    struct wire_cap_type type;

    printer_open(printer, NULL);
    printer_word_bare(printer, "id", wire_cap_name(cap->id), cap->id);
    if (printer->json || cap->version != 1) {
        printer_dec(printer, "version", cap->version);
    }
    if (cap->id == WIRE_CAP_SPARSE_MMAP) {
        decode_reply_sparse(printer, p, n);
    } else if (cap->id == WIRE_CAP_TYPE &&
               wire_get((const uint8_t *)p + sizeof *cap, n - sizeof *cap, &type, sizeof type)) {
        printer_hex(printer, "type", type.type);
        printer_hex(printer, "subtype", type.subtype);
    }
    printer_close(printer);
}

static void decode_reply_region_info(struct printer *printer, const struct decode_view *v,
                                     const struct trace_request *r, const struct decode_config *c)
{
    struct wire_region_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    decode_reply_open_result(printer);
    decode_argsz(printer, v, i.argsz);
    if (printer->json && DECODE_HAS(v, struct wire_region_info, index)) {
        decode_region(printer, i.index);
    }
    if (DECODE_HAS(v, struct wire_region_info, flags)) {
        printer_flags(printer, "flags", wire_region_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_region_info, size)) {
        printer_hex(printer, "size", i.size);
    }
    if (DECODE_HAS(v, struct wire_region_info, offset)) {
        printer_hex(printer, "offset", i.offset);
    }
    if (v->n >= sizeof i && (i.flags & WIRE_REGION_FLAG_CAPS)) {
        printer_open_list(printer, "caps");
        /* The message's check reports how the list is broken. */
        (void)wire_region_caps(v->p, v->n, decode_reply_capability, printer);
        printer_close_list(printer);
    } else {
        decode_raw(printer, v, sizeof i);
    }
    decode_reply_close_result(printer);
}

static void decode_reply_sub_region(struct printer *printer, const struct wire_io_fd *f)
{
    printer_open(printer, NULL);
    printer_word_bare(printer, "type", wire_name_of(wire_io_fd_types, f->type), f->type);
    printer_hex(printer, "offset", f->offset);
    printer_hex(printer, "size", f->size);
    printer_dec(printer, "fd_index", f->fd_index);
    printer_hex(printer, "flags", f->flags);
    printer_hex(printer, f->type == WIRE_IO_FD_IOREGIONFD ? "user_data" : "datamatch",
                f->datamatch);
    printer_close(printer);
}

static void decode_reply_io_fds(struct printer *printer, const struct decode_view *v,
                                const struct trace_request *r, const struct decode_config *c)
{
    const uint32_t max = printer_list_max(printer);
    struct wire_region_io_fds f;
    struct wire_io_fd sub;
    uint32_t i = 0;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    decode_reply_open_result(printer);
    decode_argsz(printer, v, f.argsz);
    if (printer->json) {
        decode_region(printer, f.index);
    }
    if (f.flags || printer->json) {
        printer_hex(printer, "flags", f.flags);
    }
    printer_dec(printer, "count", f.count);
    printer_open_list(printer, "sub_regions");
    for (; i < max && wire_io_fd_at(v->p, v->n, i, &sub); i++) {
        decode_reply_sub_region(printer, &sub);
    }
    printer_more(printer, f.count - i);
    printer_close_list(printer);
    decode_reply_close_result(printer);
}

static void decode_reply_irq_info(struct printer *printer, const struct decode_view *v,
                                  const struct trace_request *r, const struct decode_config *c)
{
    struct wire_irq_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    decode_reply_open_result(printer);
    decode_argsz(printer, v, i.argsz);
    if (printer->json && DECODE_HAS(v, struct wire_irq_info, index)) {
        printer_word(printer, "index", wire_name_of(wire_irqs, i.index), i.index);
    }
    if (DECODE_HAS(v, struct wire_irq_info, flags)) {
        printer_flags(printer, "flags", wire_irq_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_irq_info, count)) {
        printer_dec(printer, "count", i.count);
    }
    decode_raw(printer, v, sizeof i);
    decode_reply_close_result(printer);
}

/* ---- accesses ---- */

static void decode_reply_region_read(struct printer *printer, const struct decode_view *v,
                                     const struct trace_request *r, const struct decode_config *c)
{
    struct wire_region_access a;
    bool brief;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    brief = !printer->json && decode_reply_repeats(v, r, sizeof a);
    if (!brief) {
        decode_reply_open_result(printer);
        decode_place(printer, c, a.region, a.offset, a.count);
        printer_dec(printer, "count", a.count);
    }
    decode_region_data(printer, a.region, a.offset, v->p + sizeof a, v->n - sizeof a,
                       v->total - sizeof a);
    if (!brief) {
        decode_reply_close_result(printer);
    }
}

static void decode_reply_region_write(struct printer *printer, const struct decode_view *v,
                                      const struct trace_request *r, const struct decode_config *c)
{
    struct wire_region_access a;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    if (!printer->json && v->total == sizeof a && decode_reply_repeats(v, r, sizeof a)) {
        strbuf_dec(printer->t, a.count);
        return;
    }
    decode_reply_open_result(printer);
    decode_place(printer, c, a.region, a.offset, a.count);
    printer_dec(printer, "count", a.count);
    decode_raw(printer, v, sizeof a);
    decode_reply_close_result(printer);
}

static void decode_reply_dma_read(struct printer *printer, const struct decode_view *v,
                                  const struct trace_request *r, const struct decode_config *c)
{
    struct wire_dma_access a;
    bool brief;

    (void)c;
    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    brief = !printer->json && decode_reply_repeats(v, r, sizeof a);
    if (!brief) {
        decode_reply_open_result(printer);
        printer_hex(printer, "address", a.address);
        printer_dec(printer, "count", a.count);
    }
    decode_data_behind(printer, v, sizeof a, v->total - sizeof a);
    if (!brief) {
        decode_reply_close_result(printer);
    }
}

static void decode_reply_dma_write(struct printer *printer, const struct decode_view *v,
                                   const struct trace_request *r, const struct decode_config *c)
{
    struct wire_dma_access a;

    (void)c;
    if (v->n < WIRE_DMA_WRITE_REPLY_MIN) {
        decode_reply_unreadable(printer, v);
        return;
    }
    decode_part(v, &a, sizeof a);
    /* The count has 4 bytes in the specification, 8 in QEMU's messages. */
    if (!printer->json && v->total <= sizeof a && a.count <= UINT32_MAX &&
        decode_reply_repeats(v, r, WIRE_DMA_WRITE_REPLY_MIN)) {
        strbuf_dec(printer->t, a.count);
        return;
    }
    decode_reply_open_result(printer);
    printer_hex(printer, "address", a.address);
    printer_dec(printer, "count", a.count);
    decode_raw(printer, v, v->total < sizeof a ? WIRE_DMA_WRITE_REPLY_MIN : sizeof a);
    decode_reply_close_result(printer);
}

static void decode_reply_write_multi(struct printer *printer, const struct decode_view *v,
                                     const struct trace_request *r, const struct decode_config *c)
{
    struct wire_write_multi m;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    if (!printer->json && v->total == sizeof m) {
        strbuf_dec(printer->t, m.wr_cnt);
        return;
    }
    decode_reply_open_result(printer);
    printer_dec(printer, "wr_cnt", m.wr_cnt);
    decode_raw(printer, v, sizeof m);
    decode_reply_close_result(printer);
}

static void decode_reply_feature(struct printer *printer, const struct decode_view *v,
                                 const struct trace_request *r, const struct decode_config *c)
{
    struct wire_feature f;
    struct wire_feature asked = {0};
    uint8_t head[TRACE_REMEMBERED];
    size_t n;

    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    n = r ? native_head(r->head, r->kept, r->flags, &r->hdr, head, sizeof head) : 0;
    /* A good reply to SET or PROBE repeats the request. */
    if (!printer->json && r && r->kept == r->hdr.size && v->total == n &&
        decode_reply_repeats(v, r, n)) {
        strbuf_char(printer->t, '0');
        return;
    }
    decode_reply_open_result(printer);
    decode_argsz(printer, v, f.argsz);
    if (printer->json || !wire_get(head, n, &asked, sizeof asked) || asked.flags != f.flags) {
        decode_feature_flags(printer, f.flags);
    }
    decode_feature_data(printer, v, f.flags);
    decode_reply_close_result(printer);
}

static void decode_reply_mig_data_read(struct printer *printer, const struct decode_view *v,
                                       const struct trace_request *r, const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_reply_unreadable(printer, v);
        return;
    }
    if (printer->json || printer->verbose) {
        decode_reply_open_result(printer);
        decode_argsz(printer, v, m.argsz);
        printer_dec(printer, "size", m.size);
    }
    decode_data_behind(printer, v, sizeof m, v->total - sizeof m);
    if (printer->verbose) {
        decode_reply_close_result(printer);
    }
}

static result_fn *const results[] = {
    [WIRE_VERSION] = decode_reply_version,
    [WIRE_DMA_MAP] = decode_reply_success,
    [WIRE_DMA_UNMAP] = decode_reply_dma_unmap,
    [WIRE_DEVICE_GET_INFO] = decode_reply_get_info,
    [WIRE_DEVICE_GET_REGION_INFO] = decode_reply_region_info,
    [WIRE_DEVICE_GET_REGION_IO_FDS] = decode_reply_io_fds,
    [WIRE_DEVICE_GET_IRQ_INFO] = decode_reply_irq_info,
    [WIRE_DEVICE_SET_IRQS] = decode_reply_success,
    [WIRE_REGION_READ] = decode_reply_region_read,
    [WIRE_REGION_WRITE] = decode_reply_region_write,
    [WIRE_DMA_READ] = decode_reply_dma_read,
    [WIRE_DMA_WRITE] = decode_reply_dma_write,
    [WIRE_DEVICE_RESET] = decode_reply_success,
    [WIRE_REGION_WRITE_MULTI] = decode_reply_write_multi,
    [WIRE_DEVICE_FEATURE] = decode_reply_feature,
    [WIRE_MIG_DATA_READ] = decode_reply_mig_data_read,
    [WIRE_MIG_DATA_WRITE] = decode_reply_success,
};

void decode_reply(struct printer *printer, const struct decode_view *v,
                  const struct trace_request *request, const struct decode_config *config)
{
    const uint16_t command = v->hdr.command;

    if (request && request->hdr.command != command) {
        request = NULL;
    }
    if (command < sizeof results / sizeof *results && results[command]) {
        results[command](printer, v, request, config);
    } else {
        decode_reply_nothing(printer, v);
    }
}
