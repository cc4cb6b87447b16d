/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device: its registers, and the work that they start. Layout in regs.h.
 *
 * A register access only records the work to do; device_work does it. So the client has the reply
 * to its write before the device sends it a request: the device never waits for a client that still
 * waits for that reply.
 */
#ifndef POEMD_EDU_DEVICE_H
#define POEMD_EDU_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "contrib/edu/bar2.h"
#include "contrib/edu/config_space.h"
#include "contrib/edu/dma.h"
#include "contrib/edu/irq.h"

/* The contents of BAR 0. */
struct device_regs {
    uint32_t liveness;
    uint32_t factorial;
    uint32_t status;
    uint32_t irq_status;
    uint64_t dma_src;
    uint64_t dma_dst;
    uint64_t dma_count;
    uint64_t dma_cmd;
};

struct device {
    struct device_regs regs;
    struct config_space config;
    struct bar2 bar2;
    struct irq irq;
    struct dma dma;
    uint64_t dma_mask;
    /* false: stopped for a migration; registers answer, but no work is done */
    bool running;
};

/* Returns 0 or -errno. Call device_deinit only after a 0. */
int device_init(struct device *d, uint64_t dma_mask, size_t max_dma_ranges)
    __attribute__((warn_unused_result));
void device_deinit(struct device *d);

/* "VFIO_USER_DEVICE_RESET": sets power-on values; keeps the client's ranges and eventfds. */
void device_reset(struct device *d);

/* Returns a region's size in bytes; 0 if the device does not have it. */
uint64_t device_region_size(uint32_t region);

/*
 * Read or write n bytes of a region. Return 0, or -EINVAL outside of a region. Without a register
 * of this offset and size, reads return ones and writes are dropped, as on a bus.
 */
int device_read(struct device *d, uint32_t region, uint64_t offset, void *p, uint32_t n)
    __attribute__((warn_unused_result));
int device_write(struct device *d, uint32_t region, uint64_t offset, const void *p, uint32_t n)
    __attribute__((warn_unused_result));

/* Updates the INTx level; call it after the client has changed its interrupts. */
void device_show_irq(struct device *d);

/* Does the recorded work, as far as possible now. */
void device_work(struct device *d);

/* Stops: when it returns, no work is under way; interrupted work goes on after device_resume. */
void device_stop(struct device *d);
void device_resume(struct device *d);

/*
 * "Client Disconnection": releases ranges and eventfds, aborts a transfer, ends dirty logging;
 * keeps all other state. Returns 0, or -errno if no new fds could be made to share with the next
 * client; then the device must not be offered to one.
 */
int device_client_gone(struct device *d) __attribute__((warn_unused_result));

#endif
