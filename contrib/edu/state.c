/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Saves and loads the device's state, little-endian on every machine. A state comes from another
 * process through a client: all of it is checked before any of it is used.
 */
#define _DEFAULT_SOURCE
#include "contrib/edu/state.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static const uint8_t magic[8] = {'e', 'd', 'u', 's', 't', 'a', 't', 'e'};

static uint8_t *edu_state_put32(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint8_t *edu_state_put64(uint8_t *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint8_t *edu_state_put(uint8_t *p, const void *in, size_t n)
{
    memcpy(p, in, n);
    return p + n;
}

static const uint8_t *edu_state_get32(const uint8_t *p, uint32_t *v)
{
    memcpy(v, p, sizeof *v);
    *v = le32toh(*v);
    return p + sizeof *v;
}

static const uint8_t *edu_state_get64(const uint8_t *p, uint64_t *v)
{
    memcpy(v, p, sizeof *v);
    *v = le64toh(*v);
    return p + sizeof *v;
}

/* CRC-32 of IEEE 802.3: detects damage, not malice; the checks of ranges are for that. */
static uint32_t edu_state_crc32(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

void state_save(const struct device *d, uint8_t *out)
{
    const struct device_regs *r = &d->regs;
    uint8_t *p = edu_state_put(out, magic, sizeof magic);

    p = edu_state_put32(p, STATE_VERSION);
    p = edu_state_put32(p, STATE_SIZE);
    p = edu_state_put32(p, r->liveness);
    p = edu_state_put32(p, r->factorial);
    p = edu_state_put32(p, r->status);
    p = edu_state_put32(p, r->irq_status);
    p = edu_state_put64(p, r->dma_src);
    p = edu_state_put64(p, r->dma_dst);
    p = edu_state_put64(p, r->dma_count);
    p = edu_state_put32(p, (uint32_t)r->dma_cmd);
    p = edu_state_put32(p, d->dma.done);
    p = edu_state_put64(p, d->dma_mask);
    p = edu_state_put64(p, d->bar2.doorbells);
    p = edu_state_put64(p, 0);
    p = edu_state_put(p, d->config.bytes, sizeof d->config.bytes);
    p = edu_state_put(p, d->dma.buffer, sizeof d->dma.buffer);
    p = edu_state_put(p, bar2_page(&d->bar2), EDU_PAGE_SIZE);
    edu_state_put32(p, edu_state_crc32(out, (size_t)(p - out)));
}

/* The fixed part of a state, decoded. */
struct head {
    uint32_t version;
    uint32_t size;
    struct device_regs regs;
    uint32_t cmd;
    uint32_t done;
    uint64_t dma_mask;
    uint64_t doorbells;
    uint64_t reserved;
};

static const uint8_t *edu_state_get_head(const uint8_t *p, struct head *h)
{
    p = edu_state_get32(p + sizeof magic, &h->version);
    p = edu_state_get32(p, &h->size);
    p = edu_state_get32(p, &h->regs.liveness);
    p = edu_state_get32(p, &h->regs.factorial);
    p = edu_state_get32(p, &h->regs.status);
    p = edu_state_get32(p, &h->regs.irq_status);
    p = edu_state_get64(p, &h->regs.dma_src);
    p = edu_state_get64(p, &h->regs.dma_dst);
    p = edu_state_get64(p, &h->regs.dma_count);
    p = edu_state_get32(p, &h->cmd);
    p = edu_state_get32(p, &h->done);
    p = edu_state_get64(p, &h->dma_mask);
    p = edu_state_get64(p, &h->doorbells);
    p = edu_state_get64(p, &h->reserved);
    h->regs.dma_cmd = h->cmd;
    return p;
}

static bool edu_state_head_valid(const struct head *h, const struct device *d)
{
    const uint32_t status = EDU_STATUS_COMPUTING | EDU_STATUS_IRQ;
    const uint32_t cmd = EDU_DMA_START | EDU_DMA_TO_RAM | EDU_DMA_IRQ;

    if (h->version != STATE_VERSION || h->size != STATE_SIZE || h->reserved != 0 ||
        (h->regs.status & ~status) || (h->cmd & ~cmd) || h->dma_mask != d->dma_mask) {
        return false;
    }
    /* Only a running transfer has moved bytes, and fewer than its count. */
    return h->done == 0 ||
           ((h->cmd & EDU_DMA_START) && h->done < h->regs.dma_count && h->done < EDU_BUFFER_SIZE);
}

int state_load(struct device *d, const uint8_t *p, size_t n)
{
    struct config_space config;
    struct head head;
    uint32_t sum;

    if (n != STATE_SIZE || memcmp(p, magic, sizeof magic) != 0) {
        return -EINVAL;
    }
    edu_state_get32(p + n - sizeof sum, &sum);
    if (sum != edu_state_crc32(p, n - sizeof sum)) {
        return -EINVAL;
    }
    p = edu_state_get_head(p, &head);
    if (!edu_state_head_valid(&head, d) || !config_space_load(&config, p)) {
        return -EINVAL;
    }
    p += EDU_CONFIG_SIZE;
    dma_abort(&d->dma);
    bar2_drain(&d->bar2);
    d->config = config;
    d->regs = head.regs;
    d->dma.done = head.done;
    d->bar2.doorbells = head.doorbells;
    memcpy(d->dma.buffer, p, EDU_BUFFER_SIZE);
    memcpy(bar2_page(&d->bar2), p + EDU_BUFFER_SIZE, EDU_PAGE_SIZE);
    return 0;
}
