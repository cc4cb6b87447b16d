/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Licence notices: any text is an SPDX expression, or unknown. */
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence.h"
#include "policy/evidence/debian/evidence_notice.h"
#include "policy/evidence/evidence_words.h"
#include "policy/spdx/spdx.h"
#include "tests/fuzz/fuzz.h"

/* Words are separated by single spaces, and reading them again changes nothing in their number. */
static void require_words(struct evidence_span text)
{
    char *const words = evidence_words_new(text);

    if (words) {
        const size_t n = strlen(words);

        FUZZ_REQUIRE(n <= 2 * text.n + 1 && !strstr(words, "  "));
        FUZZ_REQUIRE(n == 0 || (words[0] != ' ' && words[n - 1] != ' '));
    }
    free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const struct evidence_span text = {(const char *)p, n};
    static char out[EVIDENCE_LICENCE_SIZE];
    struct spdx_error why;
    static struct spdx e;

    require_words(text);
    if (evidence_notice_read(text, out, sizeof out)) {
        const enum spdx_outcome o = spdx_parse(&e, out, strlen(out), SPDX_ANY, &why);

        FUZZ_REQUIRE(o == SPDX_OK);
    }
    return 0;
}
