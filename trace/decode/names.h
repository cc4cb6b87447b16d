/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Names for the specification's numbers, as traces show them: tables and look-ups. */
#ifndef POEMD_TRACE_DECODE_NAMES_H
#define POEMD_TRACE_DECODE_NAMES_H

#include <stdint.h>

/* A flag and its name; a table ends with mask 0. */
struct name_flag {
    uint32_t mask;
    const char *name;
};

extern const struct name_flag name_header_flags[]; /* without the type */
extern const struct name_flag name_dma_flags[];
extern const struct name_flag name_device_flags[];
extern const struct name_flag name_region_flags[];
extern const struct name_flag name_irq_flags[];
extern const struct name_flag name_irq_set_flags[];
extern const struct name_flag name_feature_methods[];
extern const struct name_flag name_migration_flags[];
extern const struct name_flag name_seals[];

/* Return a static name by index or value, or NULL if the number has no name. */
const char *name_region(uint32_t index);    /* "BAR0" … "config" */
const char *name_irq(uint32_t index);       /* "INTX" … */
const char *name_io_fd(uint32_t type);      /* "ioeventfd" … */
const char *name_feature(uint32_t index);   /* "MIGRATION" … */
const char *name_mig_state(uint32_t state); /* "RUNNING" … */
const char *name_fd_kind(uint8_t kind);     /* "memfd" … */
const char *name_errno(uint32_t error);     /* "EINVAL" … */
const char *name_capability(uint16_t id);   /* of a region: "sparse_mmap" … */

#endif
