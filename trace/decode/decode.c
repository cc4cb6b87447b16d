/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
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
