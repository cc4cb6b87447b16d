/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Accept headers of clients of the exporter. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "proxy/exporter/exporter_text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char *const text = malloc(n + 1);
    enum exporter_format format;

    FUZZ_REQUIRE(text);
    memcpy(text, p, n);
    text[n] = '\0';
    format = exporter_format_of(text);
    FUZZ_REQUIRE(format < EXPORTER_FORMATS);
    /* Only a client that names the newer format gets it. */
    FUZZ_REQUIRE(format == EXPORTER_TEXT || strcasestr(text, "application/openmetrics-text"));
    free(text);
    return 0;
}
