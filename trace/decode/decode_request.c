/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Decodes the arguments of every request. Pure; reads only bytes that were kept. */
#include "trace/decode/decode_parts.h"

typedef void args_fn(struct printer *printer, const struct decode_view *v,
                     const struct decode_config *config);

static void decode_request_version(struct printer *printer, const struct decode_view *v,
                                   const struct decode_config *c)
{
    struct wire_version w;

    (void)c;
    decode_part(v, &w, sizeof w);
    if (v->n < sizeof w) {
        decode_raw(printer, v, 0);
        return;
    }
    printer_label(printer, printer->json ? "version" : NULL);
    strbuf_str(printer->t, printer->json ? "\"" : "");
    strbuf_dec(printer->t, w.major);
    strbuf_char(printer->t, '.');
    strbuf_dec(printer->t, w.minor);
    strbuf_str(printer->t, printer->json ? "\"" : "");
    if (v->n > sizeof w) {
        printer_json(printer, "data", v->p + sizeof w, v->n - sizeof w);
    }
}

static void decode_request_dma_map(struct printer *printer, const struct decode_view *v,
                                   const struct decode_config *c)
{
    struct wire_dma_map m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(printer, v, m.argsz);
    if (DECODE_HAS(v, struct wire_dma_map, address)) {
        printer_hex(printer, "address", m.address);
    }
    if (DECODE_HAS(v, struct wire_dma_map, size)) {
        printer_hex(printer, "size", m.size);
    }
    if (DECODE_HAS(v, struct wire_dma_map, flags)) {
        printer_flags(printer, "flags", wire_dma_flags, m.flags);
    }
    if (DECODE_HAS(v, struct wire_dma_map, offset)) {
        printer_hex(printer, "offset", m.offset);
    }
    decode_raw(printer, v, sizeof m);
}

static void decode_request_dma_unmap(struct printer *printer, const struct decode_view *v,
                                     const struct decode_config *c)
{
    struct wire_dma_unmap m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(printer, v, m.argsz);
    if (DECODE_HAS(v, struct wire_dma_unmap, address)) {
        printer_hex(printer, "address", m.address);
    }
    if (DECODE_HAS(v, struct wire_dma_unmap, size)) {
        printer_hex(printer, "size", m.size);
    }
    if (m.flags || (printer->json && DECODE_HAS(v, struct wire_dma_unmap, flags))) {
        printer_hex(printer, "flags", m.flags);
    }
    decode_raw(printer, v, sizeof m);
}

static void decode_request_get_info(struct printer *printer, const struct decode_view *v,
                                    const struct decode_config *c)
{
    struct wire_device_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(printer, v, i.argsz);
    /* These must be 0, and are printed only if they are not. */
    if (i.flags || i.num_regions || i.num_irqs) {
        printer_hex(printer, "flags", i.flags);
        printer_dec(printer, "num_regions", i.num_regions);
        printer_dec(printer, "num_irqs", i.num_irqs);
    }
    decode_raw(printer, v, sizeof i);
}

static void decode_request_region_info(struct printer *printer, const struct decode_view *v,
                                       const struct decode_config *c)
{
    struct wire_region_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(printer, v, i.argsz);
    if (DECODE_HAS(v, struct wire_region_info, index)) {
        decode_region(printer, i.index);
    }
    if (i.flags || i.cap_offset || i.size || i.offset) {
        printer_hex(printer, "flags", i.flags);
        printer_dec(printer, "cap_offset", i.cap_offset);
        printer_hex(printer, "size", i.size);
        printer_hex(printer, "offset", i.offset);
    }
    decode_raw(printer, v, sizeof i);
}

static void decode_request_io_fds(struct printer *printer, const struct decode_view *v,
                                  const struct decode_config *c)
{
    struct wire_region_io_fds f;

    (void)c;
    decode_part(v, &f, sizeof f);
    decode_argsz(printer, v, f.argsz);
    if (DECODE_HAS(v, struct wire_region_io_fds, index)) {
        decode_region(printer, f.index);
    }
    if (f.flags || f.count) {
        printer_hex(printer, "flags", f.flags);
        printer_dec(printer, "count", f.count);
    }
    decode_raw(printer, v, sizeof f);
}

static void decode_request_irq_info(struct printer *printer, const struct decode_view *v,
                                    const struct decode_config *c)
{
    struct wire_irq_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(printer, v, i.argsz);
    if (DECODE_HAS(v, struct wire_irq_info, index)) {
        printer_word_bare(printer, "index", wire_name_of(wire_irqs, i.index), i.index);
    }
    if (i.flags || i.count) {
        printer_hex(printer, "flags", i.flags);
        printer_dec(printer, "count", i.count);
    }
    decode_raw(printer, v, sizeof i);
}

static void decode_request_irq_bools(struct printer *printer, const struct decode_view *v,
                                     uint32_t count)
{
    const uint32_t max = printer_list_max(printer);
    const size_t at = sizeof(struct wire_irq_set);
    uint32_t i = 0;

    printer_open_list(printer, "data");
    for (; i < count && i < max && at + i < v->n; i++) {
        printer_dec(printer, NULL, v->p[at + i]);
    }
    printer_more(printer, count - i);
    printer_close_list(printer);
}

static void decode_request_set_irqs(struct printer *printer, const struct decode_view *v,
                                    const struct decode_config *c)
{
    struct wire_irq_set s;

    (void)c;
    decode_part(v, &s, sizeof s);
    decode_argsz(printer, v, s.argsz);
    if (DECODE_HAS(v, struct wire_irq_set, index)) {
        printer_word_bare(printer, "index", wire_name_of(wire_irqs, s.index), s.index);
    }
    if (DECODE_HAS(v, struct wire_irq_set, flags)) {
        printer_flags(printer, "flags", wire_irq_set_flags, s.flags);
    }
    if (DECODE_HAS(v, struct wire_irq_set, start)) {
        printer_dec(printer, "start", s.start);
    }
    if (DECODE_HAS(v, struct wire_irq_set, count)) {
        printer_dec(printer, "count", s.count);
    }
    if (v->n < sizeof s) {
        return;
    }
    if (s.flags & WIRE_IRQ_SET_DATA_BOOL) {
        decode_request_irq_bools(printer, v, s.count);
    } else {
        decode_raw(printer, v, sizeof s);
    }
}

/* Decodes a read's arguments, and those that begin a write. */
static bool decode_request_access_place(struct printer *printer, const struct decode_view *v,
                                        const struct decode_config *c, struct wire_region_access *a)
{
    if (!wire_get(v->p, v->n, a, sizeof *a)) {
        decode_raw(printer, v, 0);
        return false;
    }
    decode_place(printer, c, a->region, a->offset, a->count);
    printer_dec(printer, printer->json ? "count" : NULL, a->count);
    return true;
}

static void decode_request_region_read(struct printer *printer, const struct decode_view *v,
                                       const struct decode_config *c)
{
    struct wire_region_access a;

    if (decode_request_access_place(printer, v, c, &a)) {
        decode_raw(printer, v, sizeof a);
    }
}

static void decode_request_region_write(struct printer *printer, const struct decode_view *v,
                                        const struct decode_config *c)
{
    struct wire_region_access a;

    if (decode_request_access_place(printer, v, c, &a)) {
        decode_region_data(printer, a.region, a.offset, v->p + sizeof a, v->n - sizeof a,
                           v->total - sizeof a);
    }
}

static bool decode_request_dma_place(struct printer *printer, const struct decode_view *v)
{
    struct wire_dma_access a;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        decode_raw(printer, v, 0);
        return false;
    }
    printer_hex(printer, "address", a.address);
    printer_dec(printer, "count", a.count);
    return true;
}

static void decode_request_dma_read(struct printer *printer, const struct decode_view *v,
                                    const struct decode_config *c)
{
    (void)c;
    if (decode_request_dma_place(printer, v)) {
        decode_raw(printer, v, sizeof(struct wire_dma_access));
    }
}

static void decode_request_dma_write(struct printer *printer, const struct decode_view *v,
                                     const struct decode_config *c)
{
    const size_t fixed = sizeof(struct wire_dma_access);

    (void)c;
    /* Usually the data was not kept, and its size is the count. */
    if (decode_request_dma_place(printer, v) && (v->n > fixed || printer->json)) {
        decode_data_behind(printer, v, fixed, v->total - fixed);
    }
}

static void decode_request_write_multi(struct printer *printer, const struct decode_view *v,
                                       const struct decode_config *c)
{
    const uint32_t max = printer_list_max(printer);
    struct wire_write_multi m;
    struct wire_single_write w;
    size_t at = sizeof m;
    uint64_t i = 0;

    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_raw(printer, v, 0);
        return;
    }
    printer_dec(printer, "wr_cnt", m.wr_cnt);
    printer_open_list(printer, "writes");
    for (; i < m.wr_cnt && i < max && wire_get(v->p + at, v->n - at, &w, sizeof w);
         i++, at += sizeof w) {
        const uint32_t n = w.count < sizeof w.data ? w.count : (uint32_t)sizeof w.data;

        printer_open(printer, NULL);
        decode_place(printer, c, w.region, w.offset, w.count);
        printer_dec(printer, printer->json ? "count" : NULL, w.count);
        decode_region_data(printer, w.region, w.offset, w.data, n, w.count);
        printer_close(printer);
    }
    printer_more(printer, m.wr_cnt - i);
    printer_close_list(printer);
}

static void decode_request_reset(struct printer *printer, const struct decode_view *v,
                                 const struct decode_config *c)
{
    (void)c;
    decode_raw(printer, v, 0);
}

static void decode_request_feature(struct printer *printer, const struct decode_view *v,
                                   const struct decode_config *c)
{
    struct wire_feature f;

    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        decode_raw(printer, v, 0);
        return;
    }
    decode_argsz(printer, v, f.argsz);
    decode_feature_flags(printer, f.flags);
    decode_feature_data(printer, v, f.flags);
}

static void decode_request_mig_data_read(struct printer *printer, const struct decode_view *v,
                                         const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(printer, v, m.argsz);
    if (DECODE_HAS(v, struct wire_mig_data, size)) {
        printer_dec(printer, "size", m.size);
    }
    decode_raw(printer, v, sizeof m);
}

static void decode_request_mig_data_write(struct printer *printer, const struct decode_view *v,
                                          const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_raw(printer, v, 0);
        return;
    }
    decode_argsz(printer, v, m.argsz);
    printer_dec(printer, "size", m.size);
    decode_data_behind(printer, v, sizeof m, v->total - sizeof m);
}

static args_fn *const args[] = {
    [WIRE_VERSION] = decode_request_version,
    [WIRE_DMA_MAP] = decode_request_dma_map,
    [WIRE_DMA_UNMAP] = decode_request_dma_unmap,
    [WIRE_DEVICE_GET_INFO] = decode_request_get_info,
    [WIRE_DEVICE_GET_REGION_INFO] = decode_request_region_info,
    [WIRE_DEVICE_GET_REGION_IO_FDS] = decode_request_io_fds,
    [WIRE_DEVICE_GET_IRQ_INFO] = decode_request_irq_info,
    [WIRE_DEVICE_SET_IRQS] = decode_request_set_irqs,
    [WIRE_REGION_READ] = decode_request_region_read,
    [WIRE_REGION_WRITE] = decode_request_region_write,
    [WIRE_DMA_READ] = decode_request_dma_read,
    [WIRE_DMA_WRITE] = decode_request_dma_write,
    [WIRE_DEVICE_RESET] = decode_request_reset,
    [WIRE_REGION_WRITE_MULTI] = decode_request_write_multi,
    [WIRE_DEVICE_FEATURE] = decode_request_feature,
    [WIRE_MIG_DATA_READ] = decode_request_mig_data_read,
    [WIRE_MIG_DATA_WRITE] = decode_request_mig_data_write,
};

void decode_request(struct printer *printer, const struct decode_view *v,
                    const struct decode_config *config)
{
    const uint16_t command = v->hdr.command;

    if (command < sizeof args / sizeof *args && args[command]) {
        args[command](printer, v, config);
    } else {
        decode_raw(printer, v, 0);
    }
}
