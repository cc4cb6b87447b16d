/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Look-ups in the lists. Pure. */
#include "policy/spdx/spdx_list.h"

#include <string.h>

#include "base/edit_distance.h"
#include "policy/spdx/spdx_list.inc"

#define LICENCES (sizeof licences / sizeof *licences)
#define EXCEPTIONS (sizeof exceptions / sizeof *exceptions)

/*
 * Names in common use that are not identifiers and too different from them for the edit distance.
 */
static const struct {
    const char *name, *id;
} also_known[] = {
    {"apache", "Apache-2.0"},
    {"apache2", "Apache-2.0"},
    {"apache-2", "Apache-2.0"},
    {"apachev2", "Apache-2.0"},
    {"asl2.0", "Apache-2.0"},
    {"bsd", "BSD-3-Clause"},
    {"bsd-2", "BSD-2-Clause"},
    {"bsd2", "BSD-2-Clause"},
    {"bsd-3", "BSD-3-Clause"},
    {"bsd3", "BSD-3-Clause"},
    {"boost", "BSL-1.0"},
    {"expat", "MIT"},
    {"agpl", "AGPL-3.0-or-later"},
    {"agplv3", "AGPL-3.0-only"},
    {"agpl-3", "AGPL-3.0-only"},
    {"gpl", "GPL-2.0-or-later"},
    {"gpl2", "GPL-2.0-only"},
    {"gpl-2", "GPL-2.0-only"},
    {"gplv2", "GPL-2.0-only"},
    {"gpl3", "GPL-3.0-only"},
    {"gpl-3", "GPL-3.0-only"},
    {"gplv3", "GPL-3.0-only"},
    {"lgpl", "LGPL-2.1-or-later"},
    {"lgpl2", "LGPL-2.0-only"},
    {"lgpl-2", "LGPL-2.0-only"},
    {"lgplv2", "LGPL-2.0-only"},
    {"lgplv2.1", "LGPL-2.1-only"},
    {"lgpl3", "LGPL-3.0-only"},
    {"lgpl-3", "LGPL-3.0-only"},
    {"lgplv3", "LGPL-3.0-only"},
    {"mpl2", "MPL-2.0"},
    {"mpl-2", "MPL-2.0"},
    {"psf", "PSF-2.0"},
    {"python", "PSF-2.0"},
    {"cc0", "CC0-1.0"},
};

static int spdx_list_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Compares like strcmp of the lower-case forms; p has n bytes. */
static int spdx_list_compare(const char *p, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        const int d = spdx_list_lower(p[i]) - spdx_list_lower(id[i]);

        if (d != 0) {
            return d;
        }
    }
    return id[n] == '\0' ? 0 : -1;
}

int spdx_list_licence(const char *p, size_t n)
{
    size_t from = 0;
    size_t to = LICENCES;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int d = spdx_list_compare(p, n, licences[middle].id);

        if (d == 0) {
            return (int)middle;
        }
        if (d < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return -1;
}

int spdx_list_exception(const char *p, size_t n)
{
    for (size_t i = 0; i < EXCEPTIONS; i++) {
        if (spdx_list_compare(p, n, exceptions[i].id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const struct spdx_licence *spdx_licence_at(int index)
{
    return &licences[index];
}

const struct spdx_exception *spdx_exception_at(int index)
{
    return &exceptions[index];
}

size_t spdx_list_licences(void)
{
    return LICENCES;
}

size_t spdx_list_exceptions(void)
{
    return EXCEPTIONS;
}

const char *spdx_list_meant(const char *p, size_t n, bool exception)
{
    const size_t count = exception ? EXCEPTIONS : LICENCES;
    const char *meant = NULL;
    size_t best = n < 6 ? 2 : 3; /* smaller distances are close enough */

    for (size_t i = 0; !exception && i < sizeof also_known / sizeof *also_known; i++) {
        if (spdx_list_compare(p, n, also_known[i].name) == 0) {
            return also_known[i].id;
        }
    }
    if (n > EDIT_DISTANCE_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *id = exception ? exceptions[i].id : licences[i].id;
        const size_t m = strlen(id);
        const size_t apart = m > n ? m - n : n - m;

        if (m <= EDIT_DISTANCE_MAX && apart < best && (exception || !licences[i].deprecated)) {
            const size_t d = edit_distance(p, n, id, m);

            if (d < best) {
                best = d;
                meant = id;
            }
        }
    }
    return meant;
}
