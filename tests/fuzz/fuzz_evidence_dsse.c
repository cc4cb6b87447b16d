/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * DSSE envelopes: no bytes but those that the key of the corpus signed are ever good. The key's
 * private half was thrown away when the corpus had been made.
 */
#include <string.h>

#include "policy/evidence/evidence_dsse.h"
#include "tests/fuzz/fuzz.h"

#include "base/text/base64.h"

/* good.json of the corpus is signed with it. */
static const uint8_t raw[32] = {0xb5, 0x1e, 0xd9, 0xdd, 0x67, 0xc4, 0x2a, 0xcf, 0x91, 0x49, 0x05,
                                0x94, 0x17, 0xc2, 0xaa, 0x54, 0xcf, 0x7c, 0x46, 0x55, 0x1d, 0xf1,
                                0x84, 0x0b, 0xbc, 0x5a, 0x89, 0x86, 0x80, 0xf8, 0x9d, 0x5a};

static const char signed_licence[] = "GPL-2.0-or-later";

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct evidence_claim c;
    static struct evidence_key key;
    uint8_t out[64];
    size_t used;

    if (key.n == 0) {
        EVP_PKEY *const pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);

        FUZZ_REQUIRE(pkey && evidence_key_init(&key, pkey) == 0);
        EVP_PKEY_free(pkey);
    }
    if (evidence_dsse_read(&c, p, n, &key, 1) == EVIDENCE_DSSE_OK) {
        FUZZ_REQUIRE(c.signers == 1 && c.n_subjects == 1);
        FUZZ_REQUIRE(strcmp(c.subjects[0].licence, signed_licence) == 0);
    }
    FUZZ_REQUIRE(evidence_dsse_read(&c, p, n, NULL, 0) != EVIDENCE_DSSE_OK);
    if (base64_read_any((const char *)p, n, out, sizeof out, &used)) {
        FUZZ_REQUIRE(used <= sizeof out && used <= n);
    }
    return 0;
}
