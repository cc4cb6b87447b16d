/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Statements with our own predicate, an SPDX or a CycloneDX document, as a signer whose key is
 * trusted could write them: whatever they are, each subject has one licence in plain text, or none.
 */
#include <string.h>

#include "base/text/date.h"
#include "policy/evidence/evidence_statement.h"
#include "tests/fuzz/fuzz.h"

static void check_subject(const struct evidence_subject *s)
{
    FUZZ_REQUIRE(memchr(s->licence, '\0', sizeof s->licence));
    FUZZ_REQUIRE((s->outcome == EVIDENCE_DSSE_OK) == (s->licence[0] != '\0'));
    for (const char *p = s->licence; *p; p++) {
        FUZZ_REQUIRE(*p >= 0x20 && *p <= 0x7e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct evidence_claim c;

    if (evidence_statement_read(&c, p, n) == EVIDENCE_DSSE_OK) {
        FUZZ_REQUIRE(c.n_subjects > 0 && c.n_subjects <= EVIDENCE_DSSE_SUBJECTS);
        FUZZ_REQUIRE(c.issued == 0 || date_valid(c.issued));
        FUZZ_REQUIRE(c.expires == 0 || date_valid(c.expires));
        for (uint32_t i = 0; i < c.n_subjects; i++) {
            check_subject(&c.subjects[i]);
        }
    }
    return 0;
}
