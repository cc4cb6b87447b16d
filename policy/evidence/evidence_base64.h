/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Strict reader of base64 (RFC 4648): no white space, no bits beyond the last byte. Accepts the
 * standard alphabet with padding, and the URL-safe one with or without, as DSSE permits in
 * envelopes. Pure.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_BASE64_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes n characters to out (size bytes); sets *used to the number of bytes written. Returns
 * false if the text is malformed or too long.
 */
bool evidence_base64(const char *p, size_t n, uint8_t *out, size_t size, size_t *used)
    __attribute__((warn_unused_result));

#endif
