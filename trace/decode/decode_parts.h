/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What decode_request.c and decode_reply.c share: reading parts, and writing what both have. */
#ifndef POEMD_TRACE_DECODE_DECODE_PARTS_H
#define POEMD_TRACE_DECODE_DECODE_PARTS_H

#include "trace/decode/decode.h"

/* Whether a member of the structure at the beginning of the payload is all there. */
#define DECODE_HAS(v, type, member) \
    ((v)->n >= offsetof(type, member) + sizeof(((type *)NULL)->member))

/* Copies the structure as far as it is there; the rest is 0. */
void decode_part(const struct decode_view *v, void *out, size_t size);

/* argsz, where it is there and asked for. */
void decode_argsz(struct printer *printer, const struct decode_view *v, uint32_t argsz);

/* A region by its name. */
void decode_region(struct printer *printer, uint32_t region);

/* Where in a region: "BAR0+0x10", "config+0x4 COMMAND". */
void decode_place(struct printer *printer, const struct decode_config *config, uint32_t region,
                  uint64_t offset, uint64_t count);

/* Data of a region, total bytes of which n are at data; with what registers' bits mean. */
void decode_region_data(struct printer *printer, uint32_t region, uint64_t offset,
                        const uint8_t *data, size_t n, uint64_t total);

/* What follows the fixed part of `fixed` bytes, as data of which `total` bytes were announced. */
void decode_data_behind(struct printer *printer, const struct decode_view *v, size_t fixed,
                        uint64_t total);

/* A payload whose command has none, or is not known. */
void decode_raw(struct printer *printer, const struct decode_view *v, size_t from);

/* A feature's index and methods, and its data: of requests and replies. */
void decode_feature_flags(struct printer *printer, uint32_t flags);
void decode_feature_data(struct printer *printer, const struct decode_view *v, uint32_t flags);

#endif
