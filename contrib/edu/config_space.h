/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's PCI configuration space: 256 bytes, and a mask of writable bits. */
#ifndef POEMD_EDU_CONFIG_SPACE_H
#define POEMD_EDU_CONFIG_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "contrib/edu/regs.h"

struct config_space {
    uint8_t bytes[EDU_CONFIG_SIZE];
};

/* Sets the power-on values; also after a reset. */
void config_space_init(struct config_space *c);

/*
 * Accesses of any size; offset + n must be within EDU_CONFIG_SIZE. Read-only bits keep their value.
 */
void config_space_read(const struct config_space *c, uint32_t offset, void *p, uint32_t n);
void config_space_write(struct config_space *c, uint32_t offset, const void *p, uint32_t n);

/* Bits of the command register: the device may access memory; its INTx is disabled. */
bool config_space_bus_master(const struct config_space *c);
bool config_space_intx_disabled(const struct config_space *c);

/* The enable bit of the MSI capability. */
bool config_space_msi_enabled(const struct config_space *c);

/* Sets the status register's bit for a pending INTx interrupt. */
void config_space_set_interrupt_status(struct config_space *c, bool pending);

/*
 * Loads a saved space (EDU_CONFIG_SIZE bytes). Returns false, with nothing changed, if a read-only
 * bit differs from its power-on value.
 */
bool config_space_load(struct config_space *c, const uint8_t *bytes)
    __attribute__((warn_unused_result));

#endif
