/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Copyright files and dpkg's database: what becomes of any bytes is an SPDX expression, or a
 * reason.
 */
#include <string.h>

#include "policy/evidence/debian/evidence_copyright.h"
#include "policy/evidence/debian/evidence_dpkg.h"
#include "policy/evidence/debian/evidence_synopsis.h"
#include "policy/spdx/spdx.h"
#include "tests/fuzz/fuzz.h"

static void require_expression(const char *text)
{
    static struct spdx e;
    struct spdx_error why;
    const enum spdx_outcome o = spdx_parse(&e, text, strlen(text), SPDX_ANY, &why);

    /* The expression's parts are not counted where it is made. */
    FUZZ_REQUIRE(o == SPDX_OK || o == SPDX_TOO_MANY || o == SPDX_TOO_LONG);
}

static void check_database(const char *p, size_t n)
{
    static const struct evidence_dpkg_name package = {.name = "coreutils"};
    char version[EVIDENCE_DPKG_VERSION_SIZE];
    uint8_t md5[EVIDENCE_MD5_SIZE];

    (void)evidence_dpkg_lists(p, n, "/bin/true");
    if (evidence_dpkg_md5(p, n, "/bin/true", md5)) {
        FUZZ_REQUIRE(n >= 2 * sizeof md5 + strlen("  bin/true"));
    }
    if (evidence_dpkg_version(p, n, &package, version)) {
        FUZZ_REQUIRE(version[0] != '\0' && memchr(version, '\0', sizeof version));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const char *file = (const char *)p;
    static struct evidence_copyrights c;
    char text[EVIDENCE_LICENCE_SIZE];

    if (evidence_copyright_read(&c, file, n) == EVIDENCE_COPYRIGHT_OK) {
        FUZZ_REQUIRE(c.free_text || c.counted > 0);
        FUZZ_REQUIRE(c.n_files <= EVIDENCE_FILES);
        require_expression(c.licence);
    }
    if (evidence_synopsis_expression(file, n, NULL, NULL, text, sizeof text) ==
        EVIDENCE_SYNOPSIS_OK) {
        require_expression(text);
    }
    check_database(file, n);
    return 0;
}
