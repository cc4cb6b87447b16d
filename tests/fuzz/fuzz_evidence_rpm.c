/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* rpm's headers and License tags: what becomes of any bytes is sound, or a reason. */
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence_rpm.h"
#include "policy/spdx/spdx.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_tag(const char *tag)
{
    static struct spdx e;
    struct spdx_error error;
    char out[EVIDENCE_LICENCE_SIZE];
    char why[EVIDENCE_DETAIL_SIZE] = "";

    if (evidence_rpm_expression(tag, out, why)) {
        FUZZ_REQUIRE(spdx_parse(&e, out, strlen(out), SPDX_LISTED, &error) == SPDX_OK);
    } else {
        FUZZ_REQUIRE(strncmp(why, "its License tag ", strlen("its License tag ")) == 0);
    }
}

static void fuzz_header(const uint8_t *p, size_t n)
{
    static struct evidence_rpm_file file;
    struct evidence_rpm_header h;
    char name[EVIDENCE_NAME_SIZE];
    const char *tag;

    if (!evidence_rpm_read(&h, p, n)) {
        return;
    }
    if (evidence_rpm_name(&h, name)) {
        FUZZ_REQUIRE(memchr(name, '\0', sizeof name));
    }
    tag = evidence_rpm_licence_tag(&h);
    if (tag) {
        fuzz_tag(tag);
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (evidence_rpm_file(&h, i, &file)) {
            FUZZ_REQUIRE(file.path[0] == '/' && memchr(file.path, '\0', sizeof file.path));
            FUZZ_REQUIRE(file.n_digest <= sizeof file.digest);
            FUZZ_REQUIRE(evidence_rpm_path_merged(file.path, file.path));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char *const text = malloc(n + 1);

    if (!text) {
        return 0;
    }
    memcpy(text, p, n);
    text[n] = '\0';
    fuzz_header(p, n);
    fuzz_tag(text);
    free(text);
    return 0;
}
