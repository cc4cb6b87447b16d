/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Debian's short names of licences and exceptions, with their SPDX identifiers. The names are those
 * of copyright-format 1.0, section 7.1.1, and other spellings with only one possible meaning.
 *
 * A name missing here may be an SPDX identifier itself, or one without its trailing ".0": versions
 * with trailing dot-zeroes are equal (7.1).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/evidence/debian/evidence_debian_names.h"
#include "policy/spdx/spdx_list.h"

/* Longer names are unknown. */
#define NAME_SIZE 96u

/* Searched linearly: a file needs only a few dozen look-ups. */
static const struct {
    const char *debian;
    const char *spdx;
} names[] = {
    {"Apache-2-LLVM-exceptions", "Apache-2.0 WITH LLVM-exception"},
    {"Artistic", "Artistic-1.0"},
    {"Boost", "BSL-1.0"},
    {"Boost-1", "BSL-1.0"},
    {"BSD-0-clause", "0BSD"},
    {"BSD-2", "BSD-2-Clause"},
    {"BSD-3", "BSD-3-Clause"},
    {"BSD-4", "BSD-4-Clause"},
    {"BSD2", "BSD-2-Clause"},
    {"BSD3", "BSD-3-Clause"},
    {"CC0", "CC0-1.0"},
    {"EDL-1", "BSD-3-Clause"},
    {"Expat", "MIT"},
    {"FreeBSD", "BSD-2-Clause"},
    {"GFDL-1.1", "GFDL-1.1-only"},
    {"GFDL-1.1+", "GFDL-1.1-or-later"},
    {"GFDL-1.2", "GFDL-1.2-only"},
    {"GFDL-1.2+", "GFDL-1.2-or-later"},
    {"GFDL-1.3", "GFDL-1.3-only"},
    {"GFDL-1.3+", "GFDL-1.3-or-later"},
    {"GFDL-NIV-1.1", "GFDL-1.1-no-invariants-only"},
    {"GFDL-NIV-1.1+", "GFDL-1.1-no-invariants-or-later"},
    {"GFDL-NIV-1.2", "GFDL-1.2-no-invariants-only"},
    {"GFDL-NIV-1.2+", "GFDL-1.2-no-invariants-or-later"},
    {"GFDL-NIV-1.3", "GFDL-1.3-no-invariants-only"},
    {"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
    {"GPL-1", "GPL-1.0-only"},
    {"GPL-1+", "GPL-1.0-or-later"},
    {"GPL-2", "GPL-2.0-only"},
    {"GPL-2+", "GPL-2.0-or-later"},
    {"GPL-3", "GPL-3.0-only"},
    {"GPL-3+", "GPL-3.0-or-later"},
    {"GPLv2", "GPL-2.0-only"},
    {"GPLv2+", "GPL-2.0-or-later"},
    {"GPLv3", "GPL-3.0-only"},
    {"GPLv3+", "GPL-3.0-or-later"},
    {"AGPL-3", "AGPL-3.0-only"},
    {"AGPL-3+", "AGPL-3.0-or-later"},
    {"LGPL-2", "LGPL-2.0-only"},
    {"LGPL-2+", "LGPL-2.0-or-later"},
    {"LGPL-2.1", "LGPL-2.1-only"},
    {"LGPL-2.1+", "LGPL-2.1-or-later"},
    {"LGPL-3", "LGPL-3.0-only"},
    {"LGPL-3+", "LGPL-3.0-or-later"},
    {"LGPLv2.1", "LGPL-2.1-only"},
    {"LGPLv2.1+", "LGPL-2.1-or-later"},
    {"LGPLv3", "LGPL-3.0-only"},
    {"LGPLv3+", "LGPL-3.0-or-later"},
    {"MIT/X11", "X11"},
    {"OpenLDAP-2.8", "OLDAP-2.8"},
    {"PD", "LicenseRef-debian-public-domain"},
    {"Perl", "(GPL-1.0-or-later OR Artistic-1.0-Perl)"},
    {"public-domain", "LicenseRef-debian-public-domain"},
    {"SIL-1.1", "OFL-1.1"},
    {"UFL-1", "Ubuntu-font-1.0"},
    {"zlib/libpng", "Zlib"},
};

/* The same exception name can mean different exceptions for different licences. */
static const struct {
    const char *debian;  /* without the final word "exception" */
    const char *licence; /* prefix of the licence's SPDX identifier */
    const char *spdx;
} exceptions[] = {
    {"Autoconf", "GPL-2.0", "Autoconf-exception-2.0"},
    {"Autoconf", "GPL-3.0", "Autoconf-exception-3.0"},
    {"Autoconf-data", "GPL-2.0", "Autoconf-exception-generic"},
    {"Autoconf-data", "GPL-3.0", "Autoconf-exception-generic-3.0"},
    {"Bison", "GPL-2.0", "Bison-exception-1.24"},
    {"Bison", "GPL-3.0", "Bison-exception-2.2"},
    {"Classpath", "GPL-2.0", "Classpath-exception-2.0"},
    {"Font", "GPL-", "Font-exception-2.0"},
    {"GCC", "GPL-3.0", "GCC-exception-3.1"},
    {"GCC-Runtime", "GPL-3.0", "GCC-exception-3.1"},
    {"GCC-Runtime-3.1", "GPL-3.0", "GCC-exception-3.1"},
    {"GCC-Runtime-Library", "GPL-3.0", "GCC-exception-3.1"},
    {"LLVM", "Apache-2.0", "LLVM-exception"},
};

/* Spellings of a family's name, before the hyphen. */
static const struct {
    const char *debian;
    const char *spdx;
} families[] = {
    {"Zope", "ZPL"},
    {"LPGL", "LGPL"},
};

/* A short name in parts: the version has no trailing dot-zeroes. */
struct debian_name {
    char base[NAME_SIZE]; /* with the version */
    bool plus;
};

/* Returns false if the name is too long. */
static bool evidence_debian_split(struct debian_name *d, const char *name)
{
    size_t n = strlen(name);
    size_t skip = 0;

    d->plus = n > 1 && name[n - 1] == '+';
    n -= d->plus ? 1 : 0;
    while (n > 3 && memcmp(name + n - 2, ".0", 2) == 0) {
        n -= 2;
    }
    d->base[0] = '\0';
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const size_t len = strlen(families[i].debian);

        if (n > len && name[len] == '-' && strncasecmp(name, families[i].debian, len) == 0) {
            snprintf(d->base, sizeof d->base, "%s", families[i].spdx);
            skip = len;
        }
    }
    if (strlen(d->base) + n - skip >= sizeof d->base) {
        return false;
    }
    strncat(d->base, name + skip, n - skip);
    return true;
}

static const char *evidence_debian_in_table(const struct debian_name *d)
{
    const size_t n = strlen(d->base);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *other = names[i].debian;

        if (strncasecmp(other, d->base, n) == 0 && strcmp(other + n, d->plus ? "+" : "") == 0) {
            return names[i].spdx;
        }
    }
    return NULL;
}

/* Looks for the identifier with and without ".0" at its end. Returns its index or -1. */
static int evidence_debian_listed(const char *base, int find(const char *p, size_t n))
{
    char longer[NAME_SIZE + 24];
    const int found = find(base, strlen(base));

    if (found >= 0) {
        return found;
    }
    snprintf(longer, sizeof longer, "%s.0", base);
    return find(longer, strlen(longer));
}

bool evidence_debian_licence(const char *name, char *out, size_t size)
{
    struct debian_name d;
    const char *known;
    bool plus = false;

    if (!evidence_debian_split(&d, name)) {
        return false;
    }
    known = evidence_debian_in_table(&d);
    if (!known) {
        const int listed = evidence_debian_listed(d.base, spdx_list_licence);

        known = listed >= 0 ? spdx_licence_at(listed)->id : NULL;
        plus = d.plus;
    }
    return known && (size_t)snprintf(out, size, "%s%s", known, plus ? "+" : "") < size;
}

/* "Classpath-2.0" is SPDX's "Classpath-exception-2.0", and "Texinfo" "Texinfo-exception". */
static int evidence_debian_listed_exception(const char *name)
{
    const char *hyphen = strrchr(name, '-');
    char longer[NAME_SIZE + sizeof "-exception"];
    int found = spdx_list_exception(name, strlen(name));

    if (found < 0) {
        snprintf(longer, sizeof longer, "%s-exception", name);
        found = spdx_list_exception(longer, strlen(longer));
    }
    if (found < 0 && hyphen && hyphen[1] >= '0' && hyphen[1] <= '9') {
        snprintf(longer, sizeof longer, "%.*s-exception%s", (int)(hyphen - name), name, hyphen);
        found = evidence_debian_listed(longer, spdx_list_exception);
    }
    return found;
}

bool evidence_debian_exception(const char *name, const char *licence, char *out, size_t size)
{
    struct debian_name d;
    const char *known = NULL;
    int listed;

    if (!evidence_debian_split(&d, name) || d.plus) {
        return false;
    }
    for (size_t i = 0; !known && i < sizeof exceptions / sizeof *exceptions; i++) {
        const char *begins = exceptions[i].licence;

        if (strcasecmp(exceptions[i].debian, d.base) == 0 &&
            strncmp(licence, begins, strlen(begins)) == 0) {
            known = exceptions[i].spdx;
        }
    }
    listed = known ? -1 : evidence_debian_listed_exception(d.base);
    known = listed >= 0 ? spdx_exception_at(listed)->id : known;
    return known && (size_t)snprintf(out, size, "%s", known) < size;
}
