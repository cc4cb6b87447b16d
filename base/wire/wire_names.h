/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The names of the specification's numbers and flags: for traces, the probe and the filters. */
#ifndef POEMD_BASE_WIRE_WIRE_NAMES_H
#define POEMD_BASE_WIRE_WIRE_NAMES_H

#include <stdint.h>

/* A number, or a flag's mask, and its name. The last row of a table has name NULL. */
struct wire_name {
    uint32_t value;
    const char *name;  /* in traces: "BAR0" */
    const char *title; /* in reports: "BAR 0"; NULL: as name */
};

/* Flags. */
extern const struct wire_name wire_header_flags[]; /* in addition to the type */
extern const struct wire_name wire_dma_flags[];
extern const struct wire_name wire_device_flags[];
extern const struct wire_name wire_region_flags[];
extern const struct wire_name wire_irq_flags[];
extern const struct wire_name wire_irq_set_flags[];
extern const struct wire_name wire_feature_methods[];
extern const struct wire_name wire_migration_flags[];

/* Numbers. */
extern const struct wire_name wire_regions[];
extern const struct wire_name wire_irqs[];
extern const struct wire_name wire_io_fd_types[];
extern const struct wire_name wire_mig_states[];

/* Return the number's name, or its title; NULL if the table has none for it. Static. */
const char *wire_name_of(const struct wire_name *table, uint64_t value);
const char *wire_title_of(const struct wire_name *table, uint64_t value);

#endif
