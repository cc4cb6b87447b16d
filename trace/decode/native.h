/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A captured message's numbers in this machine's byte order, whichever machine captured it. Pure.
 */
#ifndef POEMD_TRACE_DECODE_NATIVE_H
#define POEMD_TRACE_DECODE_NATIVE_H

#include <stddef.h>

#include "trace/file/message.h"

/* Whether the message's bytes must be turned round to be read here. */
bool native_foreign(const struct trace_message *m);

/* The header in this machine's order; false where fewer than WIRE_HDR_SIZE bytes are kept. */
bool native_header(const struct trace_message *m, struct wire_hdr *hdr)
    __attribute__((warn_unused_result));

/*
 * Copies what was kept of the payload, at most n bytes, to out, all numbers of its structure and of
 * its lists in this machine's order; data stays as it is. Returns the bytes copied. hdr is the
 * message's, from native_header.
 */
size_t native_payload(const struct trace_message *m, const struct wire_hdr *hdr, void *out,
                      size_t n);

/*
 * The same of n bytes of a message that begin with its header, as struct trace_request keeps them:
 * flags are the message's.
 */
size_t native_head(const uint8_t *head, size_t n, uint8_t flags, const struct wire_hdr *hdr,
                   void *out, size_t size);

#endif
