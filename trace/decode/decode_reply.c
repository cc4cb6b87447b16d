/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What every reply says. Pure; reads no byte that was not kept. What a reply repeats of its request
 * is left out for people, and shown where it differs.
 */
#include "trace/decode/decode_parts.h"
#include "trace/decode/native.h"

#include <stdlib.h>

typedef void result_fn(struct pen *pen, const struct decode_view *v,
                       const struct trace_request *request, const struct decode_config *config);

/* Braces round several values, for people. For programs whoever calls has made them. */
static void open_result(struct pen *pen)
{
    if (!pen->json) {
        text_char(pen->t, '{');
        pen->first = true;
    }
}

static void close_result(struct pen *pen)
{
    if (!pen->json) {
        text_char(pen->t, '}');
        pen->first = false;
    }
}

/* Nothing but success. */
static void nothing(struct pen *pen, const struct decode_view *v)
{
    if (v->total > 0) {
        open_result(pen);
        decode_raw(pen, v, 0);
        close_result(pen);
    } else if (!pen->json) {
        text_char(pen->t, '0');
        pen->first = false;
    }
}

static void unreadable(struct pen *pen, const struct decode_view *v)
{
    open_result(pen);
    decode_raw(pen, v, 0);
    close_result(pen);
}

/* Whether the payload's first n bytes are those of the request's. */
static bool repeats(const struct decode_view *v, const struct trace_request *r, size_t n)
{
    uint8_t asked[TRACE_REMEMBERED];

    return r && v->n >= n &&
           native_head(r->head, r->kept, r->flags, &r->hdr, asked, sizeof asked) >= n &&
           memcmp(asked, v->p, n) == 0;
}

static void version(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                    const struct decode_config *c)
{
    (void)r;
    open_result(pen);
    decode_request(pen, v, c);
    close_result(pen);
}

static void success(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                    const struct decode_config *c)
{
    (void)r;
    (void)c;
    nothing(pen, v);
}

static void dma_unmap(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                      const struct decode_config *c)
{
    struct wire_dma_unmap u;

    if (!pen->json && v->total == sizeof u && repeats(v, r, sizeof u)) {
        text_char(pen->t, '0');
        return;
    }
    open_result(pen);
    decode_request(pen, v, c);
    close_result(pen);
}

static void get_info(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                     const struct decode_config *c)
{
    struct wire_device_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    open_result(pen);
    decode_argsz(pen, v, i.argsz);
    if (DECODE_HAS(v, struct wire_device_info, flags)) {
        pen_flags(pen, "flags", name_device_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_device_info, num_regions)) {
        pen_dec(pen, "num_regions", i.num_regions);
    }
    if (DECODE_HAS(v, struct wire_device_info, num_irqs)) {
        pen_dec(pen, "num_irqs", i.num_irqs);
    }
    decode_raw(pen, v, sizeof i);
    close_result(pen);
}

/* ---- regions ---- */

static void sparse(struct pen *pen, const void *p, size_t n)
{
    const uint32_t max = pen_list_max(pen);
    struct wire_sparse_area area;
    struct wire_sparse s;
    uint32_t i = 0;

    pen_open_list(pen, "areas");
    for (; i < max && wire_sparse_area_at(p, n, i, &area); i++) {
        pen_open(pen, NULL);
        pen_hex(pen, "offset", area.offset);
        pen_hex(pen, "size", area.size);
        pen_close(pen);
    }
    if (n >= sizeof(struct wire_cap) && wire_get((const uint8_t *)p + sizeof(struct wire_cap),
                                                 n - sizeof(struct wire_cap), &s, sizeof s)) {
        pen_more(pen, s.nr_areas - i);
    }
    pen_close_list(pen);
}

static void capability(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct pen *pen = arg;
    struct wire_cap_type type;

    pen_open(pen, NULL);
    pen_word_bare(pen, "id", name_capability(cap->id), cap->id);
    if (pen->json || cap->version != 1) {
        pen_dec(pen, "version", cap->version);
    }
    if (cap->id == WIRE_CAP_SPARSE_MMAP) {
        sparse(pen, p, n);
    } else if (cap->id == WIRE_CAP_TYPE &&
               wire_get((const uint8_t *)p + sizeof *cap, n - sizeof *cap, &type, sizeof type)) {
        pen_hex(pen, "type", type.type);
        pen_hex(pen, "subtype", type.subtype);
    }
    pen_close(pen);
}

static void region_info(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                        const struct decode_config *c)
{
    struct wire_region_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    open_result(pen);
    decode_argsz(pen, v, i.argsz);
    if (pen->json && DECODE_HAS(v, struct wire_region_info, index)) {
        decode_region(pen, i.index);
    }
    if (DECODE_HAS(v, struct wire_region_info, flags)) {
        pen_flags(pen, "flags", name_region_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_region_info, size)) {
        pen_hex(pen, "size", i.size);
    }
    if (DECODE_HAS(v, struct wire_region_info, offset)) {
        pen_hex(pen, "offset", i.offset);
    }
    if (v->n >= sizeof i && (i.flags & WIRE_REGION_FLAG_CAPS)) {
        pen_open_list(pen, "caps");
        /* How the list is broken is told by the message's check. */
        (void)wire_region_caps(v->p, v->n, capability, pen);
        pen_close_list(pen);
    } else {
        decode_raw(pen, v, sizeof i);
    }
    close_result(pen);
}

static void sub_region(struct pen *pen, const struct wire_io_fd *f)
{
    pen_open(pen, NULL);
    pen_word_bare(pen, "type", name_io_fd(f->type), f->type);
    pen_hex(pen, "offset", f->offset);
    pen_hex(pen, "size", f->size);
    pen_dec(pen, "fd_index", f->fd_index);
    pen_hex(pen, "flags", f->flags);
    pen_hex(pen, f->type == WIRE_IO_FD_IOREGIONFD ? "user_data" : "datamatch", f->datamatch);
    pen_close(pen);
}

static void io_fds(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                   const struct decode_config *c)
{
    const uint32_t max = pen_list_max(pen);
    struct wire_region_io_fds f;
    struct wire_io_fd sub;
    uint32_t i = 0;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        unreadable(pen, v);
        return;
    }
    open_result(pen);
    decode_argsz(pen, v, f.argsz);
    if (pen->json) {
        decode_region(pen, f.index);
    }
    if (f.flags || pen->json) {
        pen_hex(pen, "flags", f.flags);
    }
    pen_dec(pen, "count", f.count);
    pen_open_list(pen, "sub_regions");
    for (; i < max && wire_io_fd_at(v->p, v->n, i, &sub); i++) {
        sub_region(pen, &sub);
    }
    pen_more(pen, f.count - i);
    pen_close_list(pen);
    close_result(pen);
}

static void irq_info(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                     const struct decode_config *c)
{
    struct wire_irq_info i;

    (void)r;
    (void)c;
    decode_part(v, &i, sizeof i);
    open_result(pen);
    decode_argsz(pen, v, i.argsz);
    if (pen->json && DECODE_HAS(v, struct wire_irq_info, index)) {
        pen_word(pen, "index", name_irq(i.index), i.index);
    }
    if (DECODE_HAS(v, struct wire_irq_info, flags)) {
        pen_flags(pen, "flags", name_irq_flags, i.flags);
    }
    if (DECODE_HAS(v, struct wire_irq_info, count)) {
        pen_dec(pen, "count", i.count);
    }
    decode_raw(pen, v, sizeof i);
    close_result(pen);
}

/* ---- accesses ---- */

static void region_read(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                        const struct decode_config *c)
{
    struct wire_region_access a;
    bool brief;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        unreadable(pen, v);
        return;
    }
    brief = !pen->json && repeats(v, r, sizeof a);
    if (!brief) {
        open_result(pen);
        decode_place(pen, c, a.region, a.offset, a.count);
        pen_dec(pen, "count", a.count);
    }
    decode_region_data(pen, a.region, a.offset, v->p + sizeof a, v->n - sizeof a,
                       v->total - sizeof a);
    if (!brief) {
        close_result(pen);
    }
}

static void region_write(struct pen *pen, const struct decode_view *v,
                         const struct trace_request *r, const struct decode_config *c)
{
    struct wire_region_access a;

    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        unreadable(pen, v);
        return;
    }
    if (!pen->json && v->total == sizeof a && repeats(v, r, sizeof a)) {
        text_dec(pen->t, a.count);
        return;
    }
    open_result(pen);
    decode_place(pen, c, a.region, a.offset, a.count);
    pen_dec(pen, "count", a.count);
    decode_raw(pen, v, sizeof a);
    close_result(pen);
}

static void dma_read(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                     const struct decode_config *c)
{
    struct wire_dma_access a;
    bool brief;

    (void)c;
    if (!wire_get(v->p, v->n, &a, sizeof a)) {
        unreadable(pen, v);
        return;
    }
    brief = !pen->json && repeats(v, r, sizeof a);
    if (!brief) {
        open_result(pen);
        pen_hex(pen, "address", a.address);
        pen_dec(pen, "count", a.count);
    }
    decode_data_behind(pen, v, sizeof a, v->total - sizeof a);
    if (!brief) {
        close_result(pen);
    }
}

static void dma_write(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                      const struct decode_config *c)
{
    struct wire_dma_access a;

    (void)c;
    if (v->n < WIRE_DMA_WRITE_REPLY_MIN) {
        unreadable(pen, v);
        return;
    }
    decode_part(v, &a, sizeof a);
    /* The count has 4 bytes on the page and 8 on the wire of QEMU. */
    if (!pen->json && v->total <= sizeof a && a.count <= UINT32_MAX &&
        repeats(v, r, WIRE_DMA_WRITE_REPLY_MIN)) {
        text_dec(pen->t, a.count);
        return;
    }
    open_result(pen);
    pen_hex(pen, "address", a.address);
    pen_dec(pen, "count", a.count);
    decode_raw(pen, v, v->total < sizeof a ? WIRE_DMA_WRITE_REPLY_MIN : sizeof a);
    close_result(pen);
}

static void write_multi(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                        const struct decode_config *c)
{
    struct wire_write_multi m;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        unreadable(pen, v);
        return;
    }
    if (!pen->json && v->total == sizeof m) {
        text_dec(pen->t, m.wr_cnt);
        return;
    }
    open_result(pen);
    pen_dec(pen, "wr_cnt", m.wr_cnt);
    decode_raw(pen, v, sizeof m);
    close_result(pen);
}

static void feature(struct pen *pen, const struct decode_view *v, const struct trace_request *r,
                    const struct decode_config *c)
{
    struct wire_feature f;
    struct wire_feature asked = {0};
    uint8_t head[TRACE_REMEMBERED];
    size_t n;

    (void)c;
    if (!wire_get(v->p, v->n, &f, sizeof f)) {
        unreadable(pen, v);
        return;
    }
    n = r ? native_head(r->head, r->kept, r->flags, &r->hdr, head, sizeof head) : 0;
    /* A reply to SET or PROBE is the request again. */
    if (!pen->json && r && r->kept == r->hdr.size && v->total == n && repeats(v, r, n)) {
        text_char(pen->t, '0');
        return;
    }
    open_result(pen);
    decode_argsz(pen, v, f.argsz);
    if (pen->json || !wire_get(head, n, &asked, sizeof asked) || asked.flags != f.flags) {
        decode_feature_flags(pen, f.flags);
    }
    decode_feature_data(pen, v, f.flags);
    close_result(pen);
}

static void mig_data_read(struct pen *pen, const struct decode_view *v,
                          const struct trace_request *r, const struct decode_config *c)
{
    struct wire_mig_data m;

    (void)r;
    (void)c;
    if (!wire_get(v->p, v->n, &m, sizeof m)) {
        unreadable(pen, v);
        return;
    }
    if (pen->json || pen->verbose) {
        open_result(pen);
        decode_argsz(pen, v, m.argsz);
        pen_dec(pen, "size", m.size);
    }
    decode_data_behind(pen, v, sizeof m, v->total - sizeof m);
    if (pen->verbose) {
        close_result(pen);
    }
}

static result_fn *const results[] = {
    [WIRE_VERSION] = version,
    [WIRE_DMA_MAP] = success,
    [WIRE_DMA_UNMAP] = dma_unmap,
    [WIRE_DEVICE_GET_INFO] = get_info,
    [WIRE_DEVICE_GET_REGION_INFO] = region_info,
    [WIRE_DEVICE_GET_REGION_IO_FDS] = io_fds,
    [WIRE_DEVICE_GET_IRQ_INFO] = irq_info,
    [WIRE_DEVICE_SET_IRQS] = success,
    [WIRE_REGION_READ] = region_read,
    [WIRE_REGION_WRITE] = region_write,
    [WIRE_DMA_READ] = dma_read,
    [WIRE_DMA_WRITE] = dma_write,
    [WIRE_DEVICE_RESET] = success,
    [WIRE_REGION_WRITE_MULTI] = write_multi,
    [WIRE_DEVICE_FEATURE] = feature,
    [WIRE_MIG_DATA_READ] = mig_data_read,
    [WIRE_MIG_DATA_WRITE] = success,
};

void decode_reply(struct pen *pen, const struct decode_view *v, const struct trace_request *request,
                  const struct decode_config *config)
{
    const uint16_t command = v->hdr.command;

    if (request && request->hdr.command != command) {
        request = NULL;
    }
    if (command < sizeof results / sizeof *results && results[command]) {
        results[command](pen, v, request, config);
    } else {
        nothing(pen, v);
    }
}
