/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Converts a captured message's numbers to this machine's byte order, whichever machine captured
 * it. Pure.
 */
#ifndef POEMD_TRACE_DECODE_NATIVE_H
#define POEMD_TRACE_DECODE_NATIVE_H

#include <stddef.h>

#include "trace/file/message.h"

/* Returns true if the message has the other byte order. */
bool native_foreign(const struct trace_message *m);

/*
 * Reads the header in this machine's order. Returns false if fewer than WIRE_HDR_SIZE bytes were
 * kept.
 */
bool native_header(const struct trace_message *m, struct wire_hdr *hdr)
    __attribute__((warn_unused_result));

/*
 * Copies the kept payload, at most n bytes, to out, with all numbers of its structure and lists in
 * this machine's order; data is copied unchanged. hdr is the message's, from native_header. Returns
 * the number of bytes copied.
 */
size_t native_payload(const struct trace_message *m, const struct wire_hdr *hdr, void *out,
                      size_t n);

/*
 * The same for the first n bytes of a message, beginning with its header, as struct trace_request
 * keeps them; flags are the message's.
 */
size_t native_head(const uint8_t *head, size_t n, uint8_t flags, const struct wire_hdr *hdr,
                   void *out, size_t size);

#endif
