/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The arguments of every request. Pure; reads no byte that was not kept. */
#include "trace/decode/decode_parts.h"

typedef void args_fn(struct pen *pen, const struct decode_view *v,
                     const struct decode_config *config);

static void version(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_version w;

    (void)c;
    decode_part(v, &w, sizeof w);
    if (v->n < sizeof w) {
        decode_raw(pen, v, 0);
        return;
    }
    pen_label(pen, pen->json ? "version" : NULL);
    text_str(pen->t, pen->json ? "\"" : "");
    text_dec(pen->t, w.major);
    text_char(pen->t, '.');
    text_dec(pen->t, w.minor);
    text_str(pen->t, pen->json ? "\"" : "");
    if (v->n > sizeof w) {
        pen_json(pen, "data", v->p + sizeof w, v->n - sizeof w);
    }
}

static void dma_map(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_dma_map m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(pen, v, m.argsz);
    if (DECODE_HAS(v, struct wire_dma_map, address)) {
        pen_hex(pen, "address", m.address);
    }
    if (DECODE_HAS(v, struct wire_dma_map, size)) {
        pen_hex(pen, "size", m.size);
    }
    if (DECODE_HAS(v, struct wire_dma_map, flags)) {
        pen_flags(pen, "flags", name_dma_flags, m.flags);
    }
    if (DECODE_HAS(v, struct wire_dma_map, offset)) {
        pen_hex(pen, "offset", m.offset);
    }
    decode_raw(pen, v, sizeof m);
}

static void dma_unmap(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_dma_unmap m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(pen, v, m.argsz);
    if (DECODE_HAS(v, struct wire_dma_unmap, address)) {
        pen_hex(pen, "address", m.address);
    }
    if (DECODE_HAS(v, struct wire_dma_unmap, size)) {
        pen_hex(pen, "size", m.size);
    }
    if (m.flags || (pen->json && DECODE_HAS(v, struct wire_dma_unmap, flags))) {
        pen_hex(pen, "flags", m.flags);
    }
    decode_raw(pen, v, sizeof m);
}

static void get_info(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_device_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(pen, v, i.argsz);
    /* They must be 0, and are shown where they are not. */
    if (i.flags || i.num_regions || i.num_irqs) {
        pen_hex(pen, "flags", i.flags);
        pen_dec(pen, "num_regions", i.num_regions);
        pen_dec(pen, "num_irqs", i.num_irqs);
    }
    decode_raw(pen, v, sizeof i);
}

static void region_info(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_region_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(pen, v, i.argsz);
    if (DECODE_HAS(v, struct wire_region_info, index)) {
        decode_region(pen, i.index);
    }
    if (i.flags || i.cap_offset || i.size || i.offset) {
        pen_hex(pen, "flags", i.flags);
        pen_dec(pen, "cap_offset", i.cap_offset);
        pen_hex(pen, "size", i.size);
        pen_hex(pen, "offset", i.offset);
    }
    decode_raw(pen, v, sizeof i);
}

static void io_fds(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_region_io_fds f;

    (void)c;
    decode_part(v, &f, sizeof f);
    decode_argsz(pen, v, f.argsz);
    if (DECODE_HAS(v, struct wire_region_io_fds, index)) {
        decode_region(pen, f.index);
    }
    if (f.flags || f.count) {
        pen_hex(pen, "flags", f.flags);
        pen_dec(pen, "count", f.count);
    }
    decode_raw(pen, v, sizeof f);
}

static void irq_info(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_irq_info i;

    (void)c;
    decode_part(v, &i, sizeof i);
    decode_argsz(pen, v, i.argsz);
    if (DECODE_HAS(v, struct wire_irq_info, index)) {
        pen_word_bare(pen, "index", name_irq(i.index), i.index);
    }
    if (i.flags || i.count) {
        pen_hex(pen, "flags", i.flags);
        pen_dec(pen, "count", i.count);
    }
    decode_raw(pen, v, sizeof i);
}

static void irq_bools(struct pen *pen, const struct decode_view *v, uint32_t count)
{
    const uint32_t max = pen_list_max(pen);
    const size_t at = sizeof(struct wire_irq_set);
    uint32_t i = 0;

    pen_open_list(pen, "data");
    for (; i < count && i < max && at + i < v->n; i++) {
        pen_dec(pen, NULL, v->p[at + i]);
    }
    pen_more(pen, count - i);
    pen_close_list(pen);
}

static void set_irqs(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_irq_set s;

    (void)c;
    decode_part(v, &s, sizeof s);
    decode_argsz(pen, v, s.argsz);
    if (DECODE_HAS(v, struct wire_irq_set, index)) {
        pen_word_bare(pen, "index", name_irq(s.index), s.index);
    }
    if (DECODE_HAS(v, struct wire_irq_set, flags)) {
        pen_flags(pen, "flags", name_irq_set_flags, s.flags);
    }
    if (DECODE_HAS(v, struct wire_irq_set, start)) {
        pen_dec(pen, "start", s.start);
    }
    if (DECODE_HAS(v, struct wire_irq_set, count)) {
        pen_dec(pen, "count", s.count);
    }
    if (v->n < sizeof s) {
        return;
    }
    if (s.flags & WIRE_IRQ_SET_DATA_BOOL) {
        irq_bools(pen, v, s.count);
    } else {
        decode_raw(pen, v, sizeof s);
    }
}

/* Also the beginning of a write. */
static bool access_place(struct pen *pen, const struct decode_view *v,
                         const struct decode_config *c, struct wire_region_access *a)
{
    if (!wire_get(v->p, v->n, a, sizeof *a)) {
        decode_raw(pen, v, 0);
        return false;
    }
    decode_place(pen, c, a->region, a->offset, a->count);
    pen_dec(pen, pen->json ? "count" : NULL, a->count);
    return true;
}

static void region_read(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_region_access a;

    if (access_place(pen, v, c, &a)) {
        decode_raw(pen, v, sizeof a);
    }
}

static void region_write(struct pen *pen, const struct decode_view *v,
                         const struct decode_config *c)
{
    struct wire_region_access a;

    if (access_place(pen, v, c, &a)) {
        decode_region_data(pen, a.region, a.offset, v->p + sizeof a, v->n - sizeof a,
                           v->total - sizeof a);
    }
}

static bool dma_place(struct pen *pen, const struct decode_view *v)
{
    struct wire_dma_access a;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        decode_raw(pen, v, 0);
        return false;
    }
    pen_hex(pen, "address", a.address);
    pen_dec(pen, "count", a.count);
    return true;
}

static void dma_read(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    (void)c;
    if (dma_place(pen, v)) {
        decode_raw(pen, v, sizeof(struct wire_dma_access));
    }
}

static void dma_write(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    const size_t fixed = sizeof(struct wire_dma_access);

    (void)c;
    /* Mostly the data was not kept, and its size is the count. */
    if (dma_place(pen, v) && (v->n > fixed || pen->json)) {
        decode_data_behind(pen, v, fixed, v->total - fixed);
    }
}

static void write_multi(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    const uint32_t max = pen_list_max(pen);
    struct wire_write_multi m;
    struct wire_single_write w;
    size_t at = sizeof m;
    uint64_t i = 0;

    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_raw(pen, v, 0);
        return;
    }
    pen_dec(pen, "wr_cnt", m.wr_cnt);
    pen_open_list(pen, "writes");
    for (; i < m.wr_cnt && i < max && wire_get(v->p + at, v->n - at, &w, sizeof w);
         i++, at += sizeof w) {
        const uint32_t n = w.count < sizeof w.data ? w.count : (uint32_t)sizeof w.data;

        pen_open(pen, NULL);
        decode_place(pen, c, w.region, w.offset, w.count);
        pen_dec(pen, pen->json ? "count" : NULL, w.count);
        decode_region_data(pen, w.region, w.offset, w.data, n, w.count);
        pen_close(pen);
    }
    pen_more(pen, m.wr_cnt - i);
    pen_close_list(pen);
}

static void reset(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    (void)c;
    decode_raw(pen, v, 0);
}

static void feature(struct pen *pen, const struct decode_view *v, const struct decode_config *c)
{
    struct wire_feature f;

    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        decode_raw(pen, v, 0);
        return;
    }
    decode_argsz(pen, v, f.argsz);
    decode_feature_flags(pen, f.flags);
    decode_feature_data(pen, v, f.flags);
}

static void mig_data_read(struct pen *pen, const struct decode_view *v,
                          const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)c;
    decode_part(v, &m, sizeof m);
    decode_argsz(pen, v, m.argsz);
    if (DECODE_HAS(v, struct wire_mig_data, size)) {
        pen_dec(pen, "size", m.size);
    }
    decode_raw(pen, v, sizeof m);
}

static void mig_data_write(struct pen *pen, const struct decode_view *v,
                           const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        decode_raw(pen, v, 0);
        return;
    }
    decode_argsz(pen, v, m.argsz);
    pen_dec(pen, "size", m.size);
    decode_data_behind(pen, v, sizeof m, v->total - sizeof m);
}

static args_fn *const args[] = {
    [WIRE_VERSION] = version,
    [WIRE_DMA_MAP] = dma_map,
    [WIRE_DMA_UNMAP] = dma_unmap,
    [WIRE_DEVICE_GET_INFO] = get_info,
    [WIRE_DEVICE_GET_REGION_INFO] = region_info,
    [WIRE_DEVICE_GET_REGION_IO_FDS] = io_fds,
    [WIRE_DEVICE_GET_IRQ_INFO] = irq_info,
    [WIRE_DEVICE_SET_IRQS] = set_irqs,
    [WIRE_REGION_READ] = region_read,
    [WIRE_REGION_WRITE] = region_write,
    [WIRE_DMA_READ] = dma_read,
    [WIRE_DMA_WRITE] = dma_write,
    [WIRE_DEVICE_RESET] = reset,
    [WIRE_REGION_WRITE_MULTI] = write_multi,
    [WIRE_DEVICE_FEATURE] = feature,
    [WIRE_MIG_DATA_READ] = mig_data_read,
    [WIRE_MIG_DATA_WRITE] = mig_data_write,
};

void decode_request(struct pen *pen, const struct decode_view *v,
                    const struct decode_config *config)
{
    const uint16_t command = v->hdr.command;

    if (command < sizeof args / sizeof *args && args[command]) {
        args[command](pen, v, config);
    } else {
        decode_raw(pen, v, 0);
    }
}
