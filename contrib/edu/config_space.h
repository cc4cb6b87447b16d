/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's PCI configuration space: 256 bytes and a mask of what may be written.
 */
#ifndef POEMD_EDU_CONFIG_SPACE_H
#define POEMD_EDU_CONFIG_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "contrib/edu/regs.h"

struct config_space {
    uint8_t bytes[EDU_CONFIG_SIZE];
};

/* Power-on values; also what a reset restores. */
void config_space_init(struct config_space *c);

/* Reads and writes of any size; offset + n is within EDU_CONFIG_SIZE. Unwritable bits stay. */
void config_space_read(const struct config_space *c, uint32_t offset, void *p, uint32_t n);
void config_space_write(struct config_space *c, uint32_t offset, const void *p, uint32_t n);

/* Command register: may the device access memory; is its INTx switched off. */
bool config_space_bus_master(const struct config_space *c);
bool config_space_intx_disabled(const struct config_space *c);

/* The enable bit of the MSI capability. */
bool config_space_msi_enabled(const struct config_space *c);

/* Shows in the status register whether an INTx interrupt is pending. */
void config_space_set_interrupt_status(struct config_space *c, bool pending);

/*
 * Takes over a saved space (EDU_CONFIG_SIZE bytes). False, and nothing is changed, where a bit
 * differs from power-on that could not have been written.
 */
bool config_space_load(struct config_space *c, const uint8_t *bytes)
    __attribute__((warn_unused_result));

#endif
