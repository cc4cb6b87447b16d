/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's PCI configuration space. Pure: bytes in, bytes out.
 *
 * Each byte has a mask of writable bits, so accesses of any size and alignment work, and a BAR's
 * size is simply its part that cannot be written.
 */
#include "contrib/edu/config_space.h"

#include <string.h>

#define COMMAND 0x04
#define COMMAND_MASTER 0x04u
#define COMMAND_HIGH 0x05
#define COMMAND_HIGH_INTX_DISABLE 0x04u
#define STATUS 0x06
#define STATUS_INTERRUPT 0x08u
#define STATUS_CAPABILITIES 0x10u
#define MSI_CONTROL (EDU_CONFIG_MSI + 2)
#define MSI_ENABLE 0x01u
#define MSI_64BIT 0x80u

#define LOW(v) ((v)&0xffu)
#define HIGH(v) (((v) >> 8) & 0xffu)

static const uint8_t power_on[EDU_CONFIG_SIZE] = {
    [0x00] = LOW(EDU_VENDOR_ID),
    [0x01] = HIGH(EDU_VENDOR_ID),
    [0x02] = LOW(EDU_DEVICE_ID),
    [0x03] = HIGH(EDU_DEVICE_ID),
    [STATUS] = STATUS_CAPABILITIES,
    [0x08] = EDU_REVISION,
    [0x0a] = LOW(EDU_CLASS),
    [0x0b] = HIGH(EDU_CLASS),
    /* Subsystem: 1af4:1100, QEMU's own, like QEMU's edu. */
    [0x2c] = 0xf4,
    [0x2d] = 0x1a,
    [0x2e] = 0x00,
    [0x2f] = 0x11,
    [0x34] = EDU_CONFIG_MSI,
    [0x3d] = 1, /* INTx pin A */
    [EDU_CONFIG_MSI] = 0x05,
    [MSI_CONTROL] = MSI_64BIT,
};

static const uint8_t writable[EDU_CONFIG_SIZE] = {
    [COMMAND] = 0x46,      /* memory, bus master, parity response */
    [COMMAND_HIGH] = 0x05, /* SERR, INTx disable */
    [0x0c] = 0xff,         /* cache line size */
    [0x0d] = 0xff,         /* latency timer */
    [0x12] = 0xf0,         /* BAR 0: 1 MiB */
    [0x13] = 0xff,
    [0x19] = 0xe0, /* BAR 2: 8 KiB */
    [0x1a] = 0xff,
    [0x1b] = 0xff,
    [0x3c] = 0xff, /* interrupt line */
    [MSI_CONTROL] = MSI_ENABLE,
    [EDU_CONFIG_MSI + 4] = 0xfc,
    [EDU_CONFIG_MSI + 5] = 0xff,
    [EDU_CONFIG_MSI + 6] = 0xff,
    [EDU_CONFIG_MSI + 7] = 0xff,
    [EDU_CONFIG_MSI + 8] = 0xff,
    [EDU_CONFIG_MSI + 9] = 0xff,
    [EDU_CONFIG_MSI + 10] = 0xff,
    [EDU_CONFIG_MSI + 11] = 0xff,
    [EDU_CONFIG_MSI + 12] = 0xff,
    [EDU_CONFIG_MSI + 13] = 0xff,
};

void config_space_init(struct config_space *c)
{
    memcpy(c->bytes, power_on, sizeof c->bytes);
}

void config_space_read(const struct config_space *c, uint32_t offset, void *p, uint32_t n)
{
    memcpy(p, c->bytes + offset, n);
}

void config_space_write(struct config_space *c, uint32_t offset, const void *p, uint32_t n)
{
    const uint8_t *in = p;

    for (uint32_t i = 0; i < n; i++) {
        const uint8_t mask = writable[offset + i];
        uint8_t *byte = &c->bytes[offset + i];

        *byte = (uint8_t)((*byte & ~mask) | (in[i] & mask));
    }
}

bool config_space_bus_master(const struct config_space *c)
{
    return c->bytes[COMMAND] & COMMAND_MASTER;
}

bool config_space_intx_disabled(const struct config_space *c)
{
    return c->bytes[COMMAND_HIGH] & COMMAND_HIGH_INTX_DISABLE;
}

bool config_space_msi_enabled(const struct config_space *c)
{
    return c->bytes[MSI_CONTROL] & MSI_ENABLE;
}

void config_space_set_interrupt_status(struct config_space *c, bool pending)
{
    c->bytes[STATUS] =
        (uint8_t)((c->bytes[STATUS] & ~STATUS_INTERRUPT) | (pending ? STATUS_INTERRUPT : 0u));
}

bool config_space_load(struct config_space *c, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < EDU_CONFIG_SIZE; i++) {
        /* The pending bit is never written: it is derived from the interrupt status. */
        const uint8_t free = (uint8_t)(writable[i] | (i == STATUS ? STATUS_INTERRUPT : 0u));

        if ((bytes[i] ^ power_on[i]) & ~free) {
            return false;
        }
    }
    memcpy(c->bytes, bytes, sizeof c->bytes);
    return true;
}
