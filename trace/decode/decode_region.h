/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints places in regions and their data, with the names of PCI's registers and bits. */
#ifndef POEMD_TRACE_DECODE_DECODE_REGION_H
#define POEMD_TRACE_DECODE_DECODE_REGION_H

#include "trace/decode/decode.h"

/* Prints a region by its name. */
void decode_region(struct printer *printer, uint32_t region);

/* Prints a place in a region: "BAR0+0x10", "config+0x4 COMMAND". */
void decode_place(struct printer *printer, const struct decode_config *config, uint32_t region,
                  uint64_t offset, uint64_t count);

/* Prints data of a region with its registers' bits named: n of its `total` bytes are at data. */
void decode_region_data(struct printer *printer, uint32_t region, uint64_t offset,
                        const uint8_t *data, size_t n, uint64_t total);

#endif
