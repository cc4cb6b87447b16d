/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by decode_request.c and decode_reply.c: reads parts of messages, and prints fields that
 * both have.
 */
#ifndef POEMD_TRACE_DECODE_DECODE_PARTS_H
#define POEMD_TRACE_DECODE_DECODE_PARTS_H

#include "trace/decode/decode.h"

/* True if the kept payload has all of a member of the structure it begins with. */
#define DECODE_HAS(v, type, member) \
    ((v)->n >= offsetof(type, member) + sizeof(((type *)NULL)->member))

/* Copies the structure as far as it was kept; the rest is 0. */
void decode_part(const struct decode_view *v, void *out, size_t size);

/* Prints argsz if it was kept and is wanted. */
void decode_argsz(struct printer *printer, const struct decode_view *v, uint32_t argsz);

/* Prints a region by its name. */
void decode_region(struct printer *printer, uint32_t region);

/* Prints a place in a region: "BAR0+0x10", "config+0x4 COMMAND". */
void decode_place(struct printer *printer, const struct decode_config *config, uint32_t region,
                  uint64_t offset, uint64_t count);

/* Prints data of a region with its registers' bits named: n of its `total` bytes are at data. */
void decode_region_data(struct printer *printer, uint32_t region, uint64_t offset,
                        const uint8_t *data, size_t n, uint64_t total);

/* Prints the data behind the fixed part of `fixed` bytes; `total` is its announced size. */
void decode_data_behind(struct printer *printer, const struct decode_view *v, size_t fixed,
                        uint64_t total);

/* Prints a payload of an unknown command, or of one that has no payload. */
void decode_raw(struct printer *printer, const struct decode_view *v, size_t from);

/* Print a feature's index and methods, and its data, in requests and replies. */
void decode_feature_flags(struct printer *printer, uint32_t flags);
void decode_feature_data(struct printer *printer, const struct decode_view *v, uint32_t flags);

#endif
