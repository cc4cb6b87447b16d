/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The bytes that a DSSE signature covers: the pre-authentication encoding of an in-toto payload. */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_PAE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_PAE_H

#include <stddef.h>
#include <stdint.h>

/* The type of the payload, which the encoding contains. */
#define EVIDENCE_DSSE_PAYLOAD_TYPE "application/vnd.in-toto+json"

struct evidence_pae {
    uint8_t *bytes; /* owned */
    size_t n;
    const uint8_t *payload; /* points to the end part of bytes */
    size_t payload_size;
};

enum evidence_pae_outcome { EVIDENCE_PAE_OK, EVIDENCE_PAE_BAD_BASE64, EVIDENCE_PAE_NO_MEMORY };

/* Encodes a payload of n bytes. After EVIDENCE_PAE_OK the caller calls evidence_pae_deinit. */
enum evidence_pae_outcome evidence_pae_init(struct evidence_pae *pae, const void *payload, size_t n)
    __attribute__((warn_unused_result));

/* Does the same for a payload of n characters of base64. */
enum evidence_pae_outcome evidence_pae_decode(struct evidence_pae *pae, const char *p, size_t n)
    __attribute__((warn_unused_result));

void evidence_pae_deinit(struct evidence_pae *pae);

#endif
