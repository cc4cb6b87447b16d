/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device: its registers and what they set in motion. Layout in regs.h.
 *
 * A register access only notes what is to be done; device_work does it. So the client has the reply
 * to its write before the device asks the client for anything: a client that waits for the reply to
 * a write cannot be waited for by the device.
 */
#ifndef POEMD_EDU_DEVICE_H
#define POEMD_EDU_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "contrib/edu/bar2.h"
#include "contrib/edu/config_space.h"
#include "contrib/edu/dma.h"
#include "contrib/edu/irq.h"

/* What BAR 0 holds. */
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
    bool running; /* false: stopped for a migration; registers answer, but nothing is set in motion
                   */
};

/* 0 or -errno. d is to be deinit'ed only after a 0. */
int device_init(struct device *d, uint64_t dma_mask, size_t max_dma_ranges)
    __attribute__((warn_unused_result));
void device_deinit(struct device *d);

/* "VFIO_USER_DEVICE_RESET": power-on values; the client's ranges and eventfds stay. */
void device_reset(struct device *d);

/* Bytes of a region of the device; 0 where it has none. */
uint64_t device_region_size(uint32_t region);

/*
 * Reads or writes n bytes of a region. 0, or -EINVAL: not within a region. Where no register
 * answers to this offset and size, ones are read and writes are dropped, as on the bus.
 */
int device_read(struct device *d, uint32_t region, uint64_t offset, void *p, uint32_t n)
    __attribute__((warn_unused_result));
int device_write(struct device *d, uint32_t region, uint64_t offset, const void *p, uint32_t n)
    __attribute__((warn_unused_result));

/* Shows the INTx level anew: to be called when the client has changed its interrupts. */
void device_show_irq(struct device *d);

/* Does what has been set in motion, as far as it can be done now. */
void device_work(struct device *d);

/* Stops: nothing is in motion when it returns; what was goes on after device_resume. */
void device_stop(struct device *d);
void device_resume(struct device *d);

/*
 * "Client Disconnection": ranges and eventfds are released, a transfer ends unfinished, dirty
 * logging ends; the rest of the state is kept. 0, or -errno: there are no fresh fds to be shared
 * with the next client, and the device must not be offered to one.
 */
int device_client_gone(struct device *d) __attribute__((warn_unused_result));

#endif
