/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Replies in a device's stead, from what its session has set up. Pure. */
#include <bsd/sys/queue.h>
#include <string.h>

#include "proxy/relay/setup/setup.h"

/* Writes a successful reply with n bytes of payload. */
static size_t setup_answer_with(const struct setup_request *r, const void *payload, size_t n,
                                uint8_t *out)
{
    const struct wire_hdr hdr = wire_reply_hdr(&r->hdr, (uint32_t)n);

    wire_put_hdr(out, &hdr);
    if (n > 0) {
        memcpy(out + WIRE_HDR_SIZE, payload, n);
    }
    return WIRE_HDR_SIZE + n;
}

static size_t setup_answer_unmap(const struct setup_request *r, uint8_t *out)
{
    struct wire_dma_unmap u;

    if (!wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &u, sizeof u) ||
        (u.flags & WIRE_UNMAP_BITMAP)) {
        return 0;
    }
    return setup_answer_with(r, &u, sizeof u, out);
}

static size_t setup_answer_write(const struct setup_request *r, uint8_t *out)
{
    struct wire_region_access a;

    if (!wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &a, sizeof a) ||
        a.region != WIRE_PCI_CONFIG || a.count != r->n - WIRE_HDR_SIZE - sizeof a) {
        return 0;
    }
    return setup_answer_with(r, &a, sizeof a, out);
}

static size_t setup_answer_read(const struct setup *s, const struct setup_request *r, uint8_t *out)
{
    struct wire_region_access a;
    uint8_t payload[sizeof a + SETUP_CONFIG_HEADER];
    const size_t n =
        setup_nvme_answer(s->nvme, r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, payload);

    if (n > 0) {
        return setup_answer_with(r, payload, n, out);
    }
    if (!wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &a, sizeof a) ||
        a.region != WIRE_PCI_CONFIG || !s->config ||
        !setup_config_knows(s->config, a.offset, a.count)) {
        return 0;
    }
    memcpy(payload, &a, sizeof a);
    memcpy(payload + sizeof a, s->config->seen + a.offset, a.count);
    return setup_answer_with(r, payload, sizeof a + a.count, out);
}

static size_t setup_answer_info(const struct setup *s, const struct setup_request *r, uint8_t *out)
{
    const struct setup_info *i;

    TAILQ_FOREACH(i, &s->infos, link)
    {
        if (i->n_request == r->n && memcmp(i->bytes + 2, r->bytes + 2, r->n - 2) == 0) {
            return setup_answer_with(r, i->bytes + i->n_request, i->n_reply, out);
        }
    }
    return 0;
}

size_t setup_answer(const struct setup *s, const struct setup_request *r,
                    uint8_t out[SETUP_ANSWER_MAX])
{
    if (!r->whole) {
        return 0;
    }
    switch (r->hdr.command) {
    case WIRE_DMA_MAP:
    case WIRE_DEVICE_SET_IRQS:
    case WIRE_DEVICE_RESET:
        return setup_answer_with(r, NULL, 0, out);
    case WIRE_DMA_UNMAP:
        return setup_answer_unmap(r, out);
    case WIRE_REGION_WRITE:
        return setup_answer_write(r, out);
    case WIRE_REGION_READ:
        return setup_answer_read(s, r, out);
    default:
        return setup_answer_info(s, r, out);
    }
}
