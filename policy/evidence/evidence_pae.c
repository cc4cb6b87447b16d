/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* PAE = "DSSEv1" SP LENGTH(type) SP type SP LENGTH(payload) SP payload; lengths are decimal. */
#include "policy/evidence/evidence_pae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"

/* Writes the encoding's head and reserves room for n bytes of payload. */
static uint8_t *evidence_pae_begin(struct evidence_pae *pae, size_t n)
{
    char head[128];
    const int len = snprintf(head, sizeof head, "DSSEv1 %zu %s %zu ",
                             strlen(EVIDENCE_DSSE_PAYLOAD_TYPE), EVIDENCE_DSSE_PAYLOAD_TYPE, n);

    pae->n = (size_t)len + n;
    pae->bytes = malloc(pae->n);
    if (!pae->bytes) {
        return NULL;
    }
    memcpy(pae->bytes, head, (size_t)len);
    pae->payload = pae->bytes + len;
    pae->payload_size = n;
    return pae->bytes + len;
}

enum evidence_pae_outcome evidence_pae_init(struct evidence_pae *pae, const void *payload, size_t n)
{
    uint8_t *to = evidence_pae_begin(pae, n);

    if (!to) {
        return EVIDENCE_PAE_NO_MEMORY;
    }
    memcpy(to, payload, n);
    return EVIDENCE_PAE_OK;
}

enum evidence_pae_outcome evidence_pae_decode(struct evidence_pae *pae, const char *p, size_t n)
{
    const size_t most = n / 4 * 3 + 3;
    uint8_t *payload = malloc(most);
    enum evidence_pae_outcome o = EVIDENCE_PAE_NO_MEMORY;
    size_t size;

    if (payload) {
        o = base64_read_any(p, n, payload, most, &size) ? evidence_pae_init(pae, payload, size)
                                                        : EVIDENCE_PAE_BAD_BASE64;
    }
    free(payload);
    return o;
}

void evidence_pae_deinit(struct evidence_pae *pae)
{
    free(pae->bytes);
    pae->bytes = NULL;
}
