/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Opens messages for decoding, follows the configuration space that they show, and decodes the
 * parts that requests and replies share. Pure except for its memory; bounded by the bytes that were
 * kept, whatever sizes they claim.
 */
#include "trace/decode/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "trace/decode/check.h"
#include "trace/decode/decode_parts.h"
#include "trace/decode/native.h"

void decode_scratch_deinit(struct decode_scratch *s)
{
    free(s->p);
    s->p = NULL;
}

/* Sets v->p to the payload in this machine's byte order: in place, or swapped in scratch. */
static void decode_payload(struct decode_view *v, struct decode_scratch *scratch)
{
    const struct trace_message *m = v->m;

    v->p = m->data + WIRE_HDR_SIZE;
    v->n = m->kept - WIRE_HDR_SIZE;
    if (!native_foreign(m)) {
        return;
    }
    if (!scratch->p) {
        scratch->p = malloc(LIMIT_TRACE_PACKET);
    }
    v->n = scratch->p ? native_payload(m, &v->hdr, scratch->p, LIMIT_TRACE_PACKET) : 0;
    v->p = scratch->p;
}

void decode_open(struct decode_view *out, const struct trace_message *m,
                 struct decode_scratch *scratch)
{
    *out = (struct decode_view){.m = m};
    out->has_hdr = native_header(m, &out->hdr);
    if (!out->has_hdr) {
        return;
    }
    out->reply = wire_is_reply(&out->hdr);
    out->total = m->size >= WIRE_HDR_SIZE ? m->size - WIRE_HDR_SIZE : 0;
    decode_payload(out, scratch);
    out->check = check_message(m, &out->hdr, out->p, out->n);
}

const char *decode_command(uint16_t command, char out[static 16])
{
    const struct wire_command_info *c = wire_command_find(command);

    if (c) {
        return c->name;
    }
    snprintf(out, 16, "COMMAND_%u", command);
    return out;
}

/* ---- configuration space ---- */

bool decode_teaches(const struct decode_view *v)
{
    struct wire_region_access a;

    return v->reply && v->hdr.command == WIRE_REGION_READ && !(v->hdr.flags & WIRE_ERROR) &&
           wire_get(v->p, v->n, &a, sizeof a) && a.region == WIRE_PCI_CONFIG;
}

static void decode_list(struct decode_config *c)
{
    struct pci_caps found;

    c->n_caps = 0;
    pci_caps(&c->config, &found);
    for (unsigned i = 0; i < found.n && c->n_caps < DECODE_CAPS_MAX / 2; i++) {
        /* Id 0: the capability has not been read yet. */
        if (found.cap[i].id != 0) {
            c->cap[c->n_caps++] = found.cap[i];
        }
    }
    pci_ext_caps(&c->config, &found);
    for (unsigned i = 0; i < found.n && c->n_caps < DECODE_CAPS_MAX; i++) {
        c->cap[c->n_caps++] = found.cap[i];
    }
}

void decode_learn(struct decode_config *c, const struct decode_view *reply)
{
    struct wire_region_access a;
    size_t n;

    if (!wire_get(reply->p, reply->n, &a, sizeof a) || a.offset >= PCI_CONFIG_SIZE_EXPRESS) {
        return;
    }
    n = reply->n - sizeof a < a.count ? reply->n - sizeof a : a.count;
    n = n < PCI_CONFIG_SIZE_EXPRESS - a.offset ? n : (size_t)(PCI_CONFIG_SIZE_EXPRESS - a.offset);
    if (memcmp(c->config.bytes + a.offset, reply->p + sizeof a, n) == 0) {
        return;
    }
    memcpy(c->config.bytes + a.offset, reply->p + sizeof a, n);
    c->config.n = PCI_CONFIG_SIZE_EXPRESS;
    decode_list(c);
}

/* ---- parts ---- */

void decode_part(const struct decode_view *v, void *out, size_t size)
{
    const size_t n = v->n < size ? v->n : size;

    memset((uint8_t *)out + n, 0, size - n);
    if (n > 0) {
        memcpy(out, v->p, n);
    }
}

void decode_argsz(struct printer *printer, const struct decode_view *v, uint32_t argsz)
{
    if ((printer->json || printer->verbose) && v->n >= sizeof argsz) {
        printer_dec(printer, "argsz", argsz);
    }
}

void decode_region(struct printer *printer, uint32_t region)
{
    const char *name = wire_name_of(wire_regions, region);

    if (printer->json) {
        printer_word(printer, "region", name, region);
        printer_dec(printer, "index", region);
        return;
    }
    printer_label(printer, NULL);
    if (name) {
        strbuf_str(printer->t, name);
    } else {
        strbuf_str(printer->t, "region");
        strbuf_dec(printer->t, region);
    }
}

void decode_place(struct printer *printer, const struct decode_config *config, uint32_t region,
                  uint64_t offset, uint64_t count)
{
    char names[PCI_NAMES_MAX] = "";

    if (region == WIRE_PCI_CONFIG && offset < PCI_CONFIG_SIZE_EXPRESS &&
        count <= PCI_NAMED_ACCESS) {
        (void)pci_register_names(config ? config->cap : NULL, config ? config->n_caps : 0,
                                 (size_t)offset, (size_t)count, names, sizeof names);
    }
    decode_region(printer, region);
    if (printer->json) {
        printer_hex(printer, "offset", offset);
        if (*names) {
            printer_text(printer, "register", names, strlen(names));
        }
        return;
    }
    strbuf_char(printer->t, '+');
    strbuf_hex(printer->t, offset);
    if (*names) {
        strbuf_char(printer->t, ' ');
        strbuf_str(printer->t, names);
    }
}

static void decode_bits(struct printer *printer, const struct pci_bit *table, uint16_t v)
{
    bool any = false;

    if (v == 0) {
        return;
    }
    if (printer->json) {
        printer_open_list(printer, "bits");
    } else {
        strbuf_str(printer->t, " (");
    }
    for (; table->mask; table++) {
        if (!(v & table->mask)) {
            continue;
        }
        if (printer->json) {
            printer_word(printer, NULL, table->name, 0);
        } else {
            strbuf_str(printer->t, any ? "|" : "");
            strbuf_str(printer->t, table->name);
        }
        any = true;
    }
    if (printer->json) {
        printer_close_list(printer);
    } else {
        strbuf_char(printer->t, ')');
    }
}

void decode_region_data(struct printer *printer, uint32_t region, uint64_t offset,
                        const uint8_t *data, size_t n, uint64_t total)
{
    printer_data(printer, "data", data, n, total);
    if (region == WIRE_PCI_CONFIG && n == 2 && total == 2) {
        const uint16_t v = (uint16_t)(data[0] | data[1] << 8);

        if (offset == PCI_AT_COMMAND) {
            decode_bits(printer, pci_command_bits, v);
        } else if (offset == PCI_AT_STATUS) {
            decode_bits(printer, pci_status_bits, v);
        }
    }
}

void decode_data_behind(struct printer *printer, const struct decode_view *v, size_t fixed,
                        uint64_t total)
{
    printer_data(printer, "data", v->p + fixed, v->n - fixed, total);
}

void decode_raw(struct printer *printer, const struct decode_view *v, size_t from)
{
    if (v->total > from) {
        const size_t n = v->n > from ? v->n - from : 0;

        printer_data(printer, "raw", n ? v->p + from : v->p, n, v->total - from);
    }
}

/* ---- features ---- */

void decode_feature_flags(struct printer *printer, uint32_t flags)
{
    const uint32_t index = flags & WIRE_FEATURE_MASK;

    printer_flags(printer, "methods", wire_feature_methods, flags & ~WIRE_FEATURE_MASK);
    if (!printer->json) {
        strbuf_char(printer->t, ' ');
        printer->first = true;
    }
    printer_word_bare(printer, "feature", wire_feature_name(index), index);
}

/* A view of the feature's own structure, behind struct wire_feature. */
static struct decode_view decode_behind(const struct decode_view *v)
{
    struct decode_view inner = *v;

    inner.p += sizeof(struct wire_feature);
    inner.n -= sizeof(struct wire_feature);
    inner.total -= sizeof(struct wire_feature);
    return inner;
}

static void decode_mig_state(struct printer *printer, const struct decode_view *v)
{
    struct wire_feature_mig_state s;

    decode_part(v, &s, sizeof s);
    if (DECODE_HAS(v, struct wire_feature_mig_state, device_state)) {
        printer_word(printer, "device_state", wire_name_of(wire_mig_states, s.device_state),
                     s.device_state);
    }
    if (DECODE_HAS(v, struct wire_feature_mig_state, data_fd) &&
        (printer->json || printer->verbose)) {
        printer_hex(printer, "data_fd", s.data_fd);
    }
    decode_raw(printer, v, sizeof s);
}

static void decode_logging_start(struct printer *printer, const struct decode_view *v)
{
    const uint32_t max = printer_list_max(printer);
    struct wire_dma_logging l;
    struct wire_dma_logging_range r;
    size_t at = sizeof l;
    uint32_t shown = 0;

    decode_part(v, &l, sizeof l);
    if (v->n < sizeof l) {
        decode_raw(printer, v, 0);
        return;
    }
    printer_hex(printer, "page_size", l.page_size);
    printer_open_list(printer, "ranges");
    for (; shown < l.num_ranges && shown < max && wire_get(v->p + at, v->n - at, &r, sizeof r);
         shown++, at += sizeof r) {
        printer_open(printer, NULL);
        printer_hex(printer, "iova", r.iova);
        printer_hex(printer, "length", r.length);
        printer_close(printer);
    }
    printer_more(printer, l.num_ranges - shown);
    printer_close_list(printer);
}

static void decode_logging_report(struct printer *printer, const struct decode_view *v)
{
    struct wire_dma_report r;

    decode_part(v, &r, sizeof r);
    if (v->n < sizeof r) {
        decode_raw(printer, v, 0);
        return;
    }
    printer_hex(printer, "iova", r.iova);
    printer_hex(printer, "length", r.length);
    printer_hex(printer, "page_size", r.page_size);
    if (v->total > sizeof r) {
        printer_data(printer, "bitmap", v->p + sizeof r, v->n - sizeof r, v->total - sizeof r);
    }
}

void decode_feature_data(struct printer *printer, const struct decode_view *v, uint32_t flags)
{
    const struct decode_view inner = decode_behind(v);
    struct wire_feature_migration m;

    if (inner.total == 0) {
        return;
    }
    switch (flags & WIRE_FEATURE_MASK) {
    case WIRE_FEATURE_MIGRATION:
        if (wire_get(inner.p, inner.n, &m, sizeof m)) {
            printer_flags(printer, "states", wire_migration_flags, m.flags);
        }
        decode_raw(printer, &inner, inner.n < sizeof m ? 0 : sizeof m);
        return;
    case WIRE_FEATURE_MIG_DEVICE_STATE:
        decode_mig_state(printer, &inner);
        return;
    case WIRE_FEATURE_DMA_LOGGING_START:
        decode_logging_start(printer, &inner);
        return;
    case WIRE_FEATURE_DMA_LOGGING_REPORT:
        decode_logging_report(printer, &inner);
        return;
    default:
        decode_raw(printer, &inner, 0);
        return;
    }
}
