/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which expressions the Open Source Initiative has approved. */
#include <stdio.h>
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_list.h"
#include "tests/support/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static enum spdx_compat approved(const char *text)
{
    static struct spdx e;
    struct spdx_error why;

    ck_assert_msg(spdx_parse(&e, text, strlen(text), SPDX_ANY, &why) == SPDX_OK, "%s: %s", text,
                  why.text);
    return spdx_osi_approved(&e);
}

static const struct {
    const char *text;
    enum spdx_compat want;
} rows[] = {
    {"MIT", SPDX_COMPATIBLE},
    {"mit", SPDX_COMPATIBLE},
    {"GPL-2.0", SPDX_COMPATIBLE},
    {"GPL-2.0+", SPDX_COMPATIBLE},
    {"GPL-2.0-or-later", SPDX_COMPATIBLE},
    {"AGPL-3.0-only", SPDX_COMPATIBLE},
    {"AGPL-1.0-only", SPDX_INCOMPATIBLE},
    {"Beerware", SPDX_INCOMPATIBLE},
    {"BUSL-1.1", SPDX_INCOMPATIBLE},
    {"SSPL-1.0", SPDX_INCOMPATIBLE},
    {"Elastic-2.0", SPDX_INCOMPATIBLE},
    {"CC0-1.0", SPDX_INCOMPATIBLE},
    {"BSD-4-Clause", SPDX_INCOMPATIBLE},
    {"Apache-1.0", SPDX_INCOMPATIBLE},
    {"NONE", SPDX_INCOMPATIBLE},
    {"NOASSERTION", SPDX_UNKNOWN},
    {"LicenseRef-x", SPDX_UNKNOWN},
    {"DocumentRef-d:LicenseRef-x", SPDX_UNKNOWN},
    {"No-Such-Licence", SPDX_UNKNOWN},
    /* AND: all; OR: one. */
    {"MIT AND Apache-2.0", SPDX_COMPATIBLE},
    {"MIT AND SSPL-1.0", SPDX_INCOMPATIBLE},
    {"MIT AND LicenseRef-x", SPDX_UNKNOWN},
    {"SSPL-1.0 AND LicenseRef-x", SPDX_INCOMPATIBLE},
    {"MIT OR SSPL-1.0", SPDX_COMPATIBLE},
    {"SSPL-1.0 OR MIT", SPDX_COMPATIBLE},
    {"SSPL-1.0 OR LicenseRef-x", SPDX_UNKNOWN},
    {"SSPL-1.0 OR BUSL-1.1", SPDX_INCOMPATIBLE},
    {"(MIT OR SSPL-1.0) AND (BUSL-1.1 OR ISC)", SPDX_COMPATIBLE},
    {"MIT AND SSPL-1.0 OR BUSL-1.1 AND ISC", SPDX_INCOMPATIBLE},
    {"MIT OR SSPL-1.0 AND BUSL-1.1", SPDX_COMPATIBLE},
    /* "+" lets a later version be chosen. */
    {"Apache-1.0+", SPDX_COMPATIBLE},
    {"GPL-1.0-only", SPDX_INCOMPATIBLE},
    {"GPL-2.0-only+", SPDX_UNKNOWN},
    /* Exceptions give permissions, where it is known that they do. */
    {"GPL-2.0-only WITH Classpath-exception-2.0", SPDX_COMPATIBLE},
    {"GPL-2.0-with-classpath-exception", SPDX_COMPATIBLE},
    {"SSPL-1.0 WITH Classpath-exception-2.0", SPDX_INCOMPATIBLE},
    {"GPL-2.0-only WITH freertos-exception-2.0", SPDX_UNKNOWN},
    {"GPL-2.0-only WITH No-Such-Exception", SPDX_UNKNOWN},
    {"GPL-2.0-only WITH AdditionRef-x", SPDX_UNKNOWN},
    {"GPL-2.0-only WITH AdditionRef-debian-OpenSSL", SPDX_COMPATIBLE},
};

START_TEST(expressions)
{
    const enum spdx_compat got = approved(rows[_i].text);

    ck_assert_msg(got == rows[_i].want, "%s: %s", rows[_i].text, spdx_compat_name(got));
}
END_TEST

/* As SPDX marks them: osi_approved.txt. */
START_TEST(the_list_is_that_of_spdx)
{
    static char text[16384];
    FILE *f = fopen(SOURCE_DIR "/tests/unit/policy/osi_approved.txt", "r");
    size_t marked = 0;
    char line[80];

    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < spdx_list_licences(); i++) {
        const struct spdx_licence *l = spdx_licence_at((int)i);
        bool is;

        snprintf(line, sizeof line, "\n%s\n", l->id);
        is = strstr(text, line) != NULL;
        marked += is ? 1 : 0;
        /* Of deprecated ones what stands in their place is judged. */
        if (!l->deprecated || is) {
            ck_assert_msg((approved(l->id) == SPDX_COMPATIBLE) == is, "%s", l->id);
        }
    }
    ck_assert_uint_eq(marked, 144);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("osi");
    TCase *tc = unit_case(s, "approved");

    tcase_add_loop_test(tc, expressions, 0, COUNT(rows));
    tcase_add_test(tc, the_list_is_that_of_spdx);
    return unit_run(s);
}
