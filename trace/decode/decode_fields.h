/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints structures and their lists by the description of wire_command.h. */
#ifndef POEMD_TRACE_DECODE_DECODE_FIELDS_H
#define POEMD_TRACE_DECODE_DECODE_FIELDS_H

#include "trace/decode/decode.h"

/* What is printed, and how. */
struct decode_at {
    struct printer *printer;
    const struct decode_config *config;  /* NULL: nothing is known of it */
    const struct trace_request *request; /* of a reply; NULL: not known */
    bool reply;
};

/* Prints the structure's fields, as far as the n bytes at p have them. */
void decode_fields(const struct decode_at *at, const struct wire_struct *s, const uint8_t *p,
                   size_t n);

/* Prints the list behind the structure at p; its entries are stride bytes apart. */
void decode_entries(const struct decode_at *at, const struct wire_struct *s, const uint8_t *p,
                    size_t n, size_t stride);

/* Prints the bytes behind the first `from`: n of `total` bytes are at p. */
void decode_raw(struct printer *printer, const uint8_t *p, size_t n, size_t total, size_t from);

/* Prints a feature's data, which begins at p. */
void decode_feature(const struct decode_at *at, uint32_t flags, const uint8_t *p, size_t n,
                    size_t total);

/* Copies the request's payload, as far as it was remembered, to out. Returns its bytes. */
size_t decode_asked(const struct trace_request *request, uint8_t out[static TRACE_REMEMBERED]);

#endif
