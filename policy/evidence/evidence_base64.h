/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Base64 (RFC 4648), read strictly: no white space, no bits beyond the last byte. The standard
 * alphabet with padding, or the URL-safe one with or without: what DSSE lets an envelope have.
 * Pure.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_BASE64_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads n characters to out (size bytes); *used of them are written. False: malformed, too long. */
bool evidence_base64(const char *p, size_t n, uint8_t *out, size_t size, size_t *used)
    __attribute__((warn_unused_result));

#endif
