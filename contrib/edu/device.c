/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device: registers and their effects; no socket and no messages. */
#include "contrib/edu/device.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"

static void edu_device_regs_init(struct device *d)
{
    d->regs = (struct device_regs){.liveness = 0};
    memset(d->dma.buffer, 0, sizeof d->dma.buffer);
    config_space_init(&d->config);
}

int device_init(struct device *d, uint64_t dma_mask, size_t max_dma_ranges)
{
    const int err = bar2_init(&d->bar2);

    if (err) {
        return err;
    }
    dma_init(&d->dma, max_dma_ranges);
    irq_init(&d->irq);
    edu_device_regs_init(d);
    d->dma_mask = dma_mask;
    d->running = true;
    return 0;
}

void device_deinit(struct device *d)
{
    irq_deinit(&d->irq);
    dma_deinit(&d->dma);
    bar2_deinit(&d->bar2);
}

void device_reset(struct device *d)
{
    dma_abort(&d->dma);
    d->dma.done = 0;
    edu_device_regs_init(d);
    bar2_reset(&d->bar2);
    d->running = true;
}

uint64_t device_region_size(uint32_t region)
{
    switch (region) {
    case WIRE_PCI_BAR0:
        return EDU_BAR0_SIZE;
    case WIRE_PCI_BAR0 + 2:
        return EDU_BAR2_SIZE;
    case WIRE_PCI_CONFIG:
        return EDU_CONFIG_SIZE;
    default:
        return 0;
    }
}

/* ---- interrupts ---- */

/*
 * Returns true if interrupts are sent as MSI: the client has set the enable bit or an MSI eventfd,
 * which counts as the same request. With only one of both, the message is lost, as on real
 * hardware.
 */
static bool edu_device_by_message(const struct device *d)
{
    return config_space_msi_enabled(&d->config) || irq_message_wanted(&d->irq);
}

void device_show_irq(struct device *d)
{
    irq_line(&d->irq, d->running && d->regs.irq_status != 0 && !edu_device_by_message(d) &&
                          !config_space_intx_disabled(&d->config));
}

static void edu_device_send_message(struct device *d)
{
    if (d->running && d->regs.irq_status != 0 && edu_device_by_message(d)) {
        irq_message(&d->irq);
    }
}

static void edu_device_raise_irq(struct device *d, uint32_t bits)
{
    d->regs.irq_status |= bits;
    edu_device_send_message(d);
    device_show_irq(d);
}

/* ---- BAR 0 ---- */

static uint64_t *edu_device_wide_reg(struct device *d, uint32_t offset)
{
    switch (offset) {
    case EDU_DMA_SRC:
        return &d->regs.dma_src;
    case EDU_DMA_DST:
        return &d->regs.dma_dst;
    case EDU_DMA_COUNT:
        return &d->regs.dma_count;
    case EDU_DMA_CMD:
        return &d->regs.dma_cmd;
    default:
        return NULL;
    }
}

static bool edu_device_size_allowed(uint32_t offset, uint32_t n)
{
    return n == 4 || (n == 8 && offset >= EDU_REGS_WIDE);
}

static uint64_t edu_device_read_reg(struct device *d, uint32_t offset)
{
    const uint64_t *wide = edu_device_wide_reg(d, offset);

    switch (offset) {
    case EDU_IDENT:
        return EDU_IDENT_VALUE;
    case EDU_LIVENESS:
        return d->regs.liveness;
    case EDU_FACTORIAL:
        return d->regs.factorial;
    case EDU_STATUS:
        return d->regs.status;
    case EDU_IRQ_STATUS:
        return d->regs.irq_status;
    default:
        return wide ? *wide : UINT64_MAX;
    }
}

static void edu_device_write_wide(struct device *d, uint32_t offset, uint64_t value)
{
    uint64_t *wide = edu_device_wide_reg(d, offset);

    /*
     * A transfer's parameters cannot change while it runs; a command without the start bit has no
     * effect.
     */
    if (!wide || (d->regs.dma_cmd & EDU_DMA_START) ||
        (offset == EDU_DMA_CMD && !(value & EDU_DMA_START))) {
        return;
    }
    *wide = offset == EDU_DMA_CMD ? value & (EDU_DMA_START | EDU_DMA_TO_RAM | EDU_DMA_IRQ) : value;
}

static void edu_device_write_reg(struct device *d, uint32_t offset, uint64_t value)
{
    const uint32_t low = (uint32_t)value;

    switch (offset) {
    case EDU_LIVENESS:
        d->regs.liveness = ~low;
        break;
    case EDU_FACTORIAL:
        if (!(d->regs.status & EDU_STATUS_COMPUTING)) {
            d->regs.factorial = low;
            d->regs.status |= EDU_STATUS_COMPUTING;
        }
        break;
    case EDU_STATUS:
        d->regs.status = (d->regs.status & EDU_STATUS_COMPUTING) | (low & EDU_STATUS_IRQ);
        break;
    case EDU_IRQ_RAISE:
        edu_device_raise_irq(d, low);
        break;
    case EDU_IRQ_ACK:
        d->regs.irq_status &= ~low;
        break;
    default:
        edu_device_write_wide(d, offset, value);
        break;
    }
}

static void edu_device_bar0_read(struct device *d, uint32_t offset, void *p, uint32_t n)
{
    uint64_t value;

    if (!edu_device_size_allowed(offset, n)) {
        memset(p, 0xff, n);
        return;
    }
    value = edu_device_read_reg(d, offset);
    memcpy(p, &value, n);
}

static void edu_device_bar0_write(struct device *d, uint32_t offset, const void *p, uint32_t n)
{
    uint64_t value = 0;

    if (edu_device_size_allowed(offset, n)) {
        memcpy(&value, p, n);
        edu_device_write_reg(d, offset, value);
    }
}

/* ---- regions ---- */

static bool edu_device_within(uint32_t region, uint64_t offset, uint32_t n)
{
    const uint64_t size = device_region_size(region);

    return n > 0 && offset < size && n <= size - offset;
}

int device_read(struct device *d, uint32_t region, uint64_t offset, void *p, uint32_t n)
{
    const uint32_t at = (uint32_t)offset;

    if (!edu_device_within(region, offset, n)) {
        return -EINVAL;
    }
    switch (region) {
    case WIRE_PCI_BAR0:
        edu_device_bar0_read(d, at, p, n);
        break;
    case WIRE_PCI_CONFIG:
        config_space_set_interrupt_status(&d->config,
                                          d->regs.irq_status != 0 && !edu_device_by_message(d));
        config_space_read(&d->config, at, p, n);
        break;
    default:
        bar2_read(&d->bar2, at, p, n);
        break;
    }
    return 0;
}

int device_write(struct device *d, uint32_t region, uint64_t offset, const void *p, uint32_t n)
{
    const uint32_t at = (uint32_t)offset;

    if (!edu_device_within(region, offset, n)) {
        return -EINVAL;
    }
    switch (region) {
    case WIRE_PCI_BAR0:
        edu_device_bar0_write(d, at, p, n);
        break;
    case WIRE_PCI_CONFIG:
        config_space_write(&d->config, at, p, n);
        /* The write may have enabled INTx, or disabled MSI. */
        device_show_irq(d);
        break;
    default:
        bar2_write(&d->bar2, at, p, n);
        break;
    }
    return 0;
}

/* ---- work ---- */

static uint32_t edu_device_factorial(uint32_t n)
{
    uint32_t result = 1;

    /* From 34 on, the product has more than 31 factors of two: its low 32 bits are 0. */
    if (n >= 34) {
        return 0;
    }
    while (n > 1) {
        result *= n--;
    }
    return result;
}

static void edu_device_compute(struct device *d)
{
    d->regs.factorial = edu_device_factorial(d->regs.factorial);
    d->regs.status &= ~EDU_STATUS_COMPUTING;
    if (d->regs.status & EDU_STATUS_IRQ) {
        edu_device_raise_irq(d, EDU_IRQ_FACTORIAL);
    }
}

/* Starts the transfer that the registers describe. Returns false if it is impossible. */
static bool edu_device_start_transfer(struct device *d)
{
    const bool to_ram = d->regs.dma_cmd & EDU_DMA_TO_RAM;
    const uint64_t local = to_ram ? d->regs.dma_src : d->regs.dma_dst;
    const uint64_t bus = to_ram ? d->regs.dma_dst : d->regs.dma_src;
    const uint64_t count = d->regs.dma_count;

    if (local < EDU_BUFFER || count > EDU_BUFFER_SIZE ||
        local - EDU_BUFFER > EDU_BUFFER_SIZE - count) {
        log_warning("DMA of %" PRIu64 " bytes at 0x%" PRIx64 " leaves the device's buffer", count,
                    local);
        return false;
    }
    if (!config_space_bus_master(&d->config)) {
        log_warning("DMA without the Bus Master bit: nothing is moved");
        return false;
    }
    if (bus & ~d->dma_mask) {
        log_warning("DMA address 0x%" PRIx64 " is cut to 0x%" PRIx64, bus, bus & d->dma_mask);
    }
    dma_start(&d->dma, to_ram, bus & d->dma_mask, (uint32_t)(local - EDU_BUFFER), (uint32_t)count,
              d->dma.done);
    return true;
}

static void edu_device_end_transfer(struct device *d)
{
    d->dma.done = 0;
    d->regs.dma_cmd &= ~(uint64_t)EDU_DMA_START;
    if (d->regs.dma_cmd & EDU_DMA_IRQ) {
        edu_device_raise_irq(d, EDU_IRQ_DMA);
    }
}

static void edu_device_transfer(struct device *d)
{
    if (!d->dma.active && !edu_device_start_transfer(d)) {
        edu_device_end_transfer(d);
        return;
    }
    switch (dma_run(&d->dma)) {
    case DMA_DONE:
    case DMA_FAILED:
        edu_device_end_transfer(d);
        break;
    case DMA_WAITING:
    case DMA_IDLE:
        break;
    }
}

void device_work(struct device *d)
{
    if (!d->running) {
        return;
    }
    if (d->regs.status & EDU_STATUS_COMPUTING) {
        edu_device_compute(d);
    }
    if (d->regs.dma_cmd & EDU_DMA_START) {
        edu_device_transfer(d);
    }
}

void device_stop(struct device *d)
{
    dma_pause(&d->dma);
    d->running = false;
}

void device_resume(struct device *d)
{
    d->running = true;
    /*
     * Interrupts raised while stopped, or on another machine, are sent now; one too many does no
     * harm.
     */
    edu_device_send_message(d);
    device_show_irq(d);
}

int device_client_gone(struct device *d)
{
    dma_abort(&d->dma);
    irq_deinit(&d->irq);
    dma_table_clear(&d->dma.table);
    dirty_stop(&d->dma.dirty);
    if (d->regs.dma_cmd & EDU_DMA_START) {
        edu_device_end_transfer(d);
    }
    return bar2_renew(&d->bar2);
}
