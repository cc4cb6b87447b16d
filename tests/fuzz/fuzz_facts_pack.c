/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Packed facts: any JSON object comes back as it was, and any other text is refused or is an object
 * that can be packed again.
 */
#include <stdlib.h>
#include <string.h>

#include "proxy/monitor/facts/facts_pack.h"
#include "tests/fuzz/fuzz.h"

static void facts_check(const json_t *facts)
{
    char *const text = facts_pack(facts);
    json_t *const again = facts_unpack(text);

    FUZZ_REQUIRE(text != NULL && json_equal(facts, again));
    for (const char *p = text; *p; p++) {
        FUZZ_REQUIRE(*p >= ' ' && *p < 0x7f);
    }
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char *const text = malloc(n + 1);
    json_t *facts;

    FUZZ_REQUIRE(text != NULL);
    memcpy(text, p, n);
    text[n] = '\0';
    facts = json_loadb((const char *)p, n, 0, NULL);
    if (!facts) {
        facts = facts_unpack(text);
    }
    if (json_is_object(facts)) {
        facts_check(facts);
    }
    json_decref(facts);
    free(text);
    return 0;
}
